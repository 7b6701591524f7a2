package feed

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sluice/hub"
	"sluice/ingest"
	"sluice/media"
	"sluice/worker"
	"sluice/worker/wire"
)

// names are the IDs of what was published, each time.
func names(all [][]media.Track) [][]string {
	var ids [][]string
	for _, tracks := range all {
		var each []string
		for _, t := range tracks {
			each = append(each, t.ID)
		}
		ids = append(ids, each)
	}
	return ids
}

// When a feed publishes, and what.
func TestPublishes(t *testing.T) {
	for name, c := range map[string]struct {
		tracks int
		run    script
		at     time.Duration // after which it has published, and 100 ms before it had not
		want   [][]string
	}{
		"one that is known":            {1, pictures(time.Minute), 100 * time.Millisecond, [][]string{{"video"}}},
		"one of nobody knows how many": {0, pictures(time.Minute), quiet + 50*time.Millisecond, [][]string{{"video"}}},
		"sound first": {0, func(w *fake) error {
			w.caps(sound)
			w.frame(wire.Message{Track: 1, PTS: worker.Monotonic(), Payload: packet})
			w.wait(300 * time.Millisecond)
			return pictures(time.Minute)(w)
		}, quiet + 350*time.Millisecond, [][]string{{"video", "audio"}}},
		"one that the worker tells of": {0, func(w *fake) error {
			w.ready(1)
			return pictures(time.Minute)(w)
		}, 100 * time.Millisecond, [][]string{{"video"}}},
		"a picture long after the sound": {0, func(w *fake) error {
			w.ready(2)
			w.caps(sound)
			w.frame(wire.Message{Track: 1, PTS: worker.Monotonic(), Payload: packet})
			w.wait(1500 * time.Millisecond)
			w.frame(wire.Message{Track: 1, PTS: worker.Monotonic(), Payload: packet})
			return pictures(time.Minute)(w)
		}, 1550 * time.Millisecond, [][]string{{"video", "audio"}}},
		"a picture that never comes": {0, func(w *fake) error {
			w.ready(2)
			w.caps(sound)
			for range 500 {
				w.frame(wire.Message{Track: 1, PTS: worker.Monotonic(), Payload: packet})
				w.wait(20 * time.Millisecond)
			}
			return errCrash
		}, patience + 50*time.Millisecond, [][]string{{"audio"}}},
		"two of a kind": {2, func(w *fake) error {
			w.caps(picture)
			w.caps(wire.Caps{Track: 1, Kind: media.Video, Codec: media.VP8})
			w.frame(wire.Message{Track: 1, PTS: worker.Monotonic(), Payload: key})
			w.play(time.Minute, false)
			return errCrash
		}, 100 * time.Millisecond, [][]string{{"video", "video2"}}},
		"no keyframe comes": {0, func(w *fake) error {
			w.caps(picture)
			for range 100 {
				w.frame(wire.Message{PTS: worker.Monotonic(), Payload: delta})
				w.wait(40 * time.Millisecond)
			}
			return errCrash
		}, settle + 50*time.Millisecond, [][]string{{"video"}}},
		"data is left out": {0, func(w *fake) error {
			w.caps(wire.Caps{Track: 3, Kind: media.Data})
			w.frame(wire.Message{Track: 3, Payload: []byte("x")})
			return pictures(time.Minute)(w)
		}, quiet + 50*time.Millisecond, [][]string{{"video"}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, c.tracks, c.run)
				if r.after(max(0, c.at-100*time.Millisecond)); c.at > 100*time.Millisecond && len(r.publications()) > 0 {
					t.Errorf("published %v too early", names(r.publications()))
				}
				r.after(100 * time.Millisecond)
				if got := names(r.publications()); !slices.EqualFunc(got, c.want, slices.Equal) {
					t.Errorf("published %v, want %v", got, c.want)
				}
				if err := r.stop(); !errors.Is(err, context.Canceled) {
					t.Errorf("ended with %v", err)
				}
			})
		})
	}
}

