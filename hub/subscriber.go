package hub

import (
	"context"
	"sync"
	"sync/atomic"
)

// Start is where in a GOP a subscriber joins.
type Start int

// StartKeyframe waits for the next keyframe; StartGOP begins at the newest keyframe that the ring still holds, with
// the other tracks at live, and waits for the next if it holds none.
const (
	StartKeyframe Start = iota
	StartGOP
)

// Subscriber is one reading end: a cursor over a rendition's ring. Next, TryNext, TryAside, Behind, Newest and Rewind
// belong to one goroutine; the other methods may be called from any.
type Subscriber struct {
	stream *Stream       // fixed
	start  Start         // fixed
	waker  Waker         // fixed; called by the renditions it waits on
	wake   chan struct{} // fixed: capacity 1, sent to by waker, never closed; nil if waker is somebody else's
	done   chan struct{} // closed by Close
	drops  dropCounters

	closed   atomic.Bool // as done, cheaper to look at
	forwards atomic.Bool // see Forward

	wanted atomic.Pointer[rendition] // where SelectRendition wants it to read; stored under the stream's mu
	at     atomic.Pointer[rendition] // a copy of reading, for other goroutines

	// Owned by the goroutine that calls Next.
	reading   *rendition
	cursor    uint64     // index of the next unit in reading
	aside     uint64     // units of the other tracks below it were delivered ahead, or are older than the join
	switching *rendition // a rendition that it will read from its next keyframe on, or nil
	from      uint64     // the first index in switching that may be that keyframe
	joined    uint64     // where in reading its pictures begin
	publisher uint32     // of the unit read last
	waitKey   bool       // units of the main track are skipped until a keyframe
	started   bool       // the first keyframe has been delivered
	audible   bool       // the other tracks are delivered: the first keyframe has been, or is there
	shown     shown
	heard     []heard // the other tracks

	closeOnce sync.Once
}

// Subscribe opens a reading end. Its first unit is a keyframe of the main track. It returns ErrClosed if the
// stream has been removed; a rendition that nobody publishes yet is fine.
func (s *Stream) Subscribe(rendition string, start Start) (*Subscriber, error) {
	wake := make(wakeChannel, 1)
	return s.subscribe(rendition, start, wake, wake)
}

// SubscribeWith is Subscribe for a reader of many streams: w is woken, once for each unit whatever the number of
// subscribers that share it, when there may be something for TryNext, and when the subscriber is closed. Next and
// Wake are of no use to it.
func (s *Stream) SubscribeWith(rendition string, start Start, w Waker) (*Subscriber, error) {
	return s.subscribe(rendition, start, w, nil)
}

func (s *Stream) subscribe(rendition string, start Start, w Waker, wake chan struct{}) (*Subscriber, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, ErrClosed
	}
	sub := &Subscriber{stream: s, start: start, waitKey: true, waker: w, wake: wake, done: make(chan struct{})}
	r := s.rendition(rendition)
	sub.wanted.Store(r)
	s.subscribers[sub] = struct{}{}
	s.signal()
	sub.begin(r)
	return sub, nil
}

// begin puts the cursor where start says. What a publisher left behind when it closed is not shown any more.
func (sub *Subscriber) begin(r *rendition) {
	r.waiters.add(sub)
	head := r.ring.head.Load()
	sub.read(r, head)
	if g := r.ring.gopStart(); sub.start == StartGOP && g != 0 && r.current() != nil {
		sub.cursor, sub.aside, sub.audible = g, head, true
	}
}

// read makes index the next unit.
func (sub *Subscriber) read(r *rendition, index uint64) {
	sub.reading, sub.cursor, sub.aside = r, index, 0
	sub.at.Store(r)
}

// Next waits for the next unit in decode order. It returns ctx's error, or ErrClosed after Close or when the
// stream has been removed. The loss of a publisher is not an error: Next waits for the next one and goes on at
// its first keyframe.
func (sub *Subscriber) Next(ctx context.Context) (*Unit, error) {
	for {
		if sub.Closed() {
			return nil, ErrClosed
		}
		if u, ok := sub.TryNext(); ok {
			return u, nil
		}
		select {
		case <-sub.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-sub.done:
			return nil, ErrClosed
		}
	}
}

// Closed reports whether Close has been called, or the stream removed.
func (sub *Subscriber) Closed() bool { return sub.closed.Load() }

// TryNext is Next that does not wait; false: nothing to read now.
func (sub *Subscriber) TryNext() (*Unit, bool) {
	sub.followWish()
	for {
		sub.tryToSwitch()
		u, more := sub.advance()
		if u != nil && sub.admit(u) {
			return u, true
		}
		if !more {
			return nil, false
		}
	}
}

// advance moves the cursor by one unit, or over what it has missed. more is false at the head of the ring.
func (sub *Subscriber) advance() (u *Unit, more bool) {
	r := sub.reading.ring
	head := r.head.Load()
	if sub.cursor >= head {
		return nil, false
	}
	if u = r.at(sub.cursor); u == nil {
		sub.skipAhead(r)
		return nil, true
	}
	sub.cursor++
	return u, true
}

// skipAhead goes from a unit that is gone to the newest keyframe, or to live if the ring holds none, where it waits for
// the next.
func (sub *Subscriber) skipAhead(r *ring) {
	to := r.gopStart()
	if to <= sub.cursor {
		to = r.head.Load()
		sub.reading.requestKeyframe()
	}
	sub.drop(DropTooSlow, to-sub.cursor)
	sub.cursor = to
	sub.waitKey = true
}

// admit says whether the unit is delivered: nothing before the first keyframe, and no unit of the main track
// between a gap and the next keyframe.
func (sub *Subscriber) admit(u *Unit) bool {
	if u.Publisher != sub.publisher {
		sub.publisher = u.Publisher
		sub.waitKey = true
	}
	if !u.main {
		return sub.audible && u.Index >= sub.aside && sub.hear(u)
	}
	if sub.waitKey && !u.Keyframe {
		if sub.started && u.Index >= sub.joined {
			sub.drop(DropWaitingKeyframe, 1)
		}
		return false
	}
	sub.waitKey = false
	sub.started, sub.audible = true, true
	sub.shown = shown{u.PTS, u.Track.ClockRate}
	return true
}

func (sub *Subscriber) drop(r DropReason, n uint64) {
	sub.drops.add(r, n)
	sub.stream.drops.add(r, n)
}

// Dropped counts the units that this subscriber did not get, by reason.
func (sub *Subscriber) Dropped() map[DropReason]uint64 { return sub.drops.snapshot() }

// Forward says that the subscriber sends the stream on to another server: it counts as no viewer.
func (sub *Subscriber) Forward() { sub.forwards.Store(true) }

// Wake is signalled when there may be something to read, for a goroutine that waits for other things as well. Its
// capacity is 1; it is never closed, and nil for a subscriber made by SubscribeWith.
func (sub *Subscriber) Wake() <-chan struct{} { return sub.wake }

// Close ends the reading; Next returns ErrClosed. It may be called twice.
func (sub *Subscriber) Close() {
	sub.closeOnce.Do(func() {
		sub.closed.Store(true)
		close(sub.done)
		s := sub.stream
		s.mu.Lock()
		delete(s.subscribers, sub)
		for _, r := range s.renditions {
			r.waiters.remove(sub)
		}
		s.signal()
		s.mu.Unlock()
		sub.waker.Wake()
	})
}
