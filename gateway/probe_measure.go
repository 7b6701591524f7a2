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
	kind         media.Kind
	clock        int // Hz
	bytes        int
	times        []int64         // PTS, as they came
	began, heard time.Time       // when the first and the latest unit arrived
	keyframes    []time.Duration // since the probe began
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
		s = &probeUnits{kind: t.Kind, clock: t.ClockRate, began: au.Arrived}
		p.units[t.ID] = s
	}
	s.times, s.heard = append(s.times, au.PTS), au.Arrived
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

// pace is how fast the timestamps go: 1 is as fast as the clock on the wall.
func (s *probeUnits) pace() float64 {
	if real := s.heard.Sub(s.began); real > 0 {
		return s.span().Seconds() / real.Seconds()
	}
	return 1
}

// intervals are the times between keyframes, from the shortest to the longest.
func (s *probeUnits) intervals() []time.Duration {
	var all []time.Duration
	for i := 1; i < len(s.keyframes); i++ {
		all = append(all, s.keyframes[i]-s.keyframes[i-1])
	}
	slices.SortFunc(all, cmp.Compare[time.Duration])
	return all
}
