package transcode

import (
	"slices"
	"time"

	"sluice/hub"
)

const (
	maxPace = 64 // pictures that a rate is measured of
	minPace = 5
	maxRate = 240 // pictures a second: more are a mistake
)

// pace measures how many pictures a second a source sends, by when they are to be shown.
type pace struct {
	times [maxPace]int64 // ns: of the newest pictures, the oldest of which gives way
	n     int            // so far
}

func (p *pace) add(u *hub.Unit) {
	p.times[p.n%maxPace] = nanoseconds(u.PTS, u.Track.ClockRate)
	p.n++
}

// rate is 0 while that can't be told. It goes by the median of the times between two: some that are
// lost, doubled or late don't count, nor the order in which they come.
func (p *pace) rate() int {
	times := slices.Clone(p.times[:min(p.n, maxPace)])
	slices.Sort(times)
	times = slices.Compact(times)
	if len(times) < minPace {
		return 0
	}
	gaps := make([]int64, 0, maxPace)
	for i := range times[1:] {
		gaps = append(gaps, times[i+1]-times[i])
	}
	slices.Sort(gaps)
	gap := gaps[len(gaps)/2]
	if gap < int64(time.Second)/maxRate {
		return 0
	}
	return max(1, int((int64(time.Second)+gap/2)/gap))
}
