package rtpin

import (
	"testing"
	"time"

	"sluice/media"
)

// layer is a track of a simulcast publisher: where its RTP clock began, how long its units travel, and when they
// are sent.
type layer struct {
	name   string
	kind   media.Kind
	zero   time.Duration
	travel time.Duration
	sends  func(at time.Duration) bool
	fast   int // by how much its clock gains, parts in a million

	*source
	reports int           // since it sends
	shift   time.Duration // of the PTS from the capture, of the latest unit
}

// publisher runs layers for a time. Each second every one that sends reports, and after each unit look is called.
func publisher(t *testing.T, layers []*layer, length time.Duration, look func(at time.Duration, l *layer, before time.Duration)) {
	t.Helper()
	shared := NewSynchronizer()
	for _, l := range layers {
		l.source = newSource(t, l.kind, shared)
	}
	for at := time.Duration(0); at < length; at += 20 * ms {
		for _, l := range layers {
			if !l.sends(at) {
				l.reports = 0
				continue
			}
			rtpTime := l.zero + at + at/1_000_000*time.Duration(l.fast)
			if at%time.Second == 500*ms {
				l.clock.reported(senderReport(wall.Add(at), rtpTime, l.rate), start.Add(at))
				l.reports++
			}
			before := l.shift
			l.shift = l.unit(rtpTime, at+l.travel) - at
			look(at, l, before)
		}
	}
}

func always(time.Duration) bool { return true }

func except(from, to time.Duration) func(time.Duration) bool {
	return func(at time.Duration) bool { return at < from || at >= to }
}

// E47, E48: layers and sound with RTP clocks of their own come to lie together once reports have come, and a layer
// that begins late, pauses or ends moves no other.
func TestLayersOfOnePublisher(t *testing.T) {
	const s = time.Second
	for name, layers := range map[string][]*layer{
		"all the time": {
			{name: "h", kind: media.Video, zero: 77 * s, travel: 90 * ms, sends: always},
			{name: "m", kind: media.Video, zero: 5 * s, travel: 30 * ms, sends: always},
			{name: "l", kind: media.Video, zero: 40000 * s, travel: 10 * ms, sends: always},
			{name: "a", kind: media.Audio, zero: 123 * s, travel: 5 * ms, sends: always},
		},
		"best late": {
			{name: "h", kind: media.Video, zero: 77 * s, travel: 90 * ms, sends: except(0, 5*s)},
			{name: "m", kind: media.Video, zero: 5 * s, travel: 30 * ms, sends: always},
			{name: "l", kind: media.Video, zero: 40000 * s, travel: 10 * ms, sends: always},
			{name: "a", kind: media.Audio, zero: 123 * s, travel: 5 * ms, sends: always},
		},
		"pauses": {
			{name: "h", kind: media.Video, zero: 77 * s, travel: 10 * ms, sends: except(5*s, 9*s)},
			{name: "m", kind: media.Video, zero: 5 * s, travel: 50 * ms, sends: except(12*s, 35*s)},
			{name: "l", kind: media.Video, zero: 40000 * s, travel: 90 * ms, sends: always},
			{name: "a", kind: media.Audio, zero: 123 * s, travel: 5 * ms, sends: always},
		},
		"leader pauses long": {
			{name: "h", kind: media.Video, zero: 77 * s, travel: 10 * ms, sends: except(5*s, 30*s)},
			{name: "m", kind: media.Video, zero: 5 * s, travel: 50 * ms, sends: always},
			{name: "a", kind: media.Audio, zero: 123 * s, travel: 5 * ms, sends: always},
		},
		"leader ends": {
			{name: "h", kind: media.Video, zero: 77 * s, travel: 10 * ms, sends: except(5*s, 1000*s)},
			{name: "m", kind: media.Video, zero: 5 * s, travel: 50 * ms, sends: always},
			{name: "a", kind: media.Audio, zero: 123 * s, travel: 5 * ms, sends: always, fast: 500},
		},
	} {
		t.Run(name, func(t *testing.T) {
			settled := map[*layer]int{}
			publisher(t, layers, 45*s, func(at time.Duration, l *layer, before time.Duration) {
				if l.reports < 2 {
					settled[l] = 0
					return
				}
				moved := l.shift - before
				if settled[l]++; settled[l] > 100 && (moved > ms || moved < -ms) {
					t.Fatalf("%v: %s moves by %v", at, l.name, moved)
				}
				for _, o := range layers {
					if d := l.shift - o.shift; settled[o] > 100 && settled[l] > 100 && o.sends(at) && (d > 10*ms || d < -10*ms) {
						t.Fatalf("%v: %s and %s are %v apart", at, l.name, o.name, d)
					}
				}
			})
			for _, l := range layers {
				if l.sends(44*s) && settled[l] < 100 {
					t.Errorf("%s never settled", l.name)
				}
			}
		})
	}
}

// A layer that led once and starts over does not take from the others what they follow.
func TestFormerLeaderStartsOver(t *testing.T) {
	shared := NewSynchronizer()
	first, second := newSource(t, media.Video, shared), newSource(t, media.Video, shared)
	first.clock.reported(senderReport(wall, 0, 90000), start)
	first.unit(0, 0)
	second.clock.reported(senderReport(wall, 0, 90000), start)
	second.unit(0, 0)
	second.unit(5*time.Second, 5*time.Second)
	second.unit(11*time.Second, 11*time.Second)
	first.clock.restart()
	if offset, ok := shared.leader(start.Add(11 * time.Second)); !ok || !near(start.Sub(wall), offset) {
		t.Errorf("offset %v, known is %v", offset, ok)
	}
}

// A track whose reports came before its first unit begins where they put it.
func TestReportsBeforeTheFirstUnit(t *testing.T) {
	shared := NewSynchronizer()
	first, second := newSource(t, media.Video, shared), newSource(t, media.Video, shared)
	first.clock.reported(senderReport(wall, 0, 90000), start)
	first.unit(0, 0)
	first.unit(time.Second, time.Second)
	second.clock.reported(senderReport(wall.Add(time.Second), 50*time.Second, 90000), start.Add(time.Second))
	if got := second.unit(50*time.Second, time.Second+150*ms); !near(got, time.Second) {
		t.Errorf("it begins at %v", got)
	}
}
