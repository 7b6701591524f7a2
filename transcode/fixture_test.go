package transcode

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/worker/pipeline"
)

var (
	h265 = media.Track{
		ID: "video", Kind: media.Video, Codec: media.H265, ClockRate: 90000, Width: 1280, Height: 720,
		ParameterSets: [][]byte{{0x40, 1}, {0x42, 1}, {0x44, 1}},
	}
	h264 = media.Track{ID: "video", Kind: media.Video, Codec: media.H264, ClockRate: 90000, Width: 1280, Height: 720}
	aac  = media.Track{
		ID: "audio", Kind: media.Audio, Codec: media.AAC, ClockRate: 48000, Channels: 2,
		ParameterSets: [][]byte{{0x11, 0x90}},
	}
)

// bubble is when time begins in a bubble of synctest; media.Epoch is later there.
var bubble = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// stage is a stream whose transcoder runs, in a bubble of synctest.
type stage struct {
	t       *testing.T
	workers *puppets
	chooser *oneEncoder
	service *Service
	hub     *hub.Stream
	*Stream
	stop func()
}

func newStage(t *testing.T, o Options, so StreamOptions) *stage {
	t.Helper()
	s := &stage{t: t, workers: newPuppets(t), chooser: &oneEncoder{chosen: pipeline.FindEncoder("x264enc", media.H264)}}
	if o.MaxWorkers == 0 {
		o.MaxWorkers = 2
	}
	o.Log = quietLog()
	s.service = newService(o, s.workers, s.chooser)
	s.hub, s.Stream, s.stop = s.add("door", so)
	return s
}

// add runs the transcoder of another stream.
func (s *stage) add(name string, o StreamOptions) (*hub.Stream, *Stream, func()) {
	s.t.Helper()
	if o.Log == nil {
		o.Log = quietLog()
	}
	h, err := hub.New(hub.Options{}).Create(name)
	if err != nil {
		s.t.Fatal(err)
	}
	made := s.service.Stream(h, o)
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = made.Run(ctx)
	}()
	return h, made, func() {
		cancel()
		<-done
	}
}

// source writes to a rendition as a camera does.
type source struct {
	t   *testing.T
	p   *hub.Publisher
	n   int64 // pictures so far
	fps int64 // 0: 25
}

func (s *stage) publish(tracks ...media.Track) *source {
	s.t.Helper()
	p, err := s.hub.Publish(media.MainRendition, tracks)
	if err != nil {
		s.t.Fatal(err)
	}
	return &source{t: s.t, p: p, n: int64(time.Since(bubble) / (40 * time.Millisecond))}
}

// send writes pictures, each 40 ms after the one before unless fps says otherwise: K is a keyframe, p another one, a
// sound at the same time.
func (c *source) send(letters string) {
	c.t.Helper()
	fps := cmp.Or(c.fps, 25)
	for _, l := range letters {
		au := &media.AccessUnit{Arrived: time.Now(), Keyframe: l != 'p', Data: [][]byte{{0x26, 1, byte(c.n)}}}
		id, pts := "video", c.n*90000/fps
		if l == 'a' {
			id, pts = "audio", c.n*48000/fps
		} else {
			c.n++
			time.Sleep(time.Second / time.Duration(fps))
		}
		au.PTS = pts
		if err := c.p.Write(id, au); err != nil {
			c.t.Fatal(err)
		}
		synctest.Wait()
	}
}

// read subscribes to a rendition, as a viewer does.
func (s *stage) read(rendition string) *hub.Subscriber {
	s.t.Helper()
	sub, err := s.hub.Subscribe(rendition, hub.StartGOP)
	if err != nil {
		s.t.Fatal(err)
	}
	synctest.Wait()
	return sub
}

// told is what a subscriber gets now: K, p and a, each with its time in units of 40 ms since the first, and two packets
// of sound as one.
func told(sub *hub.Subscriber) string {
	var all []string
	var first int64 = -1
	for {
		u, ok := sub.TryNext()
		if !ok {
			return fmt.Sprint(slices.Compact(all))
		}
		at := nanoseconds(u.PTS, u.Track.ClockRate)
		if first < 0 {
			first = at
		}
		letter := "p"
		switch {
		case u.Track.Kind == media.Audio:
			letter = "a"
		case u.Keyframe:
			letter = "K"
		}
		all = append(all, fmt.Sprint(letter, (at-first)/int64(40*time.Millisecond)))
	}
}

func (s *stage) derived() []string {
	var names []string
	for _, r := range s.hub.Derived() {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return names
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}