// A track that comes late is published with the others, once it can be decoded.
func TestLateTrack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, 0, func(w *fake) error {
			w.caps(picture)
			w.play(5*time.Second, false)
			w.caps(sound)
			w.play(time.Minute, true)
			return errCrash
		})
		r.after(10 * time.Second)
		if got := names(r.publications()); len(got) != 2 || !slices.Equal(got[1], []string{"video", "audio"}) {
			t.Errorf("published %v", got)
		}
		_ = r.stop()
	})
}

// J182: a worker that crashes is started again, and the publisher stays if the same kinds of tracks come back.
func TestRestart(t *testing.T) {
	other := func(w *fake) error {
		w.caps(wire.Caps{Kind: media.Video, Codec: media.MJPEG})
		for w.ctx.Err() == nil {
			w.frame(wire.Message{PTS: worker.Monotonic(), Payload: []byte{0xff, 0xd8, 0xff, 0xd9}})
			w.wait(40 * time.Millisecond)
		}
		return errCrash
	}
	larger := func(w *fake) error {
		c := picture
		c.Width, c.Height = 32, 32
		w.caps(c)
		w.play(time.Hour, false)
		return errCrash
	}
	for name, c := range map[string]struct {
		second script
		want   int
	}{
		"the same":      {pictures(time.Hour), 1},
		"another size":  {larger, 1},
		"another codec": {other, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, 1, pictures(3*time.Second), c.second)
				r.after(6 * time.Second)
				if got := len(r.publications()); got != c.want {
					t.Errorf("published %d times, want %d", got, c.want)
				}
				if starts := r.began(); len(starts) != 2 || starts[1].Sub(starts[0]) > 3200*time.Millisecond {
					t.Errorf("started at %v", starts)
				}
				_ = r.stop()
			})
		})
	}
}

// silent is a worker that waits for somebody who sends.
func silent(w *fake) error {
	<-w.ctx.Done()
	return errCrash
}

// J182: a source that never gave anything fails at once; one that has gives up after 5 s, so that its state is told.
func TestGivesUp(t *testing.T) {
	hung := &worker.HungError{Worker: "gateway-gst", What: "was not ready", After: 15 * time.Second}
	for name, c := range map[string]struct {
		scripts     []script
		err         error
		from, until time.Duration
	}{
		"nothing ever":            {[]script{fails(errCrash)}, errCrash, 0, time.Millisecond},
		"never ready":             {[]script{fails(hung)}, hung, 0, time.Millisecond},
		"ends at once":            {[]script{fails(&wire.Fault{Code: wire.FaultEOS})}, &wire.Fault{Code: wire.FaultEOS}, 0, time.Millisecond},
		"unplugged":               {[]script{pictures(2 * time.Second), fails(errCrash)}, errCrash, 4 * time.Second, 7 * time.Second},
		"mistake later":           {[]script{pictures(2 * time.Second), fails(&wire.Fault{Permanent: true})}, &wire.Fault{Permanent: true}, 2 * time.Second, 3 * time.Second},
		"back without media":      {[]script{pictures(2 * time.Second), silent}, errSilent, 6 * time.Second, 8 * time.Second},
		"crashes again and again": {[]script{pictures(200 * time.Millisecond)}, errCrash, 3 * time.Second, 12 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				r := run(t, 1, c.scripts...)
				<-r.ended
				if took := time.Since(began); took < c.from || took > c.until {
					t.Errorf("gave up after %v, want %v to %v", took, c.from, c.until)
				}
				if r.err == nil || r.err.Error() != c.err.Error() {
					t.Errorf("ended with %v, want %v", r.err, c.err)
				}
				r.cancel()
			})
		})
	}
}

// A file that ends begins again at once, for as long as it gives more than a moment.
func TestLoop(t *testing.T) {
	for name, c := range map[string]struct {
		length   time.Duration
		atLeast  int // starts in a minute
		atMost   int
		survives bool
	}{
		"two seconds": {2 * time.Second, 28, 31, true},
		"a moment":    {40 * time.Millisecond, 4, 6, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, 1, func(w *fake) error {
					_ = pictures(c.length)(w)
					return &wire.Fault{Code: wire.FaultEOS}
				})
				r.after(time.Minute)
				if n := len(r.began()); n < c.atLeast || n > c.atMost {
					t.Errorf("started %d times in a minute, want %d to %d", n, c.atLeast, c.atMost)
				}
				if n := len(r.publications()); n != 1 {
					t.Errorf("published %d times", n)
				}
				if r.over() == c.survives {
					t.Errorf("over: %v", r.over())
				}
				_ = r.stop()
				if n := r.logged.count("WARN the worker is started again"); (n == 0) != c.survives {
					t.Errorf("%d warnings, with media that ends in order: %v", n, c.survives)
				}
				if n := r.logged.count("DEBUG the worker is started again"); (n > 0) != c.survives {
					t.Errorf("told %d times beside warnings", n)
				}
			})
		})
	}
}

