package worker

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/worker/wire"
)

func decode(t *testing.T, e Event, v any) {
	t.Helper()
	if err := json.Unmarshal(e.Result, v); err != nil {
		t.Fatal(err)
	}
}

// J182: a process that fails in any way is an error of its owner, with a reason.
func TestEnds(t *testing.T) {
	const brief = 200 * time.Millisecond
	limit := func(s Spec, set func(*Spec)) Spec { set(&s); return s }
	for name, c := range map[string]struct {
		spec Spec
		as   any
		text string // part of the error
	}{
		"SIGKILL":                {spec("signal 9"), new(*ExitError), "was killed by SIGKILL"},
		"SIGSEGV of a Go worker": {spec("signal 11"), new(*ExitError), "exited with status 2 (SIGSEGV: segmentation violation)"},
		"SIGSEGV":                {spec("shell kill -SEGV $$"), new(*ExitError), "was killed by SIGSEGV"},
		"SIGSTOP":                {limit(spec("signal 19"), func(s *Spec) { s.Heartbeat = 2 * brief }), new(*HungError), "answered no ping for 400ms and was killed"},
		"exit":                   {spec("exit 7"), new(*ExitError), "exited with status 7"},
		"exit without a reason":  {spec("exit 0"), new(*ExitError), "exited with status 0"},
		"panic":                  {spec("panic at the disco"), new(*ExitError), "exited with status 2 (panic: at the disco)"},
		"never ready":            {limit(spec("never"), func(s *Spec) { s.Start = brief }), new(*HungError), "was not ready for 200ms and was killed"},
		"no first output":        {limit(spec("silent"), func(s *Spec) { s.FirstOutput = brief }), new(*HungError), "gave no output for 200ms and was killed"},
		"silence":                {limit(spec("tire 3"), func(s *Spec) { s.Silence, s.Heartbeat = brief, time.Minute }), new(*HungError), "fell silent for 200ms and was killed"},
		"silence, and no input":  {limit(spec("tire-deaf 3"), func(s *Spec) { s.Silence, s.Heartbeat = brief, time.Minute }), new(*HungError), "fell silent for 200ms and was killed"},
		"no output of a source":  {limit(Spec{Job: wire.Job{Role: wire.RoleSource, Pipeline: "idle"}}, func(s *Spec) { s.FirstOutput = brief }), new(*HungError), "gave no output"},
		"silence of a source":    {limit(Spec{Job: wire.Job{Role: wire.RoleSource, Pipeline: "produce"}}, func(s *Spec) { s.Silence = brief }), new(*HungError), "fell silent"},
		"it says it is large":    {limit(spec("report 3000000000"), func(*Spec) {}), new(*MemoryError), "used 2861 MB of memory, more than the 1024 MB"},
		"it is large":            {limit(spec("allocate 200000000"), func(s *Spec) { s.Memory, s.Heartbeat = 100<<20, time.Minute }), new(*MemoryError), "more than the 100 MB"},
		"garbage":                {spec("garbage"), new(*ProtocolError), "does not speak as a worker does"},
		"no JSON":                {spec("bad-json"), new(*ProtocolError), `"caps"`},
		"a large report":         {spec("large"), new(*ProtocolError), `"caps" has 2097152 bytes`},
		"hangs up":               {spec("hang-up"), new(*ProtocolError), "closed the connection"},
		"another version":        {spec("version"), new(*VersionError), `release "v9" speaks version 99`},
		"takes no data":          {limit(spec("deaf"), func(s *Spec) { s.Heartbeat = 2 * brief }), new(*HungError), "for 400ms and was killed"},
		"fault":                  {spec("fault element"), new(*wire.Fault), "the pipeline failed: src: no rtsp://me:***@host/s"},
		"EOS":                    {spec("eos"), new(*wire.Fault), "the pipeline has ended"},
		"EOS, and it stays":      {spec("eos-stay"), new(*wire.Fault), "the pipeline has ended"},
		"EOS, then the fault":    {spec("eos-fault"), new(*wire.Fault), "the pipeline failed"},
		"EOS, then a crash":      {spec("eos-crash"), new(*ExitError), "exited with status 1"},
	} {
		t.Run(name, func(t *testing.T) {
			p := startOne(t, c.spec)
			feed(t, p)
			err := last(t, p)
			if !errors.As(err, c.as) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%T %v, want %T %q (%s)", err, err, c.as, c.text, stderrOf(err))
			}
		})
	}
}

