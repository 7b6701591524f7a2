package worker

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sluice/media"
	"sluice/worker/wire"
)

const patience = 20 * time.Second

// fast is the environment of a worker that exits at once, also with the race detector in it.
var fast = []string{"GORACE=atexit_sleep_ms=0"}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// newPool is a pool of fakes that may start as many as they like.
func newPool(t *testing.T, o Options) *Pool {
	t.Helper()
	if o.Name == "" {
		o.Name = fakeName
	}
	if o.Path == "" {
		o.Path = self(t)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	p := New(o)
	p.starts = starts{viewers: newLimiter(1000, 1000), streams: newLimiter(1000, 1000), low: newLimiter(1000, 1000)}
	return p
}

func run(t *testing.T, p *Pool) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := p.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		if s := p.Stats(); s.Running != 0 {
			t.Errorf("%d processes are left after Run", s.Running)
		}
	})
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// spec is a job of one video input for a fake.
func spec(behaviour string) Spec {
	return Spec{Job: wire.Job{
		Role: wire.RoleTranscode, Pipeline: behaviour,
		Inputs: []wire.Port{{Name: "in", Kind: media.Video, Codec: media.H264}},
	}}
}

func start(t *testing.T, p *Pool, s Spec) *Process {
	t.Helper()
	process, err := p.Start(within(t), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Close)
	return process
}

func startOne(t *testing.T, s Spec) *Process {
	t.Helper()
	p := newPool(t, Options{Environ: fast})
	run(t, p)
	return start(t, p, s)
}

// next is the next event, which is of a kind.
func next(t *testing.T, p *Process, kind EventKind) Event {
	t.Helper()
	e, err := p.Next(within(t))
	if err != nil || e.Kind != kind {
		t.Fatalf("event %d, %v (%s); want event %d", e.Kind, err, stderrOf(err), kind)
	}
	return e
}

func stderrOf(err error) string {
	if exit := (*ExitError)(nil); errors.As(err, &exit) {
		return exit.Stderr
	}
	return ""
}

// last is the error at the process's end, which Next gives again and again.
func last(t *testing.T, p *Process) error {
	t.Helper()
	for {
		if _, err := p.Next(within(t)); err != nil {
			if _, again := p.Next(within(t)); !errors.Is(again, err) {
				t.Errorf("Next gives %v first and %v then", err, again)
			}
			return err
		}
	}
}

var keyframe = &wire.Message{Type: wire.TypeFrame, Flags: wire.Keyframe, PTS: 40, DTS: 30, Ext: 33, Payload: []byte("I")}

func TestFramesGoThere(t *testing.T) {
	p := startOne(t, spec("echo"))
	if !p.Write(keyframe, []byte("D"), []byte("R")) {
		t.Error("the frame was dropped before the process was ready")
	}
	next(t, p, EventReady)
	m := next(t, p, EventFrame).Frame
	if string(m.Payload) != "IDR" || m.PTS != 40 || m.DTS != 30 || m.Ext != 33 || m.Flags != wire.Keyframe {
		t.Errorf("%+v came back", m)
	}
	if p.Write(&wire.Message{Type: wire.TypeFrame, Track: 1}) {
		t.Error("a frame of a track without input was taken")
	}
	p.RequestKeyframe(3)
	if m = next(t, p, EventFrame).Frame; string(m.Payload) != "key request" || m.Track != 3 {
		t.Errorf("%+v after RequestKeyframe", m)
	}
	p.SetBitrate(2, 500_000)
	if m = next(t, p, EventFrame).Frame; string(m.Payload) != "bitrate" || m.Track != 2 || m.Ext != 500_000 {
		t.Errorf("%+v after SetBitrate", m)
	}
	p.Write(keyframe)
	p.EndOfStream()
	next(t, p, EventFrame)
	next(t, p, EventEOS)
	if s := p.Stats(); s.PID == 0 || s.Started.IsZero() || s.Dropped != 1 {
		t.Errorf("%+v", s)
	}
	p.Close()
	p.Close()
	if err := last(t, p); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if p.Write(keyframe) {
		t.Error("a closed process takes frames")
	}
}

