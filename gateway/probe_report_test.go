package gateway

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/media"
)

// watched is a stream of one H264 picture of 25 fps and one sound, of which keyframes came at the given times.
func watched(keyframes ...time.Duration) *probed {
	tracks := []media.Track{
		{ID: "video", Kind: media.Video, Codec: media.H264, ClockRate: 90000, Width: 640, Height: 360, ParameterSets: [][]byte{{0x67}, {0x68}}},
		{ID: "audio", Kind: media.Audio, Codec: media.PCMA, ClockRate: 8000, Channels: 1},
	}
	p := &probed{url: "rtsp://camera/", announced: tracks, tracks: slices.Clone(tracks), way: &probeWay{transport: "tcp", packets: 7}, began: time.Now()}
	for i := range 101 {
		at := time.Duration(i) * 40 * time.Millisecond
		p.take(&media.AccessUnit{PTS: media.Ticks(at, 90000), Arrived: p.began.Add(at), Data: [][]byte{make([]byte, 1000)}}, tracks[0])
		p.take(&media.AccessUnit{PTS: media.Ticks(at, 8000), Arrived: p.began.Add(at), Keyframe: true, Data: [][]byte{make([]byte, 320)}}, tracks[1])
	}
	p.units["video"].keyframes = keyframes
	return p
}

// run has the clock of a track run at n/m of its speed.
func (s *probeUnits) run(n, m int64) {
	for i := range s.times {
		s.times[i] = s.times[i] * n / m
	}
}

// What is found of a stream's health, line by line.
func TestProbeFindings(t *testing.T) {
	good := func() *probed { return watched(time.Second, 3*time.Second, 5*time.Second) }
	for _, c := range []struct {
		name   string
		change func(p *probed)
		want   string // a line of the report
	}{
		{"first keyframe", func(*probed) {}, "ok first keyframe 1.0 s after the connection was begun"},
		{"late keyframe", func(p *probed) { p.units["video"].keyframes[0] = 6 * time.Second }, "!! first keyframe 6.0 s after"},
		{"interval", func(*probed) {}, "ok a keyframe every 2.0 s"},
		{"uneven interval", func(p *probed) { p.units["video"].keyframes[1] = 2 * time.Second }, "ok a keyframe every 3.0 s (1.0 s to 3.0 s)"},
		{"long interval", func(p *probed) { p.units["video"].keyframes[2] = 9 * time.Second }, "!! a keyframe every 6.0 s (2.0 s to 6.0 s): set"},
		{"one keyframe", func(p *probed) { p.units["video"].keyframes = []time.Duration{0} }, "!! no second keyframe within 4.0 s: set"},
		{"no keyframe", func(p *probed) { p.units["video"].keyframes = nil }, "!! no keyframe came"},
		{"plain pictures", func(*probed) {}, "ok no B-frames"},
		{"B-frames", func(p *probed) { p.tracks[0].BFrames = true }, "!! The camera sends H.264 with B-frames, which browsers cannot show over WebRTC. Turn B-frames off"},
		{"interlaced", func(p *probed) { p.tracks[0].Interlaced = true }, "!! The camera sends H.264 with interlaced pictures, which"},
		{"unusual", func(p *probed) { p.tracks[0].Unusual = "data partitioning" }, "!! The camera sends H.264 with data partitioning, which"},
		{"4:2:2", func(p *probed) { p.tracks[0].Profile = media.VideoProfile{ChromaFormat: 2, Known: true} }, "!! The camera sends H.264 with 4:2:2 colour, which"},
		{"10 bit", func(p *probed) { p.tracks[0].BitDepth = 10 }, "!! The camera sends H.264 with 10 bits per sample, which"},
		{"level 6.2", func(p *probed) {
			p.tracks[0].Profile = media.VideoProfile{ChromaFormat: 1, Known: true, ProfileLevelID: [3]byte{0x64, 0, 62}}
		}, "!! The camera sends H.264 of level 6.2, which is more than browsers can show. Choose a smaller picture"},
		{"parameter sets announced", func(*probed) {}, "ok parameter sets in the session description"},
		{"parameter sets in band", func(p *probed) {
			p.announced = []media.Track{{ID: "video", Kind: media.Video, Codec: media.H264}}
		}, "ok parameter sets in the stream alone"},
		{"sound clock", func(*probed) {}, "ok the sound's clock of 8000 Hz keeps time"},
		{"sound clock too fast", func(p *probed) { p.units["audio"].run(2, 1) }, "!! the sound's clock of 8000 Hz runs at 200 %"},
		{"sound clock too slow", func(p *probed) { p.units["audio"].run(1, 2) }, "!! the sound's clock of 8000 Hz runs at 50 %"},
		{"no sound", func(p *probed) { delete(p.units, "audio") }, "!! sound is announced, but none came"},
		{"no loss", func(*probed) {}, "ok 7 packets over TCP, none lost"},
		{"loss", func(p *probed) { p.way = &probeWay{transport: "udp", packets: 7, lost: 3} }, "!! 3 of 10 packets were lost over UDP"},
		{"ended", func(p *probed) { p.ended = errors.New("the camera hung up") }, "!! the source ended by itself: the camera hung up"},
	} {
		p := good()
		c.change(p)
		var lines []string
		for _, f := range p.findings() {
			lines = append(lines, map[bool]string{false: "ok ", true: "!! "}[f.bad]+f.text)
		}
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, c.want) }) {
			t.Errorf("%s: no %q in %q", c.name, c.want, lines)
		}
	}
}