// feed writes a large frame each few ms until the test ends.
func feed(t *testing.T, p *Process) {
	t.Helper()
	var wg sync.WaitGroup
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop); wg.Wait() })
	wg.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		payload := make([]byte, 20_000)
		for {
			p.Write(&wire.Message{Type: wire.TypeFrame, Flags: wire.Keyframe}, payload)
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	})
}

func TestTypesOfTheFutureAreSkipped(t *testing.T) {
	p := startOne(t, spec("unknown"))
	p.Write(keyframe)
	next(t, p, EventReady)
	next(t, p, EventFrame)
}

// A worker that has been taken over may say anything twice: its owner hears once that it is ready.
func TestReadyIsHeardOnce(t *testing.T) {
	p := startOne(t, spec("ready-again"))
	p.Write(keyframe)
	next(t, p, EventReady)
	next(t, p, EventFrame)
}

func TestStubbornProcessIsKilled(t *testing.T) {
	p := startOne(t, spec("stubborn"))
	next(t, p, EventReady)
	before := time.Now()
	p.Close()
	if took := time.Since(before); took < stopPatience {
		t.Errorf("it was killed after %v, want %v", took, stopPatience)
	}
	if err := last(t, p); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}

// A process that reads nothing never makes Write wait.
func TestWriteNeverWaits(t *testing.T) {
	s := spec("deaf")
	s.Heartbeat = time.Minute
	p := startOne(t, s)
	next(t, p, EventReady)
	payload := make([]byte, 100_000)
	written := make(chan uint64, 1)
	go func() {
		taken := uint64(0)
		for i := range 10_000 {
			m := &wire.Message{Type: wire.TypeFrame}
			if i%100 == 0 {
				m.Flags = wire.Keyframe
			}
			if p.Write(m, payload) {
				taken++
			}
		}
		written <- taken
	}()
	select {
	case taken := <-written:
		if dropped := p.Stats().Dropped; dropped < 10_000-taken || dropped == 0 || taken == 0 {
			t.Errorf("%d taken, %d dropped", taken, dropped)
		}
	case <-within(t).Done():
		t.Fatal("Write waits")
	}
	p.kill(ErrClosed) // it would not hear a word
}

// Nobody who is slow to take events makes a healthy process look hung.
func TestSlowReaderIsNotTheProcessesFault(t *testing.T) {
	s := spec("flood 1000")
	s.Heartbeat, s.Silence = time.Second, time.Second // the machine may give it no time for a while
	p := startOne(t, s)
	next(t, p, EventReady)
	waitFor(t, func() bool { return len(p.events) == cap(p.events) })
	begin := time.Now()
	waitFor(t, func() bool { // it has been looked at for longer than it may be silent
		p.watchdog.mu.Lock()
		defer p.watchdog.mu.Unlock()
		return p.watchdog.checked.Sub(begin) > 2*s.Heartbeat
	})
	for i := range 1000 {
		if m := next(t, p, EventFrame).Frame; m.PTS != int64(i) {
			t.Fatalf("frame %d, want %d", m.PTS, i)
		}
	}
	p.Write(keyframe)
	next(t, p, EventFrame)
}

func TestEndOfAProcessThatNobodyReads(t *testing.T) {
	p := startOne(t, spec("flood 10000"))
	waitFor(t, func() bool { return len(p.events) == cap(p.events) })
	p.Close()
}

// I40, J162: neither the log nor an error shows a password.
func TestWhatIsPrinted(t *testing.T) {
	long := strings.Repeat("rtsp://me:hunter2@host/stream ", 300)
	for name, c := range map[string]struct{ job, want, status string }{
		"stderr": {"print one|rtsp://me:hunter2@host/s|two", "one\nrtsp://me:***@host/s\ntwo", "exited with status 3"},
		"stdout": {"stdout hello", "hello", "exited with status 3"},
		"long":   {"print " + long, "rtsp://me:***@host/stream rtsp", "exited with status 3"},
		"cause":  {"print panic: rtsp://me:hunter2@host/s is bad|" + long, "rtsp://me:***@host/stream rtsp", "exited with status 3 (panic: rtsp://me:***@host/s is bad)"},
	} {
		t.Run(name, func(t *testing.T) {
			err := last(t, startOne(t, spec(c.job)))
			exit := (*ExitError)(nil)
			if !errors.As(err, &exit) || !strings.HasPrefix(exit.Stderr, c.want) || exit.Status != c.status {
				t.Fatalf("%v: %q", err, stderrOf(err))
			}
			if strings.Contains(exit.Stderr+exit.Error(), "hunter2") || len(exit.Stderr) > tailSize {
				t.Errorf("%d bytes: %q", len(exit.Stderr), exit.Stderr)
			}
		})
	}
}

