package session

import (
	"time"

	"sluice/rtpout"
)

// The signs that a decoder can't show what it is sent (F40): it has had so many keyframes, what got lost does not
// explain it, and still it wants so many more in this time.
const (
	doubtKeyframes = 2
	doubtWishes    = 3
	doubtTime      = 5 * time.Second
)

// fewResends is the part of the packets that viewers may ask for again without going short of a picture: 5 %. Wi-Fi
// has such losses all the time; they are mended within a round trip.
const fewResends = 20

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
	case d.since.IsZero(), now.Sub(d.since) > doubtTime, d.lost(s):
		d.since, d.first = now, s
		return false
	}
	return s.Wishes-d.first.Wishes >= doubtWishes
}

// lost reports whether what has got lost since the counting began explains wishes: packets that have not been sent
// again, or many that have.
func (d *doubt) lost(s rtpout.Stats) bool {
	asked := s.Resends - d.first.Resends
	answered := s.Resent - d.first.Resent
	return answered < asked || asked*fewResends > s.Packets-d.first.Packets
}
