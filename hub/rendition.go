package hub

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/media"
)

// keyframeInterval is the least time between two keyframe requests that reach a publisher.
const keyframeInterval = 500 * time.Millisecond

// rendition is one quality of a stream: a ring, who writes it and who waits for its next unit. It outlives
// its publishers, so that subscribers survive a source that reconnects.
type rendition struct {
	name string // fixed
	ring *ring  // fixed

	waiters waiters
	meter   atomic.Pointer[meter] // of the latest publisher; nil before the first

	mu          sync.Mutex
	publisher   *Publisher    // guarded by mu; nil while nobody publishes
	last        []media.Track // guarded by mu; what the latest publisher carried at its end
	publication uint64        // guarded by mu; of the stream, to which the latest publisher belongs; 0 if it was derived

	keyframes keyframeMerger
}

func newRendition(name string, o Options) *rendition {
	return &rendition{name: name, ring: newRing(o.RingMaxAge, o.RingMaxBytes)}
}

// open makes the rendition's next publisher; it must have none. publication is 0 for a derived one.
func (r *rendition) open(s *Stream, number uint32, publication uint64, tracks []media.Track) *Publisher {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.publication = publication
	r.ring.clear()
	r.publisher = newPublisher(s, r, number, publication == 0, tracks)
	r.meter.Store(&r.publisher.meter)
	return r.publisher
}

func (r *rendition) release(p *Publisher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.publisher == p {
		r.publisher, r.last = nil, p.Tracks()
	}
}

// carried is what the latest publisher carried; false if it was of another publication, or there was none.
func (r *rendition) carried(publication uint64) ([]media.Track, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.last), r.last != nil && r.publication == publication
}

func (r *rendition) current() *Publisher {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.publisher
}

// requestKeyframe passes a subscriber's wish on, or merges it with one of the last 500 ms.
func (r *rendition) requestKeyframe() {
	p := r.current()
	if p == nil {
		return
	}
	p.stream.keyframesWanted.Add(1)
	if r.keyframes.ask(time.Now()) {
		p.requestKeyframe()
	}
}

// keyframeMerger lets one wish through each keyframeInterval. A wish that came too soon is kept, and is let
// through by the first unit after the interval unless a keyframe has come meanwhile.
type keyframeMerger struct {
	mu      sync.Mutex
	last    time.Time // guarded by mu; when a wish was let through
	pending bool      // guarded by mu
	waiting atomic.Bool
}

func (k *keyframeMerger) ask(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.last.IsZero() && now.Sub(k.last) < keyframeInterval {
		k.pending = true
		k.waiting.Store(true)
		return false
	}
	k.last = now
	return true
}

// written is told of every unit and reports whether a kept wish is due now.
func (k *keyframeMerger) written(keyframe bool, now time.Time) bool {
	if !k.waiting.Load() {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	due := !keyframe && k.pending && now.Sub(k.last) >= keyframeInterval
	if due {
		k.last = now
	}
	if keyframe || due {
		k.pending = false
		k.waiting.Store(false)
	}
	return due
}
