package worker

import (
	"math/rand/v2"
	"time"
)

// healthy is for how long a worker has to run until its failures are forgotten.
const healthy = time.Minute

var delays = [...]time.Duration{0, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second}

// Backoff tells when to start a worker again that has ended. The zero value is ready for use; it belongs to one
// goroutine.
type Backoff struct {
	failures int
	last     time.Time
}

// Next returns how long to wait from now, when a worker that ran for ranFor has ended: 0, 0.5, 1, 2, 5 and from then
// on 10 s, all but the first up to a fifth longer or shorter. After a minute of health it begins again.
func (b *Backoff) Next(now time.Time, ranFor time.Duration) time.Duration {
	longest := delays[len(delays)-1]
	if ranFor >= healthy || now.Sub(b.last) >= healthy+longest {
		b.failures = 0
	}
	b.last = now
	d := delays[min(b.failures, len(delays)-1)]
	b.failures++
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
