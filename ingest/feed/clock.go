package feed

import (
	"time"

	"sluice/media"
	"sluice/worker"
)

// clock turns a worker's time into PTS. It looks at our own clock once, so that intervals stay exact.
type clock struct {
	from int64     // ns of CLOCK_MONOTONIC
	at   time.Time // the same instant; zero before the first frame
}

func (c *clock) running() bool { return !c.at.IsZero() }

// pts is an instant of CLOCK_MONOTONIC, in ns, in ticks of rate Hz.
func (c *clock) pts(monotonic int64, rate int) int64 {
	if !c.running() {
		c.from, c.at = monotonic, worker.At(monotonic)
	}
	return media.PTS(c.at.Add(time.Duration(monotonic-c.from)), rate)
}
