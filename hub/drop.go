package hub

import "sync/atomic"

// DropReason says why a subscriber did not get a unit; it is the label of the metric.
type DropReason string

// The reasons for which units are dropped.
const (
	DropTooSlow         DropReason = "too_slow"         // fell out of the ring
	DropWaitingKeyframe DropReason = "waiting_keyframe" // joined, or came back, in the middle of a GOP
)

// DropReasons lists all reasons, in the order of their counters.
var DropReasons = [...]DropReason{DropTooSlow, DropWaitingKeyframe}

// dropCounters counts by reason without a lock.
type dropCounters [len(DropReasons)]atomic.Uint64

func (d *dropCounters) add(r DropReason, n uint64) {
	for i, reason := range DropReasons {
		if reason == r {
			d[i].Add(n)
		}
	}
}

func (d *dropCounters) snapshot() map[DropReason]uint64 {
	m := make(map[DropReason]uint64, len(d))
	for i, reason := range DropReasons {
		m[reason] = d[i].Load()
	}
	return m
}
