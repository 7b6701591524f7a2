package feed

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sluice/media"
	"sluice/worker"
	"sluice/worker/wire"
)

// What a worker printed before it failed is in the log, whatever becomes of the stream.
func TestLastWords(t *testing.T) {
	for name, err := range map[string]error{
		"crash": &worker.ExitError{Worker: "w", Status: "was killed by SIGSEGV", Stderr: "out of order"},
		"hang":  fmt.Errorf("capture: %w", &worker.HungError{Worker: "w", Stderr: "out of order"}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := run(t, 1, func(w *fake) error { _ = pictures(2 * time.Second)(w); return err })
				r.after(3 * time.Second)
				_ = r.stop()
				if n := r.logged.count(`INFO what the worker printed last stderr=out of order`); n != 1 {
					t.Errorf("told %d times: %q", n, r.logged.text)
				}
			})
		})
	}
}

// A picture that the worker encodes gets the bitrate of its size, each time that changes; one that came coded has its own.
func TestBitrateBySize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		raw, larger := picture, picture
		raw.Encoder, larger.Encoder, larger.Width = "x264enc", "x264enc", 32
		r := run(t, 0, func(w *fake) error {
			w.caps(picture)
			w.caps(raw)
			w.caps(larger)
			w.caps(wire.Caps{Track: 1, Kind: media.Audio, Codec: media.Opus, Encoder: "opusenc"})
			w.wait(time.Minute)
			return errCrash
		})
		r.after(time.Second)
		if got := r.last().told(); !slices.Equal(got, []int{256, 512}) {
			t.Errorf("told %v", got)
		}
		_ = r.stop()
	})
}

// read_timeout is for how long a source may be silent.
func TestSpec(t *testing.T) {
	for name, c := range map[string]struct {
		job    wire.Job
		wait   time.Duration
		first  time.Duration
		silent time.Duration
	}{
		"as it is": {wire.Job{}, 0, 15 * time.Second, 10 * time.Second},
		"patient":  {wire.Job{}, time.Minute, 15 * time.Second, time.Minute},
		"a server": {wire.Job{Waits: true}, 3 * time.Second, 0, 3 * time.Second},
	} {
		if s := Spec(c.job, c.wait); s.FirstOutput != c.first || s.Silence != c.silent {
			t.Errorf("%s: %+v", name, s)
		}
	}
}
