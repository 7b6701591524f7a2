package camera

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bluenviron/gortsplib/v4"

	"sluice/media"
)

func liveTracks() []Track {
	return []Track{
		{Track: media.Track{Kind: media.Video, Codec: media.H264, ClockRate: 90000}},
		{Track: media.Track{Kind: media.Audio, Codec: media.Opus, ClockRate: 48000}},
	}
}

func TestFeed(t *testing.T) {
	broken := errors.New("broken")
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for name, c := range map[string]struct {
		track  int
		at     time.Duration // of the only unit's capture, since the start
		onSend func(int) error
		want   []sent
		err    string
	}{
		"picture":      {at: ms(20), want: []sent{{0, 1800, ms(100)}}},
		"sound":        {track: 1, at: ms(20), want: []sent{{1, 960, ms(100)}}},
		"of the start": {at: 0, want: []sent{{0, 0, ms(100)}}},
		"from before":  {at: -1},
		"broken sink":  {at: ms(20), onSend: func(int) error { return broken }, want: []sent{{0, 1800, ms(100)}}, err: "broken"},
		"no such track": {
			track: 2, at: ms(20), err: "a live unit is of track 2, the clip has 2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sink := &fakeSink{start: time.Now(), onSend: c.onSend}
				units := make(chan LiveUnit, 1)
				f := &feed{tracks: liveTracks(), units: units, reportEvery: time.Second, sink: sink}
				ended := make(chan error, 1)
				go func() { ended <- f.run(t.Context(), sink.start) }()
				time.Sleep(ms(100))
				units <- LiveUnit{Track: c.track, At: sink.start.Add(c.at)}
				synctest.Wait()
				close(units)
				err := <-ended
				if (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
					t.Errorf("run returned %v, want %q", err, c.err)
				}
				if !slices.Equal(sink.sends, c.want) {
					t.Errorf("sent were %v, want %v", sink.sends, c.want)
				}
			})
		})
	}
}

func TestFeedReportsUntilTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		sink := &fakeSink{start: time.Now()}
		f := &feed{tracks: liveTracks(), units: make(chan LiveUnit), reportEvery: time.Second, sink: sink}
		if err := f.run(ctx, sink.start); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("run returned %v", err)
		}
		if want := []time.Duration{time.Second, 2 * time.Second, 3 * time.Second}; !slices.Equal(sink.reports, want) {
			t.Errorf("reports came at %v, want %v", sink.reports, want)
		}
	})
}

// A reader gets what is fed, packetised as the clip's track says.
func TestLiveOnTheWire(t *testing.T) {
	clip := demo(t)
	units := make(chan LiveUnit)
	u := serve(t, Options{Clip: clip, Live: units})
	r, err := read(t, u, gortsplib.TransportTCP)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		for {
			select {
			case units <- LiveUnit{At: time.Now(), Data: [][]byte{{0x65, 1, 2, 3}}}:
			case <-ctx.Done():
				return
			}
		}
	}()
	packets := r.until(t, func(all []packet) bool { return len(all) > 3 })
	cancel()
	<-fed
	for _, p := range packets {
		if p.track != 0 || p.rtp == nil || !slices.Equal(p.rtp.Payload, []byte{0x65, 1, 2, 3}) {
			t.Errorf("track %d got %v", p.track, p.rtp)
		}
	}
}
