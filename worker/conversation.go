package worker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"sluice/worker/wire"
)

// readAll hears the process until its end of the connection is closed, or it says what no worker says.
func (p *Process) readAll() {
	defer close(p.eof)
	r := wire.NewReader(p.conn)
	greeted := false
	for {
		m, err := r.Next()
		if tooLarge := (*wire.TooLargeError)(nil); errors.As(err, &tooLarge) {
			p.kill(&ProtocolError{Worker: p.name, Err: err})
		}
		if err != nil {
			return
		}
		if !greeted && m.Type != wire.TypeHello {
			err = fmt.Errorf("its first message is %q", m.Type)
		} else {
			err = p.hear(&m)
		}
		if err != nil {
			p.kill(p.foreign(err))
			_, _ = io.Copy(io.Discard, p.conn) // so that it doesn't block before it is killed
			return
		}
		greeted = true
	}
}

// foreign wraps what is wrong with a message.
func (p *Process) foreign(err error) error {
	if version := (*VersionError)(nil); errors.As(err, &version) {
		return version
	}
	return &ProtocolError{Worker: p.name, Err: err}
}

// maxReport is the most that a worker may say at once, but for a frame, in bytes.
const maxReport = 1 << 20

// hear carries out one message. Types that it does not know are skipped.
func (p *Process) hear(m *wire.Message) error {
	if m.Type != wire.TypeFrame && len(m.Payload) > maxReport {
		return fmt.Errorf("its message %q has %d bytes", m.Type, len(m.Payload))
	}
	switch m.Type {
	case wire.TypeHello:
		return p.hearHello(m)
	case wire.TypeReady:
		p.hearReady(int(m.Ext))
	case wire.TypeFrame:
		p.watchdog.output(time.Now())
		p.deliver(Event{Kind: EventFrame, Frame: *m})
	case wire.TypeCaps:
		e := Event{Kind: EventCaps}
		if err := m.Decode(&e.Caps); err != nil {
			return err
		}
		p.deliver(e)
	case wire.TypeResult:
		p.watchdog.output(time.Now())
		p.deliver(Event{Kind: EventResult, Result: m.Payload})
	case wire.TypeEOS:
		p.hearEOS()
	case wire.TypePong:
		p.watchdog.answered(time.Now())
	case wire.TypeStats:
		return p.hearStats(m)
	case wire.TypeError:
		return p.hearFault(m)
	case wire.TypeLog:
		p.hearLog(m)
	}
	return nil
}

func (p *Process) hearHello(m *wire.Message) error {
	var g wire.Greeting
	if err := m.Decode(&g); err != nil {
		return err
	}
	if g.Version != wire.Version {
		return &VersionError{Worker: p.name, Release: g.Release, Version: g.Version}
	}
	p.pool.greeting.Store(&g)
	return nil
}

// hearReady lets frames go, once for each job. A warm process that is ready has nothing to tell to anybody but the pool.
func (p *Process) hearReady(tracks int) {
	if !p.watchdog.isReady(time.Now()) {
		return
	}
	p.mu.Lock()
	warm := p.warm
	p.mu.Unlock()
	if warm {
		select {
		case <-p.ready:
		default:
			close(p.ready)
		}
		return
	}
	p.queue.openFrames()
	p.deliver(Event{Kind: EventReady, Tracks: tracks})
}

// hearEOS waits for the reason of an end that nobody asked for: GStreamer tells the end first and the error then.
func (p *Process) hearEOS() {
	if p.eosAsked.Load() {
		p.watchdog.output(time.Now())
		p.deliver(Event{Kind: EventEOS})
		return
	}
	p.eosSeen.Store(true)
	p.stop(nil, eosPatience)
}

func (p *Process) hearStats(m *wire.Message) error {
	var s wire.Stats
	if err := m.Decode(&s); err != nil {
		return err
	}
	p.mu.Lock()
	p.report = s
	p.mu.Unlock()
	p.checkMemory(s.RSS)
	return nil
}

func (p *Process) checkMemory(rss int64) {
	p.mu.Lock()
	limit := p.spec.Memory
	p.mu.Unlock()
	if rss > limit {
		p.kill(&MemoryError{Worker: p.name, RSS: rss, Limit: limit})
	}
}

func (p *Process) hearFault(m *wire.Message) error {
	f := new(wire.Fault)
	if err := m.Decode(f); err != nil {
		return err
	}
	for _, text := range []*string{&f.Element, &f.Package, &f.Message, &f.Debug} {
		*text = printable(*text)
	}
	if f.Debug != "" {
		p.logger().Debug("A worker tells more of its failure", "fault", f, "more", f.Debug)
	}
	if f.Code == wire.FaultMissingElement && p.role() != wire.RoleProbe { // most of what is tried out is not installed
		p.pool.registry.forget() // it may be by the next time
	}
	p.stop(f, faultPatience)
	return nil
}

func (p *Process) role() wire.Role {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spec.Job.Role
}

func (p *Process) hearLog(m *wire.Message) {
	if p.lines.try(time.Now()) {
		p.logger().Info("A worker says something", "text", printable(string(m.Payload)))
	}
}

// hearPrint is told each line that the process prints: for developers, unless somebody has made GStreamer talk.
func (p *Process) hearPrint(line string) {
	if line = strings.TrimSpace(printable(line)); line == "" || !p.printed.try(time.Now()) {
		return
	}
	log := p.logger().Debug
	if p.pool.talks() {
		log = p.logger().Info
	}
	log("A worker prints", "text", line)
}

// deliver waits for Next if that is behind; meanwhile nothing that the process says can be heard.
func (p *Process) deliver(e Event) {
	select {
	case p.events <- e:
		return
	default:
	}
	p.watchdog.block(true, time.Now())
	defer func() { p.watchdog.block(false, time.Now()) }()
	select {
	case p.events <- e:
	case <-p.stopping:
	case <-p.dying:
	}
}

// writeAll says to the process what is in the queue, until it has gone.
func (p *Process) writeAll() {
	w := wire.NewWriter(p.conn)
	for {
		it, ok := p.queue.take()
		if !ok {
			select {
			case <-p.queue.wake:
			case <-p.gone:
				return
			}
			continue
		}
		if !p.say(w, &it) {
			return
		}
	}
}

// say writes one message; false if the connection is of no more use. One that stalls in its midst can't be taken back.
func (p *Process) say(w *wire.Writer, it *item) bool {
	limit := p.watchdog.heartbeat()
	_ = p.conn.SetWriteDeadline(time.Now().Add(limit))
	input := it.message.Type == wire.TypeFrame && it.message.Flags&wire.Preroll == 0
	p.watchdog.offer(input)
	err := w.Write(&it.message, it.parts...)
	tooLarge := (*wire.TooLargeError)(nil)
	switch {
	case errors.As(err, &tooLarge):
		p.queue.lose(it.message.Track)
		p.watchdog.offer(false)
	case errors.Is(err, os.ErrDeadlineExceeded):
		p.kill(&HungError{Worker: p.name, What: "took no data", After: limit})
		return false
	case err != nil:
		return false
	case input:
		p.watchdog.input(time.Now())
	}
	return true
}
