package rtpin

import (
	"testing"
	"time"

	"github.com/pion/rtcp"

	"sluice/media"
)

const ms = time.Millisecond

// source feeds a clock of 90 kHz (video) or 8 kHz (audio) and checks what must hold for every unit.
type source struct {
	tb    testing.TB
	clock clock
	rate  int
	last  int64
	any   bool
}

func newSource(tb testing.TB, kind media.Kind, s *Synchronizer) *source {
	t := videoTrack(media.H264)
	if kind == media.Audio {
		t = audioTrack(media.PCMA, 8000)
	}
	return &source{tb: tb, clock: newClock(t, s), rate: t.ClockRate}
}

// unit stamps one and returns its PTS as time since the start.
func (s *source) unit(rtpTime time.Duration, arrived time.Duration) time.Duration {
	s.tb.Helper()
	ts := uint32(media.Ticks(rtpTime, s.rate))
	pts, ok := s.clock.stamp(ts, start.Add(arrived), start.Add(arrived))
	if !ok {
		return -1
	}
	if !s.clock.video && s.any && pts <= s.last {
		s.tb.Fatalf("PTS of audio goes from %d to %d", s.last, pts)
	}
	s.last, s.any = pts, true
	return media.Instant(pts, s.rate).Sub(start)
}

// near tells that a and b differ by a tick or two at most.
func near(a, b time.Duration) bool { return a-b < ms && b-a < ms }

// E46: wrap-around, jumps, what is a jump and what is not.
func TestTimestamps(t *testing.T) {
	const s = time.Second
	wrap := media.Duration(1<<32, 90000)
	type unit struct{ rtp, arrived, want time.Duration }
	for _, c := range []struct {
		name    string
		kind    media.Kind
		units   []unit
		resyncs uint64
	}{
		{"steady", media.Video, []unit{{5 * s, 0, 0}, {5*s + 40*ms, 50 * ms, 40 * ms}, {5*s + 80*ms, 80 * ms, 80 * ms}}, 0},
		{"wraps", media.Video, []unit{{wrap - 40*ms, 0, 0}, {wrap + 40*ms, 80 * ms, 80 * ms}}, 0},
		{"B-frames", media.Video, []unit{{s, 0, 0}, {s + 120*ms, 40 * ms, 120 * ms}, {s + 40*ms, 80 * ms, 40 * ms}, {s + 80*ms, 120 * ms, 80 * ms}}, 0},
		{"11 s ahead", media.Video, []unit{{s, 0, 0}, {12*s + 40*ms, 40 * ms, 40 * ms}, {12*s + 80*ms, 90 * ms, 80 * ms}}, 1},
		{"11 s back", media.Video, []unit{{100 * s, 0, 0}, {89 * s, 40 * ms, 40 * ms}, {89*s + 40*ms, 80 * ms, 80 * ms}}, 1},
		{"reset to 0", media.Audio, []unit{{100 * s, 0, 0}, {0, 20 * ms, 20 * ms}, {20 * ms, 40 * ms, 40 * ms}}, 1},
		{"3 s back", media.Video, []unit{{100 * s, 0, 0}, {97 * s, 40 * ms, 40 * ms}}, 1},
		{"600 ms back, audio", media.Audio, []unit{{100 * s, 0, 0}, {100*s - 600*ms, 20 * ms, 20 * ms}}, 1},
		{"20 ms back, audio", media.Audio, []unit{{100 * s, 0, 0}, {100*s - 20*ms, 20 * ms, 0}, {100*s + 40*ms, 40 * ms, 40 * ms}}, 0},
		{"a pause of 9 s", media.Video, []unit{{s, 0, 0}, {10 * s, 9 * s, 9 * s}}, 0},
		{"a pause of 20 s", media.Video, []unit{{s, 0, 0}, {21 * s, 20 * s, 20 * s}}, 1},
		{"one repeated", media.Video, []unit{{s, 0, 0}, {s, 40 * ms, 0}, {s + 80*ms, 80 * ms, 80 * ms}}, 0},
		{"frozen", media.Video, []unit{{s, 0, 0}, {s, 40 * ms, 0}, {s, 80 * ms, 40 * ms}, {s, 120 * ms, 80 * ms}, {9 * s, 160 * ms, 160 * ms}}, 1},
		{"frozen, audio", media.Audio, []unit{{0, 0, 0}, {0, 20 * ms, 0}, {0, 40 * ms, 20 * ms}, {0, 60 * ms, 40 * ms}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := newSource(t, c.kind, NewSynchronizer())
			for i, u := range c.units {
				if got := src.unit(u.rtp, u.arrived); !near(got, u.want) {
					t.Errorf("unit %d: PTS %v, want %v", i, got, u.want)
				}
			}
			if src.clock.resyncs != c.resyncs {
				t.Errorf("%d resyncs, want %d", src.clock.resyncs, c.resyncs)
			}
		})
	}
}