func TestCapsAndReports(t *testing.T) {
	p := newPool(t, Options{})
	run(t, p)
	caps := start(t, p, spec("caps"))
	next(t, caps, EventReady)
	if c := next(t, caps, EventCaps).Caps; c.Width != 640 || c.Height != 360 {
		t.Errorf("%+v", c)
	}
	report := start(t, p, spec("report 5000"))
	next(t, report, EventReady)
	waitFor(t, func() bool { s := report.Stats(); return s.In == 7 && s.RSS == 5000 })
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for ctx := within(t); !ok(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("it did not come to pass")
		}
	}
}

func TestMissingAndOff(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		want string
		as   any
	}{
		"not in PATH": {Options{Name: "gateway-absent", Path: "auto", Install: "install the package sluice-absent"}, "gateway-absent is not installed: install the package sluice-absent", new(*NotInstalledError)},
		"not there":   {Options{Name: "gateway-absent", Path: "/nonexistent/gateway-absent"}, "gateway-absent is not at /nonexistent/gateway-absent", new(*NotInstalledError)},
		"a folder":    {Options{Name: "gateway-absent", Path: "/tmp"}, "gateway-absent is not at /tmp", new(*NotInstalledError)},
		"off":         {Options{Name: "gateway-gst", Path: "off", Key: "transcode.worker"}, "gateway-gst is switched off by transcode.worker", new(*OffError)},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, c.o)
			run(t, p)
			_, err := p.Start(within(t), spec("echo"))
			for what, err := range map[string]error{"Err": p.Err(), "Start": err} {
				if err == nil || err.Error() != c.want || !errors.As(err, c.as) {
					t.Errorf("%s: %v, want %q", what, err, c.want)
				}
			}
		})
	}
}

func TestProgramThatIsInstalledLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), fakeName)
	p := newPool(t, Options{Path: path})
	run(t, p)
	if p.Err() == nil {
		t.Fatal("there is no program, and no error")
	}
	if err := os.Symlink(self(t), path); err != nil {
		t.Fatal(err)
	}
	p.location.forget() // 2 s have passed
	process := start(t, p, spec("echo"))
	next(t, process, EventReady)
	os.Remove(path)
	if _, err := p.Start(within(t), spec("echo")); !errors.As(err, new(*NotInstalledError)) {
		t.Errorf("the program has gone: %v", err)
	}
}

func TestProgramBesideOurOwn(t *testing.T) {
	l := location{name: filepath.Base(self(t)), setting: "auto"}
	if got := l.find(time.Now()); got != self(t) {
		t.Errorf("found %q, want %q", got, self(t))
	}
}

func TestStartWaitsForRunAndEndsWithIt(t *testing.T) {
	p := newPool(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Start(ctx, spec("echo")); !errors.Is(err, context.Canceled) {
		t.Errorf("before Run: %v", err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { must(p.Run(ctx)) })
	process, err := p.Start(within(t), spec("echo"))
	if err != nil {
		t.Fatal(err)
	}
	next(t, process, EventReady)
	cancel()
	wg.Wait()
	if err := last(t, process); !errors.Is(err, ErrClosed) {
		t.Errorf("after Run: %v", err)
	}
	if _, err := p.Start(within(t), spec("echo")); !errors.Is(err, ErrClosed) {
		t.Errorf("Start after Run: %v", err)
	}
}

// A system driver may hold a process for ever (J186): nobody waits for it then.
func TestProcessThatCannotBeKilled(t *testing.T) {
	p := newPool(t, Options{})
	p.patience = 50 * time.Millisecond
	p.killProcess = func(*os.Process) error { return nil }
	run(t, p)
	s := spec("never")
	s.Start = 50 * time.Millisecond
	process := start(t, p, s)
	if err := last(t, process); !errors.As(err, new(*HungError)) {
		t.Errorf("%v", err)
	}
	if n := p.Stats().Abandoned; n != 1 {
		t.Errorf("%d processes were abandoned, want 1", n)
	}
	must(process.cmd.Process.Kill())
	waitFor(t, func() bool { return !alive(process.cmd.Process.Pid) })
}
