package gateway

import (
	"cmp"
	"context"
	"slices"
	"time"

	"sluice/hub"
	"sluice/media"
)

const (
	enoughKeyframes = 3               // two intervals between them
	enoughTime      = 3 * time.Second // of pictures, or of sound where there are none
)

// probed is what was seen of a stream.
type probed struct {
	url       string        // redacted
	announced []media.Track // as they were published; written by the source, read after its end
	tracks    []media.Track // as they were known in the end; likewise
	way       *probeWay     // nil: it does not tell
	ended     error         // why the source ended before it was told to; nil: it did not

	began time.Time
	units map[string]*probeUnits // by the track's ID; nil: nothing came
}

// probeWay is how packets came.
type probeWay struct {
	transport     string // "udp", "tcp"
	packets, lost uint64
}

// probeUnits is what was seen of one track.
type probeUnits struct {
	kind      media.Kind
	clock     int // Hz
	bytes     int
	times     []int64         // PTS, as they came
	arrived   []time.Duration // of each, since the probe began
	keyframes []time.Duration // likewise
}

// follow reads units until enough were seen, watch is over, or nothing comes.
func (p *probed) follow(ctx context.Context, sub *hub.Subscriber, watch time.Duration) {
	if !p.next(ctx, sub, p.began.Add(probeConnect)) {
		return
	}
	for end := time.Now().Add(watch); !p.enough(); {
		if !p.next(ctx, sub, end) {
			return
		}
	}
}

// next takes one more unit, and reports whether one came in time.
func (p *probed) next(ctx context.Context, sub *hub.Subscriber, end time.Time) bool {
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	u, err := sub.Next(ctx)
	if err == nil {
		p.take(u.AccessUnit, *u.Track)
	}
	return err == nil
}

func (p *probed) take(au *media.AccessUnit, t media.Track) {
	if p.units == nil {
		p.units = make(map[string]*probeUnits)
	}
	s, ok := p.units[t.ID]
	if !ok {
		s = &probeUnits{kind: t.Kind, clock: t.ClockRate}
		p.units[t.ID] = s
	}
	s.times, s.arrived = append(s.times, au.PTS), append(s.arrived, au.Arrived.Sub(p.began))
	s.bytes += au.Size()
	if au.Keyframe && t.Kind == media.Video {
		s.keyframes = append(s.keyframes, au.Arrived.Sub(p.began))
	}
}

// enough reports whether more would tell nothing new.
func (p *probed) enough() bool {
	pictures := false
	for _, s := range p.units {
		if s.kind == media.Video {
			pictures = true
			if len(s.keyframes) < enoughKeyframes || s.span() < enoughTime {
				return false
			}
		}
	}
	if pictures {
		return true
	}
	for _, s := range p.units {
		if s.span() >= enoughTime {
			return true
		}
	}
	return false
}

// span is the time between the first and the last unit, as their timestamps have it.
func (s *probeUnits) span() time.Duration {
	if len(s.times) == 0 {
		return 0
	}
	return media.Duration(slices.Max(s.times)-slices.Min(s.times), s.clock)
}

// rate is the units of a second, by what lies between most of them: a server may send its first ones in a hurry. It
// is 0 if too few came to tell.
func (s *probeUnits) rate() float64 {
	times := slices.Sorted(slices.Values(s.times))
	var gaps []int64
	for i := 1; i < len(times); i++ {
		gaps = append(gaps, times[i]-times[i-1])
	}
	slices.Sort(gaps)
	if len(gaps) == 0 || gaps[len(gaps)/2] == 0 {
		return 0
	}
	return float64(s.clock) / float64(gaps[len(gaps)/2])
}

// bits is the bits of a second; 0 if too few units came to tell.
func (s *probeUnits) bits() float64 {
	return float64(8*s.bytes) / float64(max(len(s.times), 1)) * s.rate()
}

// pace is how fast the timestamps go: 1 is as fast as the clock on the wall. It goes by the units that came the
// soonest, one of the first half and one of the second: a server may hold its first ones back, and a busy machine any.
func (s *probeUnits) pace() float64 {
	if len(s.times) < 2 {
		return 1
	}
	half := len(s.times) / 2
	first, last := s.soonest(0, half), s.soonest(half, len(s.times))
	if last <= first || s.arrived[last]-s.arrived[first] < time.Second {
		return 1
	}
	return float64(s.at(last)-s.at(first)) / float64(s.arrived[last]-s.arrived[first])
}

// soonest is the unit from i up to j that came with the least delay.
func (s *probeUnits) soonest(i, j int) int {
	best := i
	for ; i < j; i++ {
		if s.arrived[i]-s.at(i) < s.arrived[best]-s.at(best) {
			best = i
		}
	}
	return best
}

// at is the timestamp of a unit, as time.
func (s *probeUnits) at(i int) time.Duration { return media.Duration(s.times[i], s.clock) }

// intervals are the times between keyframes, from the shortest to the longest.
func (s *probeUnits) intervals() []time.Duration {
	var all []time.Duration
	for i := 1; i < len(s.keyframes); i++ {
		all = append(all, s.keyframes[i]-s.keyframes[i-1])
	}
	slices.SortFunc(all, cmp.Compare[time.Duration])
	return all
}