// records keeps what is logged.
type records struct {
	mu   sync.Mutex
	text []string
}

func (r *records) Enabled(context.Context, slog.Level) bool { return true }
func (r *records) WithGroup(string) slog.Handler            { return r }
func (r *records) WithAttrs([]slog.Attr) slog.Handler       { return r }

func (r *records) Handle(_ context.Context, record slog.Record) error {
	text := record.Level.String() + " " + record.Message
	record.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text = append(r.text, text)
	return nil
}

func (r *records) count(part string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.text {
		if strings.Contains(t, part) {
			n++
		}
	}
	return n
}

func TestLogOfAProcess(t *testing.T) {
	var logged records
	p := newPool(t, Options{Log: slog.New(&logged)})
	run(t, p)
	next(t, start(t, p, spec("log")), EventReady)
	waitFor(t, func() bool { return logged.count("at rtsp://me:***@host/s now") == 1 })
	_ = last(t, start(t, p, spec("fault element")))
	if n := logged.count("more=as rtsp://me:***@host/s says"); n != 1 {
		t.Errorf("what is more of a fault was told %d times", n)
	}
	var other records
	s := spec("log")
	s.Log = slog.New(&other)
	next(t, start(t, p, s), EventReady)
	waitFor(t, func() bool { return other.count("at rtsp://me:***@host/s now") == 1 })
}

// What a process prints is there for who looks for it, and for all when GStreamer is made to talk.
func TestPrintsAreLogged(t *testing.T) {
	for debug, want := range map[string]string{"": "DEBUG", "0": "DEBUG", "3": "INFO"} {
		var logged records
		p := newPool(t, Options{Log: slog.New(&logged), Environ: []string{"GST_DEBUG=" + debug}})
		run(t, p)
		_ = last(t, start(t, p, spec("print one|user-pw=hunter2|\ttwo|"+strings.Repeat("x\n", 500))))
		for _, line := range []string{"one", "user-pw=***", "two"} {
			if n := logged.count(want + " A worker prints text=" + line); n != 1 {
				t.Errorf("GST_DEBUG=%s: %q was told %d times", debug, line, n)
			}
		}
		if n := logged.count("text=x"); n < 100 || n > 250 {
			t.Errorf("of 500 lines %d were told", n)
		}
	}
}

// J182: what a plugin has started goes with its worker, however that ends.
func TestChildrenGoWithTheWorker(t *testing.T) {
	for name, c := range map[string]string{"killed": "fork-stay", "exit": "fork-exit"} {
		t.Run(name, func(t *testing.T) {
			p := startOne(t, spec(c))
			next(t, p, EventReady)
			var child int
			decode(t, next(t, p, EventResult), &child)
			if name == "killed" {
				p.kill(&HungError{})
			}
			_ = last(t, p)
			waitFor(t, func() bool { return !alive(child) })
		})
	}
}

// J187: workers see nothing of our environment but what they need.
func TestEnvironment(t *testing.T) {
	t.Setenv("SLUICE_SECRET", "hunter2")
	t.Setenv("GST_PLUGIN_FEATURE_RANK", "x:1")
	t.Setenv("GST_DEBUG", "2")
	for name, c := range map[string]struct {
		environ []string
		has     []string
		hasNot  []string
	}{
		"ours":     {nil, []string{"GST_DEBUG=2", "PATH=" + os.Getenv("PATH")}, []string{"SLUICE_SECRET", "GST_PLUGIN_FEATURE_RANK"}},
		"none":     {[]string{}, nil, []string{"SLUICE_SECRET", "GST_DEBUG", "PATH="}},
		"complete": {[]string{"A=b"}, []string{"A=b"}, []string{"SLUICE_SECRET", "GST_DEBUG", "PATH="}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, Options{Environ: c.environ})
			run(t, p)
			process := start(t, p, spec("result"))
			next(t, process, EventReady)
			var got state
			decode(t, next(t, process, EventResult), &got)
			all := "\n" + strings.Join(got.Environ, "\n") + "\n"
			for _, v := range c.has {
				if !strings.Contains(all, "\n"+v+"\n") {
					t.Errorf("%q is missing in %q", v, all)
				}
			}
			for _, v := range c.hasNot {
				if strings.Contains(all, "\n"+v) {
					t.Errorf("%q is in %q", v, all)
				}
			}
		})
	}
}

