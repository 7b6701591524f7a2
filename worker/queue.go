package worker

import (
	"slices"
	"sync"
	"time"

	"sluice/worker/wire"
)

// A track's frames overflow the queue when there are more of them than maxFrames, or when the oldest has waited longer
// than maxAge. Frames flagged Preroll are a cached GOP that is given at once: they have a bound of their own and no age.
const (
	maxFrames  = 64
	maxPreroll = 1024
	maxAge     = time.Second
)

// queue is what the gateway has said and the process has not taken yet. Only its short mutex is ever waited for.
type queue struct {
	wake chan struct{} // capacity 1, sent to by whoever puts something in, never closed

	mu      sync.Mutex
	control []wire.Message // go first; at most one of a type and track
	frames  []item         // in order, from head on
	head    int
	open    bool // frames may go: the process is ready
	tracks  []trackQueue
	dropped uint64
}

// item is a frame, or TypeEOS behind the last one.
type item struct {
	message wire.Message
	parts   [][]byte
	at      time.Time
}

// trackQueue is what the queue holds of a track.
type trackQueue struct {
	frames, preroll int
	skipping        bool // until the next keyframe
	gap             bool // the next frame comes after some that were dropped
}

// reset makes the queue ready for a job with so many inputs.
func (q *queue) reset(tracks int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tracks = make([]trackQueue, tracks)
	q.open = false
	if q.frames == nil && tracks > 0 {
		q.frames = make([]item, 0, maxFrames)
	}
}

// put appends a frame, or drops it and tells so with false.
func (q *queue) put(m *wire.Message, parts [][]byte, now time.Time) bool {
	q.mu.Lock()
	ok := q.admit(m, now)
	if ok {
		q.push(m, parts, now)
	} else {
		q.dropped++
	}
	q.mu.Unlock()
	if ok {
		q.signal()
	}
	return ok
}

// admit decides on a frame, and makes room for a keyframe behind which nothing older matters.
func (q *queue) admit(m *wire.Message, now time.Time) bool {
	if int(m.Track) >= len(q.tracks) {
		return false
	}
	t := &q.tracks[m.Track]
	if !t.skipping && !q.full(m, t, now) {
		return true
	}
	t.skipping, t.gap = true, true
	if m.Flags&wire.Keyframe == 0 {
		return false
	}
	t.skipping = false
	if q.full(m, t, now) {
		q.flush(m.Track)
	}
	return true
}

func (q *queue) full(m *wire.Message, t *trackQueue, now time.Time) bool {
	if m.Flags&wire.Preroll != 0 {
		return t.preroll >= maxPreroll
	}
	return t.frames >= maxFrames || t.frames > 0 && now.Sub(q.oldest(m.Track)) > maxAge
}

// oldest is when the track's oldest frame that counts was put in.
func (q *queue) oldest(track uint8) time.Time {
	for i := range q.frames[q.head:] {
		if it := &q.frames[q.head+i]; it.counts(track) {
			return it.at
		}
	}
	return time.Time{}
}

func (it *item) counts(track uint8) bool {
	return it.message.Type == wire.TypeFrame && it.message.Track == track && it.message.Flags&wire.Preroll == 0
}

// flush drops all frames of a track that wait.
func (q *queue) flush(track uint8) {
	before := len(q.frames)
	rest := slices.DeleteFunc(q.frames[q.head:], func(it item) bool {
		return it.message.Type == wire.TypeFrame && it.message.Track == track
	})
	q.frames = q.frames[:q.head+len(rest)]
	q.dropped += uint64(before - len(q.frames))
	q.tracks[track].frames, q.tracks[track].preroll = 0, 0
}

func (q *queue) push(m *wire.Message, parts [][]byte, now time.Time) {
	if q.head > 0 && len(q.frames) == cap(q.frames) {
		n := copy(q.frames, q.frames[q.head:])
		clear(q.frames[n:])
		q.frames, q.head = q.frames[:n], 0
	}
	it := item{message: *m, parts: parts, at: now}
	if m.Type == wire.TypeFrame {
		it.message.Flags |= q.count(m)
	}
	q.frames = append(q.frames, it)
}

// count counts a frame that is put in, and returns what is to be said of it besides.
func (q *queue) count(m *wire.Message) (extra wire.Flags) {
	t := &q.tracks[m.Track]
	if m.Flags&wire.Preroll != 0 {
		t.preroll++
	} else {
		t.frames++
	}
	if t.gap {
		t.gap = false
		return wire.Discontinuity
	}
	return 0
}

// end puts TypeEOS behind the last frame.
func (q *queue) end(now time.Time) {
	q.mu.Lock()
	q.push(&wire.Message{Type: wire.TypeEOS}, nil, now)
	q.mu.Unlock()
	q.signal()
}

// say puts in a message that goes before all frames. One of the same type and track that still waits is replaced.
func (q *queue) say(m wire.Message) {
	q.mu.Lock()
	i := slices.IndexFunc(q.control, func(o wire.Message) bool { return o.Type == m.Type && o.Track == m.Track })
	if i >= 0 {
		q.control[i] = m
	} else {
		q.control = append(q.control, m)
	}
	q.mu.Unlock()
	q.signal()
}

// openFrames lets frames go.
func (q *queue) openFrames() {
	q.mu.Lock()
	q.open = true
	q.mu.Unlock()
	q.signal()
}

// take gives what is to be written next; false if there is nothing.
func (q *queue) take() (item, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.control) > 0 {
		m := q.control[0]
		q.control = slices.Delete(q.control, 0, 1)
		return item{message: m}, true
	}
	if !q.open || q.head == len(q.frames) {
		return item{}, false
	}
	it := q.frames[q.head]
	q.frames[q.head] = item{}
	if q.head++; q.head == len(q.frames) {
		q.frames, q.head = q.frames[:0], 0
	}
	q.uncount(&it.message)
	return it, true
}

func (q *queue) uncount(m *wire.Message) {
	switch {
	case m.Type != wire.TypeFrame:
	case m.Flags&wire.Preroll != 0:
		q.tracks[m.Track].preroll--
	default:
		q.tracks[m.Track].frames--
	}
}

// lose counts a frame that can't be written, after which the track needs a keyframe.
func (q *queue) lose(track uint8) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropped++
	if int(track) < len(q.tracks) {
		q.tracks[track].skipping, q.tracks[track].gap = true, true
	}
}

func (q *queue) drops() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
