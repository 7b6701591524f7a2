package worker

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/internal/testworker"
	"sluice/media"
	"sluice/worker/wire"
)

const (
	tiny   = "video/x-raw,width=64,height=64,framerate=30/1"
	coded  = " ! x264enc tune=zerolatency speed-preset=ultrafast"
	eightK = 8192 * 4352
)

// realPool is a pool of GStreamer workers that may start as many as it likes.
func realPool(t *testing.T) *Pool {
	t.Helper()
	p := newPool(t, Options{Name: GStreamer, Path: testworker.GST(t), CacheDir: readableDir(t)})
	run(t, p)
	return p
}

// realSource is a job whose text has no input. It has time also on a machine that stands still for a moment.
func realSource(text string, set func(*Spec)) Spec {
	s := Spec{Start: patience, FirstOutput: patience, Heartbeat: patience}
	s.Job = wire.Job{Role: wire.RoleSource, Pipeline: text, Limits: wire.Limits{MaxPixels: eightK}, Sandboxed: true}
	if set != nil {
		set(&s)
	}
	return s
}

// J181, J182, J184, J186, I24: whatever a plugin does ends its own process, with a sentence that says what it was, and
// a process beside it gives its frames all the while.
func TestFaultsOfPlugins(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	must(unix.Mkfifo(fifo, 0o600))
	p := realPool(t)
	frames := bystander(t, p)
	for name, c := range map[string]struct {
		spec Spec
		as   any
		text string // part of the error
	}{
		"hangs before the first frame": {
			realSource("videotestsrc is-live=true ! "+tiny+" ! identity sleep-time=30000000"+coded, func(s *Spec) { s.FirstOutput = time.Second }),
			new(*HungError), "gateway-gst gave no output for 1s and was killed",
		},
		"hangs while it opens": {
			realSource("filesrc location="+fifo+" ! h264parse", func(s *Spec) { s.Start, s.Job.Allow = time.Second, []string{"filesrc"} }),
			new(*HungError), "gateway-gst was not ready for 1s and was killed",
		},
		"opens for too long": {
			realSource("filesrc location="+fifo+" ! h264parse", func(s *Spec) { s.Job.Limits.StateSeconds, s.Job.Allow = 1, []string{"filesrc"} }),
			new(*wire.Fault), "the pipeline does not start: it took longer than 1s",
		},
		"fails": {
			realSource("videotestsrc is-live=true ! "+tiny+" ! identity error-after=5"+coded, nil),
			new(*wire.Fault), "the pipeline failed: identity: Failed after iterations as requested.",
		},
		"ends": {
			realSource("videotestsrc is-live=true num-buffers=5 ! "+tiny+coded, nil),
			new(*wire.Fault), "the pipeline has ended",
		},
		"takes more and more memory": {
			realSource("videotestsrc is-live=true ! video/x-raw,width=1920,height=1080,framerate=60/1 ! queue max-size-buffers=0 max-size-bytes=0 max-size-time=0 ! "+
				"identity sleep-time=30000000 ! fakesink  videotestsrc is-live=true ! "+tiny+coded, func(s *Spec) { s.Memory = 300 << 20 }),
			new(*MemoryError), "MB of memory, more than the 300 MB that it may, and was killed",
		},
		"makes huge pictures": {
			realSource("videotestsrc is-live=true ! video/x-raw,format=I420,width=16384,height=16384,framerate=240/1"+coded, func(s *Spec) { s.Memory = 200 << 20 }),
			new(*wire.Fault), "makes pictures of 16384×16384, more than the 35651584 pixels that are allowed",
		},
		"is not installed": {
			realSource("videotestsrc is-live=true ! vaapih264enc", nil),
			new(*wire.Fault), `element "vaapih264enc" is not installed: apt install gstreamer1.0-vaapi`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			process := start(t, p, c.spec)
			if err := last(t, process); !errors.As(err, c.as) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%T %v, want %T %q (%s)", err, err, c.as, c.text, stderrOf(err))
			}
			seen := frames.Load()
			waitFor(t, func() bool { return frames.Load() > seen })
		})
	}
}

// bystander runs a process that has no fault until the test ends, and counts its frames.
func bystander(t *testing.T, p *Pool) *atomic.Uint64 {
	t.Helper()
	process := start(t, p, realSource("videotestsrc is-live=true ! "+tiny+coded, func(s *Spec) { s.Silence = patience }))
	ctx, cancel := context.WithCancel(t.Context())
	var frames atomic.Uint64
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			e, err := process.Next(ctx)
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					t.Errorf("the process without a fault ended: %v", err)
				}
				return
			}
			if e.Kind == EventFrame {
				frames.Add(1)
			}
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return &frames
}

// A real worker that is started and stopped 300 times leaves no descriptor, no goroutine and no process behind.
func TestRealCyclesLeaveNothing(t *testing.T) {
	p := realPool(t)
	const mulaw = "audio/x-mulaw,rate=8000,channels=1"
	job := wire.Job{
		Role: wire.RoleTranscode, Pipeline: `appsrc name=in is-live=true format=time caps="` + mulaw + `" ! appsink name=out sync=false`,
		Inputs:  []wire.Port{{Name: "in", Kind: media.Audio, Codec: media.PCMU, Caps: mulaw}},
		Outputs: []wire.Port{{Name: "out", Kind: media.Audio, Codec: media.PCMU}},
	}
	cycle := func() error {
		process, err := p.Start(within(t), Spec{Job: job, Start: patience})
		if err != nil {
			return err
		}
		defer process.Close()
		process.Write(keyframe)
		for e := (Event{}); e.Kind != EventFrame; {
			if e, err = process.Next(within(t)); err != nil {
				return err
			}
		}
		return nil
	}
	must(cycle())
	fds, goroutines := descriptors(t), runtime.NumGoroutine()
	const lanes = 2
	cycles := 300
	if testing.Short() {
		cycles = 20
	}
	var wg sync.WaitGroup
	for range lanes {
		wg.Go(func() {
			for range cycles / lanes {
				if err := cycle(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	waitFor(t, func() bool { return descriptors(t) <= fds && runtime.NumGoroutine() <= goroutines })
	if s := p.Stats(); s.Running != 0 || s.Started < uint64(cycles) || s.Abandoned != 0 {
		t.Errorf("%+v", s)
	}
	waitFor(t, func() bool { return len(children(t)) == 0 })
}
