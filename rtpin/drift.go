package rtpin

import (
	"time"

	"sluice/media"
)

const (
	driftBucket  = time.Second
	driftBuckets = 8                     // the long window
	stuckBuckets = 2                     // as long may a network stall before its units are late for good
	driftSlack   = 40 * time.Millisecond // not worth correcting
	noOffset     = int64(1<<63 - 1)      // of a bucket without units
)

// drift watches how much later than its PTS each unit arrives. The least of a window is free of jitter: when
// it grows or falls, the camera's clock and ours run apart.
type drift struct {
	least [driftBuckets]int64 // oldest first, of whole buckets
	full  int                 // how many of them are filled
	now   int64               // least of the bucket at hand
	since time.Time           // its start
}

func (d *drift) reset() { *d = drift{} }

// observe takes how late a unit is, in ticks, and returns by how much to move the PTS of this and later ones.
func (d *drift) observe(late int64, at time.Time, rate int) int64 {
	if d.since.IsZero() {
		d.since, d.now = at, noOffset
	}
	if at.Sub(d.since) < driftBucket {
		d.now = min(d.now, late)
		return 0
	}
	copy(d.least[:], d.least[1:])
	d.least[driftBuckets-1] = d.now
	d.full = min(d.full+1, driftBuckets)
	d.since, d.now = at, late
	move := d.move(rate)
	for i := range d.least {
		d.least[i] -= move
	}
	d.now -= move
	return move
}

func (d *drift) move(rate int) int64 {
	if late := d.lowest(stuckBuckets); d.full >= stuckBuckets && late > media.Ticks(maxOffset, rate) {
		d.full = 0 // what was before says nothing of what comes
		return late
	}
	late, slack, step := d.lowest(driftBuckets), media.Ticks(driftSlack, rate), media.Ticks(slewStep, rate)
	if d.full < driftBuckets || late <= slack && late >= -slack {
		return 0
	}
	return min(max(late, -step), step)
}

// lowest is the least of the latest n buckets.
func (d *drift) lowest(n int) int64 {
	low := noOffset
	for _, v := range d.least[driftBuckets-n:] {
		low = min(low, v)
	}
	return low
}
