//go:build gstreamer

package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"sluice/worker/wire"
)

// asWorker in the environment makes the test binary the worker that it tests, so that what runs is what was built, with
// the race detector if the test has it.
const asWorker = "SLUICE_TEST_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(asWorker) != "" {
		main()
		return
	}
	os.Setenv("GST_REGISTRY", filepath.Join(os.TempDir(), "sluice-test-registry.bin"))
	goleak.VerifyTestMain(m)
}

// patience bounds every wait; only a failing test takes so long. The gateway gives a worker 2 s to end, which are soon
// there; farewell is what a test allows on a machine that stands still for a moment.
const (
	patience = 20 * time.Second
	farewell = 10 * time.Second
)

// process is a worker and the gateway's end of its socket.
type process struct {
	t        testing.TB
	cmd      *exec.Cmd
	conn     net.Conn
	w        *wire.Writer
	messages chan wire.Message // closed when the worker has closed its end
	exited   chan struct{}
	stderr   bytes.Buffer
	greeting wire.Greeting
	caps     map[uint8]wire.Caps
	logs     []string
}

// start runs a worker and waits for its greeting.
func start(t testing.TB, env ...string) *process {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	conn, err := net.FileConn(ours)
	ours.Close()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{
		t: t, conn: conn, w: wire.NewWriter(conn), messages: make(chan wire.Message, 4096),
		exited: make(chan struct{}), caps: map[uint8]wire.Caps{},
	}
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(append(os.Environ(), asWorker+"=1", "GORACE=atexit_sleep_ms=0"), env...)
	p.cmd.ExtraFiles = []*os.File{theirs}
	p.cmd.Stderr = &p.stderr
	if err = p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	go p.receive()
	t.Cleanup(p.end)
	m := p.next()
	if m.Type != wire.TypeHello || m.Decode(&p.greeting) != nil {
		t.Fatalf("the first message is %s, want hello", m.Type)
	}
	return p
}

// run gives a new worker its job.
func run(t testing.TB, job wire.Job, env ...string) *process {
	t.Helper()
	p := start(t, env...)
	p.send(wire.JSON(wire.TypeConfig, job))
	return p
}

// play is run, and waits until the pipeline is ready.
func play(t testing.TB, job wire.Job, env ...string) *process {
	t.Helper()
	p := run(t, job, env...)
	p.wait(wire.TypeReady)
	return p
}

// receive passes on what the worker says until it has gone.
func (p *process) receive() {
	defer close(p.exited)
	defer close(p.messages)
	for r := wire.NewReader(p.conn); ; {
		m, err := r.Next()
		if err != nil {
			break
		}
		p.messages <- m
	}
	var status *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &status) {
		p.t.Error(err)
	}
}

// end kills what still runs.
func (p *process) end() {
	_ = p.cmd.Process.Kill() // it may have gone
	p.conn.Close()
	for range p.messages {
	}
	<-p.exited
	if p.t.Failed() {
		p.t.Logf("the worker's standard error:\n%s", p.stderr.String())
	}
}

func (p *process) send(m *wire.Message) {
	p.t.Helper()
	if err := p.w.Write(m); err != nil {
		p.t.Fatalf("send %s: %v", m.Type, err)
	}
}

// next is the next message that is no matter of course: statistics, logs and pongs are, and caps are kept.
func (p *process) next() wire.Message {
	p.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case m, ok := <-p.messages:
			if !ok {
				p.t.Fatalf("the worker has gone:\n%s", p.stderr.String())
			}
			switch m.Type {
			case wire.TypeStats, wire.TypePong:
			case wire.TypeLog:
				p.logs = append(p.logs, string(m.Payload))
			case wire.TypeCaps:
				var c wire.Caps
				if err := m.Decode(&c); err != nil {
					p.t.Fatal(err)
				}
				p.caps[c.Track] = c
			default:
				return m
			}
		case <-timer.C:
			p.t.Fatalf("nothing came from the worker for %v", patience)
		}
	}
}

// wait is the next message, which has to be of a type.
func (p *process) wait(want wire.Type) wire.Message {
	p.t.Helper()
	m := p.next()
	if m.Type != want {
		p.t.Fatalf("the worker says %s %s, want %s", m.Type, firstOf(m.Payload), want)
	}
	return m
}

// fault waits for the fault that the worker ends with; frames before it don't matter.
func (p *process) fault() *wire.Fault {
	p.t.Helper()
	for began := time.Now(); ; {
		m := p.next()
		if time.Since(began) > patience {
			p.t.Fatalf("it goes on though it should fail: %s", m.Type)
		}
		switch m.Type {
		case wire.TypeFrame, wire.TypeReady, wire.TypeEOS:
			continue
		case wire.TypeError:
		default:
			p.t.Fatalf("the worker says %s, want an error", m.Type)
		}
		f := new(wire.Fault)
		if err := m.Decode(f); err != nil {
			p.t.Fatal(err)
		}
		return f
	}
}

// first waits for the next message of a type that is a matter of course for others.
func (p *process) first(want wire.Type) wire.Message {
	p.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case m, ok := <-p.messages:
			if !ok {
				p.t.Fatal("the worker has gone")
			}
			if m.Type == want {
				return m
			}
		case <-timer.C:
			p.t.Fatalf("no %s came for %v", want, patience)
		}
	}
}

// gone waits for the worker's end and returns its exit code.
func (p *process) gone(within time.Duration) int {
	p.t.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		select {
		case <-p.messages:
		case <-p.exited:
			return p.cmd.ProcessState.ExitCode()
		case <-timer.C:
			p.t.Fatalf("the worker lives %v after it was told to end", within)
		}
	}
}

func firstOf(b []byte) string { return strings.ToValidUTF8(string(b[:min(len(b), 300)]), "") }
