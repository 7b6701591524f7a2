package worker

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/worker/wire"
)

// What the system refuses once is asked for again after a while, and at once if it only lacked room.
func TestSandboxIsTriedAgain(t *testing.T) {
	var b sandbox
	now := time.Now()
	all := b.levels(now)
	for name, c := range map[string]struct {
		why  error
		left int // of all levels, the next time
	}{
		"no right": {&os.PathError{Op: "fork/exec", Err: unix.EPERM}, len(all) - 1},
		"no room":  {&os.PathError{Op: "fork/exec", Err: unix.ENOSPC}, len(all)},
	} {
		b = sandbox{}
		b.keep(1, c.why, now)
		if got := len(b.levels(now.Add(time.Second))); got != c.left {
			t.Errorf("%s: %d levels are left, want %d", name, got, c.left)
		}
		b.keep(0, nil, now.Add(again))
		if got := len(b.levels(now.Add(again + time.Second))); got != len(all) {
			t.Errorf("%s: %d levels are left later, want %d", name, got, len(all))
		}
	}
}

// A small machine's workers may have half of it.
func TestDefaultMemory(t *testing.T) {
	all := machineMemory()
	if all < 64<<20 {
		t.Fatalf("this machine has %d bytes", all)
	}
	if got := (Spec{}).normal().Memory; got != min(1<<30, all/2) {
		t.Errorf("a worker may have %d of %d bytes", got, all)
	}
}

// That pipelines have root's rights is told once, and only of those that are not isolated.
func TestRootIsTold(t *testing.T) {
	var logged records
	p := newPool(t, Options{Log: slog.New(&logged)})
	run(t, p)
	transcoder := spec("echo")
	next(t, start(t, p, transcoder), EventReady)
	if n := logged.count("run as root"); n != 0 {
		t.Errorf("a transcoder: told %d times", n)
	}
	for range 2 {
		source := spec("echo")
		source.Job.Role = wire.RoleSource
		next(t, start(t, p, source), EventReady)
	}
	want := 0
	if os.Geteuid() == 0 {
		want = 1
	}
	if n := logged.count("run as root"); n != want {
		t.Errorf("told %d times, want %d", n, want)
	}
}
