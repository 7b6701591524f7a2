package worker

import (
	"syscall"
	"testing"
	"time"

	"sluice/media"
	"sluice/worker/wire"
)

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
