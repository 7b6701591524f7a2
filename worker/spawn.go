package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"time"
)

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
	if err := p.starts.of(s.Job.Role).wait(ctx); err != nil {
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
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, ErrClosed
	}
	return process, nil
}

// launch tries the isolations that the system may permit, best first, and remembers which it does.
func (p *Pool) launch(r request, box *sandbox, theirs *os.File, stderr *tail) (*exec.Cmd, error) {
	if !r.spec.Isolate {
		cmd := p.command(r.path, theirs, stderr)
		cmd.SysProcAttr = attributes()
		return cmd, cmd.Start()
	}
	var first error
	for i, level := range box.levels() {
		cmd := p.command(r.path, theirs, stderr)
		cleanup, err := level.apply(cmd)
		if err == nil {
			err = cmd.Start()
			cleanup()
		}
		if err == nil {
			if i > 0 {
				p.o.Log.Warn("Workers can't be isolated as they should be", "worker", p.o.Name, "missing", level.missing, "err", first)
			}
			box.keep(i)
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

func (p *Pool) command(path string, theirs *os.File, stderr *tail) *exec.Cmd {
	env := p.o.Environ
	if env == nil {
		env = Environ(os.Environ())
	}
	env = append([]string{}, env...) // never nil, which would pass on all that we have
	return &exec.Cmd{
		Path: path, Args: []string{p.o.Name},
		Env:    append(env, p.registry.environ()...),
		Stdout: stderr, Stderr: stderr, WaitDelay: lastWords,
		ExtraFiles: []*os.File{theirs}, // the first becomes wire.FD
	}
}

func (p *Pool) launchError(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		p.location.forget()
		return p.notInstalled()
	}
	return fmt.Errorf("start %s: %w", p.o.Name, err)
}
