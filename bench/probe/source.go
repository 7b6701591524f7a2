package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/internal/camera"
	"sluice/media"
)

// source is an RTSP camera whose pictures bear the time at which they were made, and that has sound beside them.
type source struct {
	picture picture
	listen  string
	sound   camera.Track
	units   chan camera.LiveUnit // of both tracks; never closed
	painted chan painted         // from paint to encode; never closed

	mu      sync.Mutex
	encoded []time.Duration // guarded by mu; how long each picture took
	skipped int             // guarded by mu; pictures for which there was no time
	sent    []time.Time     // guarded by mu; when pictures left the encoder
}

// painted is a picture that the encoder has been given.
type painted struct{ due, at time.Time }

func newSource(p picture, listen string) (*source, error) {
	if err := checkSize(p.width, p.height); err != nil {
		return nil, err
	}
	demo, err := camera.DemoClip()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(demo.Tracks, func(t camera.Track) bool { return t.Kind == media.Audio })
	if i < 0 {
		return nil, errors.New("the demo clip has no sound")
	}
	return &source{
		picture: p, listen: listen, sound: demo.Tracks[i],
		units: make(chan camera.LiveUnit, 64), painted: make(chan painted, 64),
	}, nil
}

// run plays until ctx ends; ready is given the URL once there is something to play.
func (s *source) run(ctx context.Context, ready chan<- string) error {
	e, err := startEncoder(ctx, s.picture)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	defer e.wait()
	defer e.kill()
	defer context.AfterFunc(ctx, e.kill)()
	g.Go(func() error { return s.paint(ctx, e) })
	g.Go(func() error {
		first, err := e.out.next()
		if err != nil {
			return fmt.Errorf("read the encoder's output: %w", err)
		}
		<-s.painted
		c, err := s.open(first)
		if err != nil {
			return err
		}
		g.Go(func() error { return c.Serve(ctx) })
		g.Go(func() error { return s.play(ctx) })
		ready <- c.URL()
		return s.encode(ctx, e)
	})
	if err := g.Wait(); ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	return nil
}

// open makes the camera; first is a keyframe with its parameter sets.
func (s *source) open(first [][]byte) (*camera.Camera, error) {
	if len(first) < 3 {
		return nil, errors.New("the encoder's first picture has no SPS and PPS")
	}
	video := media.Track{
		ID: "video", Rendition: media.MainRendition, Kind: media.Video, Codec: media.H264, ClockRate: 90000,
		Width: s.picture.width, Height: s.picture.height, ParameterSets: first[:2],
	}
	clip := &camera.Clip{Tracks: []camera.Track{
		{Track: video, Units: []camera.Unit{{Data: first}}, Period: time.Second}, s.sound,
	}}
	c, err := camera.New(camera.Options{Clip: clip, Listen: s.listen, Live: s.units, ReportInterval: time.Second, MaxPacketSize: 1200})
	if err != nil {
		return nil, err
	}
	return c, c.Listen()
}

// paint gives the encoder a picture each time one is due. It leaves out those that it is a whole picture late for.
func (s *source) paint(ctx context.Context, e *encoder) error {
	p, start := newPainter(s.picture.width, s.picture.height), time.Now()
	period := time.Second / time.Duration(s.picture.fps)
	for number := 0; ; number++ {
		due := start.Add(time.Duration(number) * time.Second / time.Duration(s.picture.fps))
		if time.Since(due) > period {
			s.skip()
			continue
		}
		if err := wait(ctx, due); err != nil {
			return err
		}
		now := time.Now()
		frame := p.paint(number, stamp(now.UnixMilli()))
		select {
		case s.painted <- painted{due, now}:
		case <-ctx.Done():
			return ctx.Err()
		}
		if _, err := e.in.Write(frame); err != nil {
			return errors.Join(ctx.Err(), fmt.Errorf("write to the encoder: %w", err))
		}
	}
}

// encode hands the camera what comes out of the encoder.
func (s *source) encode(ctx context.Context, e *encoder) error {
	for {
		nalus, err := e.out.next()
		if err != nil {
			return errors.Join(ctx.Err(), fmt.Errorf("read the encoder's output: %w", err))
		}
		p := <-s.painted // as many come out as went in
		s.note(time.Now(), p)
		if err := s.send(ctx, camera.LiveUnit{Track: 0, At: p.due, Data: nalus}); err != nil {
			return err
		}
	}
}

// play hands the camera the sound, again and again.
func (s *source) play(ctx context.Context) error {
	for start := time.Now(); ; start = start.Add(s.sound.Period) {
		for _, u := range s.sound.Units {
			due := start.Add(media.Duration(u.DTS, s.sound.ClockRate))
			if err := wait(ctx, due); err != nil {
				return err
			}
			if err := s.send(ctx, camera.LiveUnit{Track: 1, At: due, Data: u.Data}); err != nil {
				return err
			}
		}
	}
}

func (s *source) send(ctx context.Context, u camera.LiveUnit) error {
	select {
	case s.units <- u:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *source) note(now time.Time, p painted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent, s.encoded = append(s.sent, now), append(s.encoded, now.Sub(p.at))
}

const (
	pause    = 100 * time.Millisecond // between two pictures that leave the encoder
	transfer = 100 * time.Millisecond // at most, from there to the screen
)

// paused says whether the source itself stood still while a viewer saw nothing new between two moments.
func (s *source) paused(from, to time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, _ := slices.BinarySearchFunc(s.sent, from.Add(-transfer), time.Time.Compare)
	for i = max(i, 1); i < len(s.sent) && s.sent[i-1].Before(to); i++ {
		if s.sent[i].Sub(s.sent[i-1]) > pause {
			return true
		}
	}
	return false
}

func (s *source) skip() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skipped++
}

// String tells how the source kept up.
func (s *source) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.picture
	text := fmt.Sprintf("source: H264 %dx%d at %d fps, %d kbit/s, a keyframe each %v, with Opus; %d pictures, %d left out",
		p.width, p.height, p.fps, p.kbps, p.gop, len(s.encoded), s.skipped)
	if len(s.encoded) > 0 {
		sorted := slices.Sorted(slices.Values(s.encoded))
		text += fmt.Sprintf("; from painted to encoded %.1f ms (95 %%: %.1f ms)",
			milliseconds(sorted[len(sorted)/2]), milliseconds(sorted[len(sorted)*95/100]))
	}
	return text
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// wait returns at a moment, or with ctx's error.
func wait(ctx context.Context, until time.Time) error {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