// E46: after a jump back the PTS never is one that was sent.
func TestJumpStaysMonotone(t *testing.T) {
	src := newSource(t, media.Video, NewSynchronizer())
	src.unit(10*time.Second, 0)
	ahead := src.unit(10*time.Second+400*ms, 10*ms)
	if got := src.unit(0, 20*ms); got <= ahead {
		t.Errorf("PTS %v after %v", got, ahead)
	}
}

// E49: a camera's clock that runs fast or slow lets PTS and arrival part by 500 ms at most, and audio never
// goes back. 200 ppm for 6 hours would be 4.3 s.
func TestDrift(t *testing.T) {
	for _, c := range []struct {
		name string
		ppm  int64
		most time.Duration // after the slew has settled
	}{
		{"exact", 0, 60 * ms},
		{"200 ppm fast", 200, 80 * ms},
		{"200 ppm slow", -200, 80 * ms},
		{"3000 ppm fast", 3000, 120 * ms},
		{"3000 ppm slow", -3000, 120 * ms},
		{"2 % fast", 20000, 600 * ms},
		{"2 % slow", -20000, 600 * ms},
	} {
		for _, kind := range []media.Kind{media.Video, media.Audio} {
			t.Run(c.name+" "+string(kind), func(t *testing.T) {
				src := newSource(t, kind, NewSynchronizer())
				worst, previous := time.Duration(0), time.Duration(-1)
				for at := time.Duration(0); at < 6*time.Hour; at += 100 * ms {
					jitter := at / 100 * 7919 % (23 * ms)
					got := src.unit(at+at/1000000*time.Duration(c.ppm), at+jitter)
					if got <= previous {
						t.Fatalf("PTS goes from %v to %v", previous, got)
					}
					previous = got
					worst = max(worst, got-at-jitter, at+jitter-got)
				}
				if worst > c.most {
					t.Errorf("PTS and arrival were %v apart", worst)
				}
			})
		}
	}
}

// E49: a network that stalls for a moment moves nothing; a delay that stays does.
func TestStall(t *testing.T) {
	for _, c := range []struct {
		name  string
		stays bool
	}{{"moment", false}, {"stays", true}} {
		src := newSource(t, media.Video, NewSynchronizer())
		var got time.Duration
		for at := time.Duration(0); at < 60*time.Second; at += 40 * ms {
			arrived := at
			if at >= 20*time.Second && (c.stays || at < 21500*ms) {
				arrived = max(21500*ms, at)
				if c.stays {
					arrived = at + 1500*ms
				}
			}
			got = src.unit(at, arrived) - arrived
		}
		if got > 20*ms || got < -20*ms {
			t.Errorf("%s: at the end PTS is %v from arrival", c.name, got)
		}
	}
}

// A server that sends its buffer at once is bounded too, in order.
func TestBurst(t *testing.T) {
	src := newSource(t, media.Video, NewSynchronizer())
	previous := time.Duration(-1)
	for i := range 75 { // 3 s within 75 ms
		got := src.unit(time.Duration(i)*40*ms, time.Duration(i)*ms)
		if got <= previous || got > 600*ms {
			t.Fatalf("unit %d: PTS %v after %v", i, got, previous)
		}
		previous = got
	}
}

// wall is the sender's clock of the tests at the start.
var wall = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func senderReport(ntp time.Time, rtpTime time.Duration, rate int) *rtcp.SenderReport {
	v := uint64(ntp.Unix()+ntpUnixOffset) << 32
	v |= uint64(ntp.Nanosecond()) << 32 / uint64(time.Second)
	return &rtcp.SenderReport{NTPTime: v, RTPTime: uint32(media.Ticks(rtpTime, rate))}
}