// What no retry mends is permanent.
func TestPermanent(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"not installed": {&worker.NotInstalledError{Name: "gateway-gst"}, true},
		"switched off":  {&worker.OffError{Name: "gateway-gst"}, true},
		"mistake":       {&wire.Fault{Code: wire.FaultParse, Permanent: true}, true},
		"element":       {&wire.Fault{Code: wire.FaultElement}, false},
		"crash":         {&worker.ExitError{Worker: "gateway-gst", Status: "was killed by SIGSEGV"}, false},
		"hang":          {&worker.HungError{}, false},
		"start":         {errCrash, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := New(Options{Log: slog.New(slog.DiscardHandler), Start: func(context.Context) (Worker, error) { return nil, c.err }})
			err := f.Run(t.Context(), nil)
			if !errors.Is(err, c.err) || ingest.IsPermanent(err) != c.want {
				t.Errorf("%v is permanent: %v", err, ingest.IsPermanent(err))
			}
		})
	}
}

// The hub's wishes for keyframes reach the worker, also the second one; without a keyframe the feed has its own.
func TestKeyframes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, 1, pictures(4*time.Second), func(w *fake) error {
			w.caps(picture)
			for w.ctx.Err() == nil {
				w.frame(wire.Message{PTS: worker.Monotonic(), Payload: delta})
				w.wait(40 * time.Millisecond)
			}
			return errCrash
		})
		r.after(time.Second)
		r.stream.RequestKeyframe(media.MainRendition)
		if n := r.after(time.Millisecond).last().asked(); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
		r.after(3500 * time.Millisecond)
		second := r.last()
		before := second.asked()
		if r.after(3 * time.Second); second.asked()-before != 3 {
			t.Errorf("asked %d times in 3 s for what never came, want 3", second.asked()-before)
		}
		_ = r.stop()
	})
}

// Times stay as exact as the worker's, and go on over a restart.
func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const step = 33_366_667 // ns
		from := int64(0)
		r := run(t, 2, func(w *fake) error {
			w.wait(time.Millisecond) // for the subscriber
			w.caps(picture)
			w.caps(sound)
			from = worker.Monotonic()
			for i := range int64(90) {
				payload := key
				if i > 0 {
					payload = delta
				}
				w.frame(wire.Message{Track: 1, PTS: from + i*20_000_000, Payload: packet})
				w.frame(wire.Message{Track: 0, PTS: from + i*step, Payload: payload})
			}
			w.wait(time.Hour)
			return errCrash
		})
		sub, err := r.stream.Subscribe(media.MainRendition, hub.StartKeyframe)
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		r.after(time.Second)
		seen := map[string]int64{}
		for u, ok := sub.TryNext(); ok; u, ok = sub.TryNext() {
			i := seen[u.Track.ID]
			if u.Track.ID == "audio" && i == 0 { // the keyframe comes after the first
				i++
			}
			interval := map[string]int64{"video": step, "audio": 20_000_000}[u.Track.ID]
			want := media.PTS(worker.At(from).Add(time.Duration(i*interval)), u.Track.ClockRate)
			if u.PTS != want {
				t.Fatalf("unit %d of %s is at %d, want %d", i, u.Track.ID, u.PTS, want)
			}
			seen[u.Track.ID] = i + 1
		}
		if seen["video"] != 90 || seen["audio"] != 90 {
			t.Errorf("saw %v units", seen)
		}
		_ = r.stop()
	})
}

