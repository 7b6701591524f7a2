package hub_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/hub"
	"sluice/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	video = media.Track{ID: "video", Kind: media.Video, Codec: media.H264, ClockRate: 90000}
	audio = media.Track{ID: "audio", Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 2}
)

// unit is a test unit of n bytes that arrives now.
func unit(key bool, n int) *media.AccessUnit {
	return &media.AccessUnit{Arrived: time.Now(), Keyframe: key, Data: [][]byte{make([]byte, n)}}
}

func newStream(t testing.TB, o hub.Options) *hub.Stream {
	t.Helper()
	s, err := hub.New(o).Create("cam")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func publish(t testing.TB, s *hub.Stream, rendition string, tracks ...media.Track) *hub.Publisher {
	t.Helper()
	p, err := s.Publish(rendition, tracks)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func subscribe(t testing.TB, s *hub.Stream, rendition string, start hub.Start) *hub.Subscriber {
	t.Helper()
	sub, err := s.Subscribe(rendition, start)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sub.Close)
	return sub
}

func write(t testing.TB, p *hub.Publisher, track string, key bool) {
	t.Helper()
	if err := p.Write(track, unit(key, 100)); err != nil {
		t.Fatal(err)
	}
}

// drain reads all that is there and returns it as letters: K keyframe, p other picture, a audio.
func drain(sub *hub.Subscriber) string {
	var got []byte
	for {
		u, ok := sub.TryNext()
		if !ok {
			return string(got)
		}
		switch {
		case u.Track.Kind == media.Audio:
			got = append(got, 'a')
		case u.Keyframe:
			got = append(got, 'K')
		default:
			got = append(got, 'p')
		}
	}
}

// play writes units named by letters as drain prints them.
func play(t testing.TB, p *hub.Publisher, units string) {
	t.Helper()
	for _, c := range units {
		if c == 'a' {
			write(t, p, "audio", true)
		} else {
			write(t, p, "video", c == 'K')
		}
	}
}

func TestNamesAreFoundOnceOnly(t *testing.T) {
	h := hub.New(hub.Options{})
	if _, err := h.Stream("cam"); !errors.As(err, new(*hub.StreamNotFoundError)) {
		t.Errorf("unknown name: %v", err)
	}
	if _, err := h.Create("cam"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Create("cam"); !errors.As(err, new(*hub.StreamExistsError)) {
		t.Errorf("taken name: %v", err)
	}
	if _, err := h.Create("attic"); err != nil {
		t.Fatal(err)
	}
	if all := h.Streams(); len(all) != 2 || all[0].Name() != "attic" {
		t.Errorf("streams are not listed by name: %v", all)
	}
}

func TestOnePublisherPerRendition(t *testing.T) {
	s := newStream(t, hub.Options{})
	p := publish(t, s, "main", video)
	if _, err := s.Publish("main", nil); !errors.As(err, new(*hub.RenditionBusyError)) {
		t.Errorf("second publisher: %v", err)
	}
	publish(t, s, "low", video)
	p.Close()
	p.Close()
	if err := p.Write("video", unit(true, 1)); !errors.Is(err, hub.ErrClosed) {
		t.Errorf("write after close: %v", err)
	}
	p = publish(t, s, "main", video)
	if err := p.Write("subtitles", unit(true, 1)); !errors.As(err, new(*hub.UnknownTrackError)) {
		t.Errorf("unknown track: %v", err)
	}
}

func TestUpdateIsSeenByReadersOfLaterUnits(t *testing.T) {
	s := newStream(t, hub.Options{})
	p := publish(t, s, "main", video)
	sub := subscribe(t, s, "main", hub.StartKeyframe)
	write(t, p, "video", true)
	changed := s.Changed()
	larger := video
	larger.Width, larger.Height = 1280, 720
	if err := p.Update(larger); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	default:
		t.Error("Changed was not signalled")
	}
	write(t, p, "video", true)
	first, _ := sub.TryNext()
	second, _ := sub.TryNext()
	if first.Track.Width != 0 || second.Track.Width != 1280 {
		t.Errorf("widths %d, %d", first.Track.Width, second.Track.Width)
	}
	if got := s.Tracks("main"); len(got) != 1 || got[0].Height != 720 || got[0].Rendition != "main" {
		t.Errorf("tracks: %+v", got)
	}
	if err := p.Update(media.Track{ID: "other"}); !errors.As(err, new(*hub.UnknownTrackError)) {
		t.Errorf("update of an unknown track: %v", err)
	}
}

func TestNextEndsWithItsContextItsCloseOrItsStream(t *testing.T) {
	ends := map[string]struct {
		end  func(*hub.Hub, *hub.Subscriber, context.CancelFunc)
		want error
	}{
		"context": {func(_ *hub.Hub, _ *hub.Subscriber, cancel context.CancelFunc) { cancel() }, context.Canceled},
		"close":   {func(_ *hub.Hub, sub *hub.Subscriber, _ context.CancelFunc) { sub.Close(); sub.Close() }, hub.ErrClosed},
		"stream":  {func(h *hub.Hub, _ *hub.Subscriber, _ context.CancelFunc) { h.Close() }, hub.ErrClosed},
	}
	for name, e := range ends {
		t.Run(name, func(t *testing.T) {
			h := hub.New(hub.Options{})
			s, _ := h.Create("cam")
			sub := subscribe(t, s, "main", hub.StartKeyframe)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			result := make(chan error)
			go func() {
				_, err := sub.Next(ctx)
				result <- err
			}()
			e.end(h, sub, cancel)
			if err := <-result; !errors.Is(err, e.want) {
				t.Errorf("got %v, want %v", err, e.want)
			}
		})
	}
}

func TestWantedFollowsSubscribersAndWants(t *testing.T) {
	s := newStream(t, hub.Options{})
	release := s.Want()
	if !s.Wanted() {
		t.Error("a want does not count")
	}
	sub := subscribe(t, s, "main", hub.StartKeyframe)
	release()
	release()
	if !s.Wanted() || s.Viewers() != 1 {
		t.Error("a subscriber does not count")
	}
	if sub.Forward(); !s.Wanted() || s.Viewers() != 0 {
		t.Error("one that forwards the stream counts as a viewer, or as nobody")
	}
	changed := s.Changed()
	sub.Close()
	if s.Wanted() {
		t.Error("wanted after all have left")
	}
	select {
	case <-changed:
	default:
		t.Error("leaving is no change")
	}
}

func TestStateIsKeptWithItsReason(t *testing.T) {
	s := newStream(t, hub.Options{})
	why := errors.New("no route")
	s.SetState(hub.StateFailed, why)
	if st, err := s.State(); st != hub.StateFailed || !errors.Is(err, why) {
		t.Errorf("%v %v", st, err)
	}
}