// E47: audio goes to where the reports of both tracks put it, by 5 ms a unit, or at once if it is far.
func TestSync(t *testing.T) {
	for _, c := range []struct {
		name   string
		offset time.Duration // audio was captured that much before it seemed by its arrival
		units  int
		want   time.Duration // from what its own arrival gave
	}{
		{"as it was", 0, 50, 0},
		{"early, one unit", 100 * ms, 1, -5 * ms},
		{"early, settled", 100 * ms, 50, -100 * ms},
		{"late, one unit", -100 * ms, 1, 5 * ms},
		{"late, settled", -100 * ms, 50, 100 * ms},
		{"late, jump", -700 * ms, 1, 700 * ms},
		{"early, jump", 700 * ms, 50, -700 * ms},
		{"another hour", time.Hour + time.Minute, 50, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			sync := NewSynchronizer()
			video, audio := newSource(t, media.Video, sync), newSource(t, media.Audio, sync)
			for at := time.Duration(0); at < time.Second; at += 20 * ms {
				video.unit(7*time.Second+at, at)
				audio.unit(3*time.Second+at, at)
			}
			video.clock.reported(senderReport(wall, 7*time.Second, 90000), start.Add(time.Second))
			audio.clock.reported(senderReport(wall.Add(-c.offset), 3*time.Second, 8000), start.Add(time.Second))
			var got time.Duration
			for i := range c.units {
				at := time.Second + time.Duration(i)*20*ms
				if v := video.unit(7*time.Second+at, at); !near(v, at) {
					t.Fatalf("video moved by %v", v-at)
				}
				got = audio.unit(3*time.Second+at, at) - at
			}
			if !near(got, c.want) {
				t.Errorf("audio moved by %v, want %v", got, c.want)
			}
			if ntp := video.clock.ntp(); !near(ntp.Sub(wall), time.Second+time.Duration(c.units-1)*20*ms) {
				t.Errorf("NTP time of video is %v after its report", ntp.Sub(wall))
			}
		})
	}
}

// E47, J121, J145: reports that are not believed.
func TestReports(t *testing.T) {
	good := senderReport(wall, time.Second, 90000)
	for _, c := range []struct {
		name string
		srs  []*rtcp.SenderReport
		want bool
	}{
		{"none", nil, false},
		{"good", []*rtcp.SenderReport{good}, true},
		{"twice the same", []*rtcp.SenderReport{good, good}, true},
		{"NTP 0", []*rtcp.SenderReport{{RTPTime: 90000}}, false},
		{"1970", []*rtcp.SenderReport{senderReport(time.Unix(100, 0), time.Second, 90000)}, false},
		{"2000", []*rtcp.SenderReport{senderReport(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Second, 90000)}, false},
		{"uptime as NTP time", []*rtcp.SenderReport{{NTPTime: 1000 << 32, RTPTime: 90000}}, false},
		{"years ahead", []*rtcp.SenderReport{senderReport(time.Now().AddDate(3, 0, 0), time.Second, 90000)}, false},
		{"backwards", []*rtcp.SenderReport{good, senderReport(wall.Add(-time.Second), 2*time.Second, 90000)}, false},
		{"believed again", []*rtcp.SenderReport{
			good, senderReport(wall.Add(-time.Minute), 2*time.Second, 90000), senderReport(wall.Add(-50*time.Second), 3*time.Second, 90000),
		}, true},
		{"nonsense keeps the good one", []*rtcp.SenderReport{good, {}}, true},
		{"RTP time far off", []*rtcp.SenderReport{senderReport(wall, time.Hour, 90000)}, false},
	} {
		for _, before := range []bool{false, true} {
			src := newSource(t, media.Video, NewSynchronizer())
			if !before {
				src.unit(time.Second, 0)
			}
			for _, sr := range c.srs {
				src.clock.reported(sr, time.Now())
			}
			if before {
				src.unit(time.Second, 0)
			}
			if got := !src.clock.ntp().IsZero(); got != c.want {
				t.Errorf("%s (before the first unit: %v): believed is %v", c.name, before, got)
			}
		}
	}
}

// The era of an NTP timestamp is the one that fits the day (RFC 5905 6).
func TestNTPTime(t *testing.T) {
	for _, c := range []struct {
		v    uint64
		near time.Time
		want time.Time
	}{
		{0xe9a2_c600_8000_0000, time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC), time.Unix(0xe9a2_c600-ntpUnixOffset, 5e8)},
		{100 << 32, time.Date(2036, 3, 1, 0, 0, 0, 0, time.UTC), time.Unix(100+ntpEra-ntpUnixOffset, 0)},
		{0xffff_fff0 << 32, time.Date(2036, 3, 1, 0, 0, 0, 0, time.UTC), time.Unix(0xffff_fff0-ntpUnixOffset, 0)},
	} {
		if got := ntpTime(c.v, c.near); !got.Equal(c.want) {
			t.Errorf("%x near %v: %v, want %v", c.v, c.near, got, c.want)
		}
	}
}