// What caps say becomes a track as the rest of the gateway knows it.
func TestDescribe(t *testing.T) {
	config := []byte{0x12, 0x10}
	for name, c := range map[string]struct {
		caps wire.Caps
		want media.Track
	}{
		"picture": {picture, media.Track{ID: "x", Kind: media.Video, Codec: media.VP8, ClockRate: 90000, Width: 16, Height: 16}},
		"opus at 16 kHz": {
			wire.Caps{Kind: media.Audio, Codec: media.Opus, ClockRate: 16000, Channels: 1},
			media.Track{ID: "x", Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 1},
		},
		"AAC": {
			wire.Caps{Kind: media.Audio, Codec: media.AAC, ClockRate: 44100, Channels: 2, CodecData: config},
			media.Track{ID: "x", Kind: media.Audio, Codec: media.AAC, ClockRate: 44100, Channels: 2, ParameterSets: [][]byte{config}},
		},
		"LPCM": {
			wire.Caps{Kind: media.Audio, Codec: media.LPCM, ClockRate: 16000, Channels: 1},
			media.Track{ID: "x", Kind: media.Audio, Codec: media.LPCM, ClockRate: 16000, Channels: 1, BitDepth: 16},
		},
		"G.722": {
			wire.Caps{Kind: media.Audio, Codec: media.G722, ClockRate: 16000, Channels: 1},
			media.Track{ID: "x", Kind: media.Audio, Codec: media.G722, ClockRate: 8000, Channels: 1},
		},
		"H264 with avcC": {
			wire.Caps{Kind: media.Video, Codec: media.H264, CodecData: config},
			media.Track{ID: "x", Kind: media.Video, Codec: media.H264, ClockRate: 90000},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := describe(c.caps, "x"); !got.Equal(c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// What a worker says that is broken or was taken over ends it.
func TestCapsThatCannotBe(t *testing.T) {
	many := func(w *fake) error {
		for i := range maxTracks + 1 {
			c := sound
			c.Track = uint8(i)
			w.caps(c)
		}
		w.wait(time.Hour)
		return nil
	}
	one := func(change func(*wire.Caps)) script {
		return func(w *fake) error {
			c := sound
			change(&c)
			w.caps(c)
			w.wait(time.Hour)
			return nil
		}
	}
	for name, c := range map[string]struct {
		run  script
		want string
	}{
		"many tracks":         {many, "the worker has more than 16 tracks"},
		"a negative clock":    {one(func(c *wire.Caps) { c.ClockRate = -1 }), "the worker tells of a track whose clock rate is -1"},
		"an absurd clock":     {one(func(c *wire.Caps) { c.ClockRate = 1 << 40 }), "the worker tells of a track whose clock rate is 1099511627776"},
		"an absurd picture":   {one(func(c *wire.Caps) { c.Width = 1 << 20 }), "the worker tells of a track whose width is 1048576"},
		"a picture below 0":   {one(func(c *wire.Caps) { c.Height = -16 }), "the worker tells of a track whose height is -16"},
		"too many to hear to": {one(func(c *wire.Caps) { c.Channels = 1000 }), "the worker tells of a track whose number of channels is 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(c.run)
				defer w.Close()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				err := newReception(w, &publication{}, &Options{}).run(ctx)
				if err == nil || err.Error() != c.want {
					t.Errorf("%v, want %s", err, c.want)
				}
			})
		})
	}
}

// Frames that wait for other tracks are bounded in bytes, too.
func TestHeldFramesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := hub.New(hub.Options{}).Create("door")
		if err != nil {
			t.Fatal(err)
		}
		p := &publication{publish: func(tracks []media.Track) (*hub.Publisher, error) { return s.Publish("main", tracks) }}
		w := start(func(w *fake) error {
			w.ready(2)
			w.caps(picture)
			for range 100 {
				w.frame(wire.Message{PTS: worker.Monotonic(), Payload: append(slices.Clone(key), make([]byte, 1<<20)...)})
			}
			return errCrash
		})
		defer w.Close()
		r := newReception(w, p, &Options{})
		if err := r.run(t.Context()); !errors.Is(err, errCrash) {
			t.Error(err)
		}
		if r.size > maxHeldBytes || !r.open {
			t.Errorf("%d bytes are held, published: %v", r.size, r.open)
		}
	})
}