func TestProbeFigures(t *testing.T) {
	p := watched(0, 2*time.Second, 4*time.Second)
	if got := strings.Join(p.figures(p.tracks[0]), ", "); got != "25 fps, 200 kbit/s" {
		t.Errorf("picture: %s", got)
	}
	if got := strings.Join(p.figures(p.tracks[1]), ", "); got != ", 64 kbit/s" {
		t.Errorf("sound: %s", got)
	}
	for i := range 20 { // sent in a hurry
		p.units["video"].times[i] = p.units["video"].times[20] - int64(20-i)*450
	}
	if got := strings.Join(p.figures(p.tracks[0]), ", "); got != "25 fps, 200 kbit/s" {
		t.Errorf("picture after a burst: %s", got)
	}
	if got := p.figures(media.Track{ID: "video2"}); !slices.Equal(got, []string{"nothing came"}) {
		t.Errorf("silent: %q", got)
	}
	if !p.enough() {
		t.Error("three keyframes in four seconds are not enough")
	}
	if watched(0, 2*time.Second).enough() {
		t.Error("two keyframes are enough")
	}
	if s := (&probeUnits{clock: 90000, times: []int64{7}, arrived: []time.Duration{9}}); s.rate() != 0 || s.bits() != 0 || s.pace() != 1 {
		t.Errorf("of one unit: %v %v %v", s.rate(), s.bits(), s.pace())
	}
}

// Sound that comes late now and then is no sound whose clock is wrong.
func TestPace(t *testing.T) {
	const late = 300 * time.Millisecond
	for name, c := range map[string]struct {
		speed float64
		delay func(i int) time.Duration
	}{
		"in time":            {1, func(int) time.Duration { return 0 }},
		"the first held":     {1, func(i int) time.Duration { return max(late-time.Duration(i)*20*time.Millisecond, 0) }},
		"the last held":      {1, func(i int) time.Duration { return max(late-time.Duration(149-i)*20*time.Millisecond, 0) }},
		"each third late":    {1, func(i int) time.Duration { return time.Duration(i%3) * late }},
		"too fast":           {1.1, func(int) time.Duration { return 0 }},
		"too slow, and late": {0.5, func(i int) time.Duration { return time.Duration(i%3) * 10 * time.Millisecond }},
	} {
		s := &probeUnits{clock: 8000}
		for i := range 150 {
			s.times = append(s.times, int64(float64(160*i)*c.speed))
			s.arrived = append(s.arrived, time.Duration(i)*20*time.Millisecond+c.delay(i))
		}
		if got := s.pace(); math.Abs(got-c.speed) > 0.02 {
			t.Errorf("%s: %.3f, want %.2f", name, got, c.speed)
		}
	}
}

// Tracks that are not carried, and a source of which nothing fits, are in the report too.
func TestReportOfOddTracks(t *testing.T) {
	p := watched(0, 2*time.Second, 4*time.Second)
	p.tracks = append(p.tracks, media.Track{ID: "data", Kind: media.Data, Skipped: "The camera's ONVIF metadata is not carried."})
	viewers, err := expectViewers(p.tracks)
	if err != nil {
		t.Fatal(err)
	}
	viewers[0].with.err = errors.New("nothing fits")
	var b strings.Builder
	if err := reportProbe(&b, p, viewers); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"data   not carried: The camera's ONVIF", "refused", "  Chromium 156: nothing fits\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if err := reportProbe(failingWriter{}, p, viewers); err == nil {
		t.Error("a terminal that is gone is no error")
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("gone") }

// The transcoder is credited with nothing that it can't do: sound in AAC whose configuration is not known is lost.
func TestProbeExpectsNoMiracle(t *testing.T) {
	p := watched(0)
	p.tracks[1] = media.Track{ID: "audio", Kind: media.Audio, Codec: media.AAC, ClockRate: 48000, Channels: 2}
	for _, c := range []struct {
		configured bool
		want       string
	}{{false, "none"}, {true, "Opus made of AAC"}} {
		if c.configured {
			p.tracks[1].ParameterSets = [][]byte{{0x11, 0x90}}
		}
		viewers, err := expectViewers(p.tracks)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range viewers {
			if got := v.with.cell(media.Audio); got != c.want {
				t.Errorf("%s, configuration known: %v: %s, want %s", v.name, c.configured, got, c.want)
			}
		}
	}
}