func TestIsolation(t *testing.T) {
	var logged records
	p := newPool(t, Options{Log: slog.New(&logged)})
	run(t, p)
	for range 2 {
		s := spec("result")
		s.Isolate = true
		process := start(t, p, s)
		next(t, process, EventReady)
		var got state
		decode(t, next(t, process, EventResult), &got)
		told := logged.count("can't be isolated")
		if told > 1 {
			t.Errorf("what is missing was told %d times", told)
		}
		if !got.Sandboxed {
			t.Error("the worker was not told to give up its rights")
		}
		if told == 1 {
			t.Logf("this system does not permit all: %q", logged.text)
			continue
		}
		if len(got.Interfaces) > 0 {
			t.Errorf("interfaces %v are up", got.Interfaces)
		}
		if os.Getuid() == 0 && (got.UID != nobody || got.GID != nobody) {
			t.Errorf("it is user %d of group %d", got.UID, got.GID)
		}
	}
}

func TestNiceness(t *testing.T) {
	s := spec("result low")
	s.Low = true
	p := startOne(t, s)
	next(t, p, EventReady)
	var got state
	decode(t, next(t, p, EventResult), &got)
	if !allAre(got.Nice, niceness) || !strings.HasPrefix(got.Stdout, "pipe:") {
		t.Errorf("%+v", got)
	}
}

// readableDir is a temporary folder that workers of another user can read.
func readableDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestRegistryIsMadeOnce(t *testing.T) {
	private := filepath.Join(t.TempDir(), "private")
	if err := os.Mkdir(private, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, cache := range map[string]string{"given": readableDir(t), "private": private, "not writable": "/proc/nothing"} {
		t.Run(name, func(t *testing.T) {
			used := name == "given" || name == "private" && os.Getuid() != 0
			p := newPool(t, Options{Name: GStreamer, CacheDir: cache, Environ: []string{}})
			run(t, p)
			for i := range 2 {
				s := spec("result")
				s.Isolate = i == 1
				process := start(t, p, s)
				next(t, process, EventReady)
				var got state
				decode(t, next(t, process, EventResult), &got)
				if file, found := strings.CutPrefix(got.Environ[0], "GST_REGISTRY="); !found || strings.HasPrefix(file, cache) != used {
					t.Errorf("the registry is %q", file)
				}
				if len(got.Environ) != 3 || got.Environ[1] != "GST_REGISTRY_UPDATE=no" || got.Environ[2] != goMemory || got.Registry != "registry" {
					t.Errorf("%q, registry %q", got.Environ, got.Registry)
				}
			}
			if n := p.Stats().Started; n != 3 {
				t.Errorf("%d processes were started, want 3: one for the registry", n)
			}
			probe := spec("fault missing_element")
			probe.Job.Role = wire.RoleProbe
			_ = last(t, start(t, p, probe))
			next(t, start(t, p, spec("echo")), EventReady)
			if n := p.Stats().Started; n != 5 {
				t.Errorf("%d processes were started, want 5: none for what was only tried out", n)
			}
			_ = last(t, start(t, p, spec("fault missing_element")))
			next(t, start(t, p, spec("echo")), EventReady)
			if n := p.Stats().Started; n != 8 {
				t.Errorf("%d processes were started, want 8: another for what has been installed", n)
			}
			if g, err := p.Greeting(within(t)); err != nil || g.Library != "Fake 1.0" {
				t.Errorf("%+v, %v", g, err)
			}
		})
	}
}

func TestGreetingStartsAProcessIfNeedBe(t *testing.T) {
	p := newPool(t, Options{})
	run(t, p)
	for range 2 {
		if g, err := p.Greeting(within(t)); err != nil || g.Worker != fakeName {
			t.Errorf("%+v, %v", g, err)
		}
	}
	if n := p.Stats().Started; n != 1 {
		t.Errorf("%d processes were started, want 1", n)
	}
}

func TestSignalsHaveNames(t *testing.T) {
	if got := signalName(63); got != "signal "+strconv.Itoa(63) {
		t.Error(got)
	}
}
