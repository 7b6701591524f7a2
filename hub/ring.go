package hub

import (
	"sync/atomic"
	"time"

	"sluice/media"
)

// Unit is one access unit in a ring, shared by all its readers: read-only.
type Unit struct {
	*media.AccessUnit
	Track *media.Track // as it was when the unit was written
	Index uint64       // counts the units of the rendition, of all tracks, from 1
	Count uint64       // counts the units of the track without a gap; each publisher begins above all earlier ones

	// Publisher is who wrote it, counted over all renditions of the stream from 1. Units of two publishers share
	// the timeline, but their clocks may be some milliseconds apart.
	Publisher uint32

	main    bool   // of the track whose keyframes begin a GOP
	ring    *ring  // that it was appended to
	ordinal uint64 // counts the units of the main track in the ring, this one included

	packets atomic.Pointer[any] // see Once
}

// Once returns what make made of the unit, and calls it only if nobody did before: all readers share one
// result, such as the RTP payloads. Two readers that come first together may both call make; one result wins.
func (u *Unit) Once(make func(*Unit) any) any {
	if p := u.packets.Load(); p != nil {
		return *p
	}
	made := make(u)
	if u.packets.CompareAndSwap(nil, &made) {
		return made
	}
	return *u.packets.Load()
}

// resendWindow is how long a unit is kept although the current GOP began later, for resends.
const resendWindow = 2 * time.Second

// ring is the window of newest units of one rendition. One goroutine at a time appends; any number read, without
// a lock: a reader loads head, then the slot, and finds a nil or newer unit if it was too slow.
type ring struct {
	maxAge   time.Duration // fixed
	maxBytes int           // fixed

	slots atomic.Pointer[[]atomic.Pointer[Unit]] // its length is a power of two
	head  atomic.Uint64                          // index of the next unit
	tail  atomic.Uint64                          // index of the oldest unit held
	gop   atomic.Uint64                          // index of the newest keyframe; < tail: none is held
	main  atomic.Uint64                          // index of the newest unit of the main track; < tail: none is held
	bytes atomic.Int64                           // of all units held; written by the appender
	count uint64                                 // owned by the appender: units of the main track
}

const ringStartSlots = 256

func newRing(maxAge time.Duration, maxBytes int) *ring {
	r := &ring{maxAge: maxAge, maxBytes: maxBytes}
	slots := make([]atomic.Pointer[Unit], ringStartSlots)
	r.slots.Store(&slots)
	r.head.Store(1)
	r.tail.Store(1)
	return r
}

// append gives the unit its index and makes it visible.
func (r *ring) append(u *Unit) {
	u.Index, u.ring = r.head.Load(), r
	if u.main {
		r.count++
	}
	u.ordinal = r.count
	if u.Index-r.tail.Load() == uint64(len(*r.slots.Load())) {
		r.grow()
	}
	slots := *r.slots.Load()
	slots[u.Index&uint64(len(slots)-1)].Store(u)
	r.bytes.Add(int64(u.Size()))
	if u.main {
		r.main.Store(u.Index)
		if u.Keyframe {
			r.gop.Store(u.Index)
		}
	}
	r.head.Store(u.Index + 1)
	r.trim(u)
}

func (r *ring) grow() {
	old := *r.slots.Load()
	slots := make([]atomic.Pointer[Unit], 2*len(old))
	for i := r.tail.Load(); i < r.head.Load(); i++ {
		slots[i&uint64(len(slots)-1)].Store(old[i&uint64(len(old)-1)].Load())
	}
	r.slots.Store(&slots)
}

// trim frees what is beyond the bounds, and what is older than both the current GOP and the resend window.
func (r *ring) trim(newest *Unit) {
	gop := r.gop.Load()
	for tail := r.tail.Load(); tail < newest.Index; tail = r.tail.Load() {
		oldest := r.at(tail)
		age := newest.Arrived.Sub(oldest.Arrived)
		stale := tail < gop && age > resendWindow
		if !stale && age <= r.maxAge && r.bytes.Load() <= int64(r.maxBytes) {
			return
		}
		r.free(oldest)
	}
}

func (r *ring) free(oldest *Unit) {
	slots := *r.slots.Load()
	r.tail.Store(oldest.Index + 1)
	r.bytes.Add(-int64(oldest.Size()))
	slots[oldest.Index&uint64(len(slots)-1)].Store(nil)
}

// clear frees everything; readers go on at the next unit.
func (r *ring) clear() {
	for tail := r.tail.Load(); tail < r.head.Load(); tail = r.tail.Load() {
		r.free(r.at(tail))
	}
}

// at returns the unit of that index, or nil if it is no longer, or not yet, held.
func (r *ring) at(index uint64) *Unit {
	slots := *r.slots.Load()
	u := slots[index&uint64(len(slots)-1)].Load()
	if u == nil || u.Index != index {
		return nil
	}
	return u
}

// gopStart is the index of the newest keyframe that is held, 0 if none is.
func (r *ring) gopStart() uint64 {
	if g := r.gop.Load(); g >= r.tail.Load() {
		return g
	}
	return 0
}

// held is how many units are held, and the time from the oldest to the newest.
func (r *ring) held() (units int, age time.Duration) {
	tail, head := r.tail.Load(), r.head.Load()
	if tail >= head {
		return 0, 0
	}
	oldest, newest := r.at(tail), r.at(head-1)
	if oldest != nil && newest != nil { // neither was freed meanwhile
		age = newest.Arrived.Sub(oldest.Arrived)
	}
	return int(head - tail), age
}
