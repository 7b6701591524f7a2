package session

import (
	"time"

	"sluice/rtpout"
)

// The signs that a decoder can't show what it is sent (F40): it has had so many keyframes, nothing has got lost, and
// still it wants so many more in this time.
const (
	doubtKeyframes = 2
	doubtWishes    = 3
	doubtTime      = 5 * time.Second
)

// doubt watches a viewer for these signs. It belongs to one goroutine.
type doubt struct {
	since time.Time // when the counting began; zero: not yet
	first rtpout.Stats
}

// grows takes in what the viewer has been sent by now, and reports whether it can't show it. It is asked about once a
// second.
func (d *doubt) grows(now time.Time, s rtpout.Stats) bool {
	switch {
	case s.Keyframes < doubtKeyframes:
		return false
	case d.since.IsZero(), now.Sub(d.since) > doubtTime, s.Resends != d.first.Resends:
		d.since, d.first = now, s // what is lost explains wishes
		return false
	}
	return s.Wishes-d.first.Wishes >= doubtWishes
}
