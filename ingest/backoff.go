package ingest

import (
	"math/rand/v2"
	"time"
)

const (
	firstDelay     = 500 * time.Millisecond
	eagerDelay     = time.Second // in the first minute of trouble
	eagerPeriod    = time.Minute
	maxDelay       = 15 * time.Second
	permanentDelay = 75 * time.Second // still a minute when the jitter takes a fifth off
	jitter         = 0.2
	healthyPeriod  = 60 * time.Second // of media, after which the past is forgotten
)

// backoff says how long to wait before the next try.
//
// In the first minute the delay stays at one second rather than two: a camera that comes back is then found
// within 1.2 s, which leaves it time to connect and to send a keyframe before 3 s are over.
type backoff struct {
	since time.Time // when the trouble began; zero if there is none
	last  time.Duration
}

// next is the delay after a failure at now.
func (b *backoff) next(now time.Time, permanent bool) time.Duration {
	switch {
	case b.since.IsZero():
		b.since, b.last = now, firstDelay
	case now.Sub(b.since) < eagerPeriod:
		b.last = eagerDelay
	default:
		b.last = min(2*b.last, maxDelay)
	}
	if permanent {
		return spread(permanentDelay)
	}
	return spread(b.last)
}

// reset forgets the trouble.
func (b *backoff) reset() { *b = backoff{} }

// spread moves d by up to a fifth either way, so that cameras lost together are not all dialled together.
func spread(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 + jitter*(2*rand.Float64()-1)))
}
