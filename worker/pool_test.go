package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
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

func TestWarmProcessGetsTheJob(t *testing.T) {
	p := newPool(t, Options{Warm: 1, WarmElements: []string{"x264enc"}})
	run(t, p)
	waitFor(t, func() bool { return p.Stats().Warm == 1 })
	plain := start(t, p, spec("echo"))
	next(t, plain, EventReady)
	if n := p.Stats().Warm; n != 1 {
		t.Error("a job that is not isolated took the warm process")
	}
	sound := spec("echo")
	sound.Isolate, sound.Job.Outputs = true, []wire.Port{{Name: "out", Kind: media.Audio}}
	next(t, start(t, p, sound), EventReady)
	if n := p.Stats().Warm; n != 1 {
		t.Error("a job of sound took the warm process")
	}
	snapshot := spec("echo")
	snapshot.Isolate, snapshot.Low = true, true
	next(t, start(t, p, snapshot), EventReady)
	if n := p.Stats().Warm; n != 1 {
		t.Error("a snapshot took the warm process")
	}
	p.mu.Lock()
	pid := p.warm[0].cmd.Process.Pid
	p.mu.Unlock()
	s := spec("echo")
	s.Isolate = true
	process := start(t, p, s)
	next(t, process, EventReady)
	if process.Stats().PID != pid {
		t.Error("the job went to another process")
	}
	waitFor(t, func() bool { return p.Stats().Warm == 1 }) // there is another one
}

// What replaces a warm process does not start beside its job, which has the processors to itself at first.
func TestWarmProcessIsReplacedLater(t *testing.T) {
	p := newPool(t, Options{Warm: 1})
	run(t, p)
	s := spec("echo")
	s.Isolate = true
	for range 2 {
		waitFor(t, func() bool { return p.Stats().Warm == 1 })
		took := time.Now()
		next(t, start(t, p, s), EventReady)
		waitFor(t, func() bool { return p.Stats().Warm == 1 })
		p.mu.Lock()
		since := p.warm[0].since
		p.mu.Unlock()
		if wait := since.Sub(took); wait < warmPause {
			t.Errorf("another one was started %v after the job", wait)
		}
	}
}

func TestWarmProcessThatDiesIsReplaced(t *testing.T) {
	p := newPool(t, Options{Warm: 1})
	run(t, p)
	pid := 0
	warm := func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		was := pid
		if len(p.warm) == 1 {
			pid = p.warm[0].cmd.Process.Pid
		}
		return pid != was
	}
	waitFor(t, warm)
	must(syscall.Kill(pid, syscall.SIGKILL))
	waitFor(t, warm)
}

// 300 cycles leave nothing behind.
func TestCyclesLeaveNothing(t *testing.T) {
	p := newPool(t, Options{Environ: fast})
	run(t, p)
	cycle := func() {
		process, err := p.Start(within(t), spec("echo"))
		if err != nil {
			t.Fatal(err)
		}
		next(t, process, EventReady)
		process.Write(keyframe)
		next(t, process, EventFrame)
		process.Close()
	}
	cycle()
	before := descriptors(t)
	cycles := 300
	if testing.Short() {
		cycles = 20
	}
	for range cycles {
		cycle()
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors are open, %d were before", after, before)
	}
	if s := p.Stats(); s.Running != 0 || s.Started != uint64(cycles+1) {
		t.Errorf("%+v", s)
	}
	if c := children(t); len(c) > 0 {
		t.Errorf("processes %v are left", c)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// children are our processes, zombies among them.
func children(t *testing.T) []string {
	t.Helper()
	var all []string
	files, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, _ := os.ReadFile(f)
		all = append(all, strings.Fields(string(b))...)
	}
	return all
}

func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(b), ") ")
	return err == nil && !strings.HasPrefix(after, "Z")
}

func TestManyAtOnce(t *testing.T) {
	p := newPool(t, Options{Warm: 2})
	run(t, p)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			s := spec("echo")
			s.Isolate = i%2 == 0
			process, err := p.Start(within(t), s)
			if err != nil {
				t.Error(err)
				return
			}
			defer process.Close()
			process.Write(keyframe)
			for _, kind := range []EventKind{EventReady, EventFrame} {
				if e, err := process.Next(within(t)); err != nil || e.Kind != kind {
					t.Errorf("%+v, %v", e, err)
				}
			}
		})
	}
	wg.Wait()
}

// fakeGateway starts a worker, tells its PID and waits to be killed.
func fakeGateway() {
	path, _ := os.Executable()
	p := New(Options{Name: fakeName, Path: path, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	go func() { must(p.Run(context.Background())) }()
	for range 3 { // the thread that starts them lives on between
		process, err := p.Start(context.Background(), Spec{Job: wire.Job{Role: wire.RoleSource, Pipeline: "deaf"}, Isolate: true})
		if err != nil {
			panic(err)
		}
		if _, err := process.Next(context.Background()); err != nil {
			panic(err)
		}
		fmt.Println(process.Stats().PID)
	}
	fmt.Println("ready")
	block()
}

func TestWorkersDieWithTheGateway(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	gateway, err := os.StartProcess(self(t), []string{parentName}, &os.ProcAttr{Env: []string{}, Files: []*os.File{nil, w, os.Stderr}})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	var text string
	for buf := make([]byte, 64); !strings.Contains(text, "ready"); {
		n, err := r.Read(buf)
		if err != nil {
			t.Fatalf("the gateway said %q: %v", text, err)
		}
		text += string(buf[:n])
	}
	must(gateway.Kill())
	_, err = gateway.Wait()
	must(err)
	for _, line := range slices.DeleteFunc(strings.Fields(text), func(s string) bool { return s == "ready" }) {
		pid, _ := strconv.Atoi(line)
		waitFor(t, func() bool { return !alive(pid) })
	}
}
