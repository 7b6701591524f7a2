package e2e

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program that a test has started. It ends with the test, and with the test binary if that is killed.
type process struct {
	name   string
	cmd    *exec.Cmd
	output *transcript   // standard output and standard error
	ended  chan struct{} // closed once it has exited
}

// start starts a program in a process group of its own and has it killed at the end of the test.
func start(t testing.TB, name string, cmd *exec.Cmd) *process {
	t.Helper()
	p, err := launch(name, cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// launch is start for programs that outlive a test; the caller kills them.
func launch(name string, cmd *exec.Cmd) (*process, error) {
	p := &process{name: name, cmd: cmd, output: newTranscript(), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.output, p.output
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	cmd.WaitDelay = 5 * time.Second // for grandchildren that hold the output
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait() // the state tells
		close(p.ended)
	}()
	return p, nil
}

// kill ends the process and its children without mercy and waits for it. It may be called twice.
func (p *process) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // of those that are left
	<-p.ended
}

// terminate asks the process to end and returns its exit code and how long it took; -1 if it did not within limit.
func (p *process) terminate(limit time.Duration) (code int, took time.Duration) {
	began := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	return p.exit(limit), time.Since(began)
}

// exit waits for the process to end by itself and returns its exit code; -1 if it did not within limit.
func (p *process) exit(limit time.Duration) int {
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		return -1
	}
}

// await waits for output that matches and returns its first group.
func (p *process) await(t testing.TB, pattern string, limit time.Duration) string {
	t.Helper()
	found, err := p.find(pattern, limit)
	if err != nil {
		t.Fatalf("%s: %v: nothing matches %s in\n%s", p.name, err, pattern, p.output)
	}
	return found
}

func (p *process) find(pattern string, limit time.Duration) (string, error) {
	re := regexp.MustCompile(pattern)
	deadline := time.After(limit)
	for {
		grown := p.output.grown()
		if m := re.FindStringSubmatch(p.output.String()); m != nil {
			return m[len(m)-1], nil
		}
		select {
		case <-grown:
		case <-p.ended:
			if m := re.FindStringSubmatch(p.output.String()); m != nil {
				return m[len(m)-1], nil
			}
			return "", errors.New("has ended")
		case <-deadline:
			return "", errors.New("too late")
		}
	}
}

// transcript gathers what a process says.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer  // guarded by mu
	more chan struct{} // guarded by mu; closed at the next write
}

func newTranscript() *transcript { return &transcript{more: make(chan struct{})} }

func (b *transcript) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.more)
	b.more = make(chan struct{})
	return b.text.Write(p)
}

func (b *transcript) grown() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.more
}

func (b *transcript) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

var _ io.Writer = (*transcript)(nil)

// command is a program of the machine, in the C locale.
func command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	return c
}

// eventually asks again and again until ok says nothing more, and fails the test with its words at the limit.
func eventually(t testing.TB, limit time.Duration, missing func() string) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		words := missing()
		if words == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", limit, words)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
