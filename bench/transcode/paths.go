//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"sluice/internal/testviewer"
	"sluice/media"
)

// path is one way from a camera to a viewer.
type path struct {
	name   string
	clip   string
	sound  media.Codec // beside the picture; what is looked at then is the sound
	stream string      // lines of the stream's configuration
	query  string      // what the viewer wishes
	passed bool        // nothing is made anew
	peer   bool        // by ffmpeg
	holds  bool        // what is held back is counted too
}

// Those that targets and ratios are told of.
const (
	passedOn = "H264 720p, passed on"
	h265Name = "H265 720p → H264"
	peerName = "the same by ffmpeg, at its output"
)

func paths() []path {
	return []path{
		{name: passedOn, clip: "h264", passed: true},
		{name: h265Name, clip: "h265"},
		{name: peerName, clip: "h265", peer: true},
		{name: "H265 1080p → H264", clip: "h265-hd"},
		{name: "Motion JPEG 720p → H264", clip: "mjpeg"},
		{name: "MPEG-4 720p → H264", clip: "mpeg4"},
		{name: "H264 720p with 2 B-frames → H264", clip: "b-frames"},
		{name: "H264 720p → 360p", clip: "h264", stream: "renditions.low.height = 360", query: "?maxwidth=640"},
		{name: "H264 720p with a clock → H264", clip: "h264", stream: `process = "clockoverlay"`},
		{name: "PCMU, passed on", clip: "h264", sound: media.PCMU, passed: true},
		{name: "PCMU → Opus", clip: "h264", sound: media.PCMU},
		{name: "AAC → Opus", clip: "h264", sound: media.AAC},
	}
}

// offer is what a viewer of the path offers: as a browser, but that only a codec that it is about is left of sound.
func (p path) offer() testviewer.Options {
	o := testviewer.Options{Video: []testviewer.Codec{testviewer.VP8, testviewer.VP9, testviewer.H264}}
	switch {
	case p.passed && p.sound == media.PCMU:
		o.Audio = []testviewer.Codec{testviewer.PCMU}
	case p.sound != "":
		o.Audio = []testviewer.Codec{testviewer.Opus}
	}
	return o
}

// soundRate is that of the sound's time stamps at the viewer, in Hz.
func (p path) soundRate() int {
	if p.passed {
		return 8000
	}
	return 48000
}

// scene is a path on which pictures flow.
type scene struct {
	film     *film
	endpoint string        // of WHEP; "": of ffmpeg
	seen     func() []came // pictures
	sounds   func() *sounds
	workers  []int // process IDs
	gateway  int   // process ID; 0: none
	close    func()
}

// figures are those of one path in one round.
type figures struct {
	latency []time.Duration
	worker  float64 // share of one core
	gateway float64
	memory  float64 // MiB of the workers
	held    int
}

const firstWithin = 20 * time.Second

// measurePaths is the table of all paths, which take turns.
func (b *bench) measurePaths(ctx context.Context) error {
	t := newPathTable()
	for n := range b.rounds {
		for _, p := range paths() {
			p.holds = n == 0 && p.sound == ""
			f, err := b.measurePath(ctx, p)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				fmt.Fprintf(os.Stderr, "%s: %v\n", p.name, err)
				continue
			}
			t.add(p.name, f)
		}
	}
	t.print()
	t.judge(&b.targets)
	return nil
}

func (b *bench) measurePath(ctx context.Context, p path) (figures, error) {
	clip, err := b.clip(ctx, p.clip, p.sound)
	if err != nil {
		return figures{}, err
	}
	f, err := startFilm(ctx, clip)
	if err != nil {
		return figures{}, err
	}
	defer f.stop()
	open := b.openScene
	if p.peer {
		open = b.openPeer
	}
	s, err := open(ctx, p, f)
	if err != nil {
		return figures{}, err
	}
	defer s.close()
	if err := wait(ctx, b.settle); err != nil {
		return figures{}, err
	}
	return b.look(ctx, p, s)
}

// openScene starts a gateway with one viewer.
func (b *bench) openScene(ctx context.Context, p path, f *film) (*scene, error) {
	g, err := b.startGateway(ctx, options{source: f.url, linger: time.Second, stream: p.stream})
	if err != nil {
		return nil, err
	}
	v, err := join(ctx, g.whep(p.query), p.offer())
	if err != nil {
		g.stop()
		return nil, err
	}
	s := &scene{film: f, endpoint: g.whep(p.query), seen: v.video.seen, sounds: v.sounds, gateway: g.cmd.Process.Pid, close: func() { v.leave(ctx); g.stop() }}
	if _, err = v.video.playable(ctx, v.asked, firstWithin); err == nil && p.sound != "" {
		_, err = v.sound.await(ctx, firstWithin, func(came) bool { return true })
	}
	if err == nil {
		s.workers, err = g.workers(ctx, p.passed)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// workers are the processes that work, of which there is exactly one unless the stream is passed on.
func (g *gateway) workers(ctx context.Context, passed bool) ([]int, error) {
	all, err := g.transcodes(ctx)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, t := range all {
		if t.State != "running" || t.PID == 0 {
			return nil, fmt.Errorf("an encoder of the %s is %s: %s", t.Kind, t.State, t.Error)
		}
		pids = append(pids, t.PID)
	}
	if want := map[bool]int{true: 0, false: 1}[passed]; len(pids) != want {
		return nil, fmt.Errorf("%d encoders run, not %d", len(pids), want)
	}
	return pids, nil
}

// look measures for a window, and then what is held when the camera pauses.
func (b *bench) look(ctx context.Context, p path, s *scene) (figures, error) {
	from := time.Now()
	l, err := s.load(ctx, b.window)
	if err != nil {
		return figures{}, err
	}
	to := time.Now()
	pauses, err := b.pause(ctx, p, s)
	if err != nil {
		return figures{}, err
	}
	text, err := newScript(s.film.sentOf(media.Video), between(s.seen(), from, time.Now()))
	if err != nil {
		return figures{}, err
	}
	f := figures{worker: l.workers, gateway: l.gateway, memory: l.memory}
	if p.sound != "" {
		f.latency, err = text.soundTook(s.film.sentOf(media.Audio), s.film.soundRate(), s.sounds(), p.soundRate(), from, to)
		return f, err
	}
	f.latency = text.took(between(s.seen(), from, to))
	for _, end := range pauses {
		f.held = max(f.held, text.held(s.seen(), end))
	}
	return f, nil
}

// pauseFor is much longer than any picture may be on its way, and inBetween lets several GOPs' places be tried.
const (
	pauseFor  = 500 * time.Millisecond
	inBetween = 430 * time.Millisecond
)

// pause has the camera pause some times and returns the ends.
func (b *bench) pause(ctx context.Context, p path, s *scene) ([]time.Time, error) {
	if !p.holds {
		return nil, nil
	}
	var ends []time.Time
	for range b.holds {
		end, err := s.film.hold(ctx, pauseFor)
		if err != nil {
			return nil, err
		}
		ends = append(ends, end)
		if err := wait(ctx, inBetween); err != nil {
			return nil, err
		}
	}
	return ends, nil
}
