package worker

import (
	"errors"
	"net"
	"os/exec"
	"sync"
	"time"

	"sluice/worker/wire"
)

// newProcess takes over a process that has been started, and what is needed to speak to it.
func newProcess(pool *Pool, s Spec, cmd *exec.Cmd, conn net.Conn, stderr *tail) *Process {
	now := time.Now()
	p := &Process{
		name: pool.o.Name, pool: pool, cmd: cmd, conn: conn, stderr: stderr, lines: newLimiter(1, 10), printed: newLimiter(20, 200),
		events: make(chan Event, eventQueue), ready: make(chan struct{}), eof: make(chan struct{}),
		adopted: make(chan struct{}, 1), stopping: make(chan struct{}), dying: make(chan struct{}),
		gone: make(chan struct{}), done: make(chan struct{}),
		spec: s, since: now, warm: s.Job.Role == "",
	}
	stderr.follow(p.hearPrint)
	p.queue.wake = make(chan struct{}, 1)
	p.queue.reset(len(s.Job.Inputs))
	p.watchdog.worker = p.name
	p.watchdog.begin(s, now)
	p.queue.say(*wire.JSON(wire.TypeConfig, s.Job))
	return p
}

// supervise owns the process and its goroutines from beginning to end.
func (p *Process) supervise() {
	exited := make(chan struct{})
	go func() { // not waited for if the system does not end the process
		defer close(exited)
		endGroup(p.cmd.Process.Pid)
		_ = p.cmd.Wait()
	}()
	var wg sync.WaitGroup
	wg.Go(p.readAll)
	wg.Go(p.writeAll)
	p.watch(exited)
	close(p.gone)
	_ = p.conn.SetDeadline(time.Now().Add(lastWords))
	wg.Wait()
	_ = p.conn.Close()
	p.final = p.end()
	p.pool.remove(p)
	close(p.events)
	close(p.done)
}

// watch returns when the process has exited, or can't be made to.
func (p *Process) watch(exited <-chan struct{}) {
	tick := time.NewTicker(p.watchdog.interval())
	defer tick.Stop()
	patience := time.NewTimer(time.Hour)
	defer patience.Stop()
	stopping, eof, polled := p.stopping, p.eof, time.Now()
	for {
		select {
		case <-exited:
			p.exit = p.cmd.ProcessState
			return
		case <-p.dying:
			p.execute(exited)
			return
		case <-stopping:
			stopping, eof = nil, nil
			tick.Stop()
			patience.Reset(p.stopPatience())
		case <-eof: // it will exit, or be killed for what readAll found
			eof = nil
			tick.Stop()
			patience.Reset(lastWords)
		case <-patience.C:
			p.kill(p.overdue())
		case <-p.adopted:
			tick.Reset(p.watchdog.interval())
		case <-tick.C:
			polled = p.look(polled)
		}
	}
}

func (p *Process) stopPatience() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.patience
}

// overdue is why a process is killed that should have exited by now, if nothing else is known.
func (p *Process) overdue() error {
	if p.eosSeen.Load() {
		return &wire.Fault{Code: wire.FaultEOS}
	}
	return &ProtocolError{Worker: p.name, Err: errors.New("it closed the connection and went on")}
}

// execute kills the process. One that is held in a driver of the system stays, but nobody waits for it any longer.
func (p *Process) execute(exited <-chan struct{}) {
	_ = p.pool.killProcess(p.cmd.Process)
	timer := time.NewTimer(p.pool.patience)
	defer timer.Stop()
	select {
	case <-exited:
		p.exit = p.cmd.ProcessState
	case <-timer.C:
		p.pool.abandoned.Add(1)
		p.logger().Error("A worker can't be killed and is left behind", "pid", p.cmd.Process.Pid)
	}
}

// look checks deadlines and the memory at each tick, since a decoder that runs wild fills a small machine within a
// second; it pings three times in a heartbeat.
func (p *Process) look(polled time.Time) time.Time {
	now := time.Now()
	if err := p.watchdog.check(now); err != nil {
		p.kill(err)
		return polled
	}
	p.checkMemory(residentMemory(p.cmd.Process.Pid))
	if now.Sub(polled) < p.watchdog.heartbeat()/3 {
		return polled
	}
	p.queue.say(wire.Message{Type: wire.TypePing})
	return now
}

// end is the error that Next returns from now on.
func (p *Process) end() error {
	p.mu.Lock()
	reason := p.reason
	if p.exit != nil {
		p.report.CPU = p.exit.UserTime() + p.exit.SystemTime()
	}
	p.mu.Unlock()
	text, cause := p.stderr.text()
	if hung := (*HungError)(nil); errors.As(reason, &hung) {
		hung.Stderr = text
	}
	if reason != nil {
		return reason
	}
	if p.eosSeen.Load() && p.exit != nil && p.exit.Success() {
		return &wire.Fault{Code: wire.FaultEOS}
	}
	return &ExitError{Worker: p.name, Status: exitStatus(p.exit, cause), Stderr: text}
}
