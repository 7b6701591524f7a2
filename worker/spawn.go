package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"sluice/worker/wire"
)

// goMemory has the Go side of a worker, through which frames pass only coded, collect its garbage early: many workers
// share a small machine.
const goMemory = "GOMEMLIMIT=24MiB"

// request asks the forker for a process.
type request struct {
	spec  Spec
	path  string
	reply chan<- reply // capacity 1, so that nobody waits for who has gone
}

type reply struct {
	process *Process
	err     error
}

// spawn starts a process when it is its turn.
func (p *Pool) spawn(ctx context.Context, s Spec) (*Process, error) {
	if err := p.starts.of(&s).wait(ctx); err != nil {
		return nil, err
	}
	path := p.location.find(time.Now())
	if path == "" {
		return nil, p.notInstalled()
	}
	answer := make(chan reply, 1)
	select {
	case p.requests <- request{spec: s, path: path, reply: answer}:
		r := <-answer
		return r.process, r.err
	case <-p.ended:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// fork starts all processes, on one thread that lives longer than they: the system kills a process when the thread
// that started it ends (PR_SET_PDEATHSIG), which is how no worker outlives a gateway that was killed.
func (p *Pool) fork(enough <-chan struct{}) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var box sandbox
	for {
		select {
		case r := <-p.requests:
			process, err := p.start(r, &box)
			r.reply <- reply{process, err}
		case <-enough:
			return
		}
	}
}

func (p *Pool) start(r request, box *sandbox) (*Process, error) {
	conn, theirs, err := socketpair()
	if err != nil {
		return nil, fmt.Errorf("make a connection to %s: %w", p.o.Name, err)
	}
	defer theirs.Close()
	stderr := new(tail)
	cmd, err := p.launch(r, box, theirs, stderr)
	if err != nil {
		conn.Close()
		return nil, p.launchError(err)
	}
	if r.spec.Low {
		lower(cmd.Process.Pid)
	}
	process := newProcess(p, r.spec, cmd, conn, stderr)
	if !p.add(process) {
		conn.Close()
		_ = killGroup(cmd.Process)
		_ = cmd.Wait()
		return nil, ErrClosed
	}
	return process, nil
}

// launch tries the isolations that the system may permit, best first, and remembers which it does. What runs a user's
// pipeline or opens a device has our own rights, which it may need.
func (p *Pool) launch(r request, box *sandbox, theirs *os.File, stderr *tail) (*exec.Cmd, error) {
	if !r.spec.Isolate {
		p.tellRoot(r.spec.Job.Role)
		cmd := p.command(r.path, theirs, stderr)
		cmd.SysProcAttr = attributes()
		return cmd, cmd.Start()
	}
	var first error
	for i, level := range box.levels(time.Now()) {
		cmd := p.command(r.path, theirs, stderr)
		cleanup, err := level.apply(cmd)
		if err == nil {
			err = cmd.Start()
			cleanup()
		}
		if err == nil {
			if i > 0 && level.missing != box.told {
				p.o.Log.Warn("Workers can't be isolated as they should be", "worker", p.o.Name, "missing", level.missing, "err", first)
				box.told = level.missing
			}
			box.keep(i, first, time.Now())
			return cmd, nil
		}
		if first == nil {
			first = err
		}
		if !refused(err) {
			return nil, err
		}
	}
	return nil, first
}

// tellRoot tells once that a pipeline has more rights than it should.
func (p *Pool) tellRoot(r wire.Role) {
	if os.Geteuid() != 0 || r != wire.RoleSource && r != wire.RoleSink && r != wire.RoleDevice {
		return
	}
	p.rootTold.Do(func() {
		p.o.Log.Warn("Pipelines and devices run as root, as the gateway does: start it as a user of its own", "worker", p.o.Name)
	})
}

func (p *Pool) command(path string, theirs *os.File, stderr *tail) *exec.Cmd {
	env := append([]string{}, p.environ()...) // never nil, which would pass on all that we have
	env = append(env, p.registry.environ()...)
	if p.o.Name == GStreamer {
		env = append(env, goMemory)
	}
	return &exec.Cmd{
		Path: path, Args: []string{p.o.Name},
		Env:    env,
		Stdout: stderr, Stderr: stderr, WaitDelay: lastWords,
		ExtraFiles: []*os.File{theirs}, // the first becomes wire.FD
	}
}

// environ is what workers see of our environment.
func (p *Pool) environ() []string {
	if p.o.Environ != nil {
		return p.o.Environ
	}
	return Environ(os.Environ())
}

// talks tells that somebody wants to read what GStreamer prints.
func (p *Pool) talks() bool {
	return slices.ContainsFunc(p.environ(), func(v string) bool {
		level, found := strings.CutPrefix(v, "GST_DEBUG=")
		return found && level != "" && level != "0"
	})
}

func (p *Pool) launchError(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		p.location.forget()
		return p.notInstalled()
	}
	return fmt.Errorf("start %s: %w", p.o.Name, err)
}
