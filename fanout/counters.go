package fanout

import (
	"errors"
	"math"
	"sync/atomic"
)

// Stats is what a Fanout has counted over all viewers since it was made, and how it does now.
type Stats struct {
	Sessions    int    // now
	Handshakes  int    // under way or waiting now
	Completed   uint64 // handshakes
	Failed      uint64 // handshakes
	Refused     uint64 // handshakes that had to wait because too many were under way
	Replayed    uint64 // SRTCP packets that came again
	Forged      uint64 // SRTCP packets that no key of the session's opens
	Malformed   uint64 // RTCP packets that are authentic and can't be read to their end, or are too many
	FailedCheck uint64 // ICE checks without the session's password
	RTT         Histogram
	Loss        Histogram
}

// Histogram counts observations by upper bound, of all reports of all viewers.
type Histogram struct {
	Bounds []float64 // rising
	Counts []uint64  // one for each bound, not added up, and one for what is above all of them
	Sum    float64
}

var (
	rttBounds  = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5} // seconds
	lossBounds = []float64{0, .005, .01, .02, .05, .1, .2, .5}                     // of 1
)

type counters struct {
	completed, failed, refusedHandshakes     atomic.Uint64
	replayed, forged, malformed, failedCheck atomic.Uint64
	waiting                                  atomic.Int64

	rtt, loss histogram
}

func newCounters() *counters {
	return &counters{rtt: newHistogram(rttBounds), loss: newHistogram(lossBounds)}
}

func (c *counters) refused(err error) {
	if errors.Is(err, errReplayed) {
		c.replayed.Add(1)
		return
	}
	c.forged.Add(1)
}

// histogram is counted without a lock.
type histogram struct {
	bounds []float64 // fixed
	counts []atomic.Uint64
	sum    atomic.Uint64 // bits of a float64
}

func newHistogram(bounds []float64) histogram {
	return histogram{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

func (h *histogram) observe(v float64) {
	i := 0
	for i < len(h.bounds) && v > h.bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	for {
		old := h.sum.Load()
		if h.sum.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
			return
		}
	}
}

func (h *histogram) read() Histogram {
	out := Histogram{Bounds: h.bounds, Counts: make([]uint64, len(h.counts)), Sum: math.Float64frombits(h.sum.Load())}
	for i := range h.counts {
		out.Counts[i] = h.counts[i].Load()
	}
	return out
}
