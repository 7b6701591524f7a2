package transcode

import "time"

// nanoseconds converts ticks of a clock of rate Hz, rounded to the nearest; ticks gives the same ticks back for any
// rate up to 1 GHz.
func nanoseconds(ticks int64, rate int) int64 { return scale(ticks, int64(rate), int64(time.Second)) }

// ticks is the inverse of nanoseconds.
func ticks(ns int64, rate int) int64 { return scale(ns, int64(time.Second), int64(rate)) }

// scale is n × to / from, rounded to the nearest, without overflow of what is between.
func scale(n, from, to int64) int64 {
	whole, rest := n/from, n%from
	if rest < 0 {
		whole, rest = whole-1, rest+from
	}
	return whole*to + (rest*to+from/2)/from
}

// maxDrift is how far counted sound may be from the time that the worker tells.
const maxDrift = 40 * time.Millisecond

// soundClock stamps sound by counting samples, since encoders tell the time of their packets only roughly.
type soundClock struct {
	rate    int // Hz
	next    int64
	running bool
}

// stamp is the PTS, in ticks, of a packet of so many samples that a worker says begins at ns. The count is given up
// only when it has drifted from what the worker says, as after a gap.
func (c *soundClock) stamp(ns int64, samples int) int64 {
	at := ticks(ns, c.rate)
	off := time.Duration(nanoseconds(at-c.next, c.rate)).Abs()
	if !c.running || off > maxDrift {
		c.next, c.running = at, true
	}
	pts := c.next
	c.next += int64(samples)
	return pts
}
