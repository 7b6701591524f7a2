package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"sluice/worker/wire"
)

// EventKind says what an Event tells.
type EventKind int

// The kinds of event. EventReady comes once at most. EventEOS answers EndOfStream; an end that nobody asked for is an error.
const (
	EventReady EventKind = iota
	EventCaps
	EventFrame
	EventResult
	EventEOS
)

// Event is one thing that a process has said. Only the field that Kind names is set; a frame's payload may be kept.
type Event struct {
	Kind   EventKind
	Tracks int // of EventReady: how many tracks a source gives; 0 if that is not known
	Caps   wire.Caps
	Frame  wire.Message
	Result json.RawMessage
}

// Stats is what is known of a process: its own last report, with what our queue dropped added to Dropped.
type Stats struct {
	wire.Stats
	Started time.Time // or handed over
	PID     int
}

const (
	eventQueue    = 64                     // events that wait for Next before the process is read no further
	stopPatience  = 2 * time.Second        // for it to exit after TypeStop
	faultPatience = 200 * time.Millisecond // for it to exit after it has told its failure
	eosPatience   = time.Second            // for the reason of an end that nobody asked for, and the exit
	lastWords     = 500 * time.Millisecond // for what it said before it exited to arrive, and to exit after its last word
	killPatience  = 10 * time.Second       // for the system to end it when it is killed
)

// Process is one running worker. Next belongs to one goroutine; the other methods may be called from any. Whoever
// got it from Start calls Close.
type Process struct {
	// Fixed.
	name     string
	pool     *Pool
	cmd      *exec.Cmd
	conn     net.Conn
	stderr   *tail
	lines    *limiter      // of lines of the worker's log
	printed  *limiter      // of lines that it prints
	events   chan Event    // capacity eventQueue; sent to by the reader, closed by supervise
	ready    chan struct{} // closed by the reader at the first Ready
	eof      chan struct{} // closed by the reader when it ends
	adopted  chan struct{} // capacity 1: a warm process has been given a job
	stopping chan struct{} // closed by stop: nobody wants events, and the process is about to exit
	dying    chan struct{} // closed by kill
	gone     chan struct{} // closed by supervise when the process has exited
	done     chan struct{} // closed by supervise when its goroutines have ended too

	queue    queue
	watchdog watchdog

	eosAsked atomic.Bool
	eosSeen  atomic.Bool      // though nobody asked
	exit     *os.ProcessState // nil if it could not be waited for; written before gone is closed
	final    error            // what Next returns at last; written before events is closed

	mu       sync.Mutex
	spec     Spec
	warm     bool // it has no job yet
	since    time.Time
	report   wire.Stats
	reason   error         // why it ends, if that is known
	patience time.Duration // from stopping to dying
	ended    bool          // stopping is closed
	killed   bool          // dying is closed
}

// Next waits for what the process says next. After its end, and after all that it said before, it returns for ever:
// what the process itself reported (*wire.Fault), why it was killed (*HungError, *MemoryError, *ProtocolError,
// *VersionError), ErrClosed after Close or the end of the pool's Run, and *ExitError for any other end. The error of
// ctx is returned when that ends first. A process whose events nobody takes is left waiting.
func (p *Process) Next(ctx context.Context) (Event, error) {
	select {
	case e, ok := <-p.events:
		if !ok {
			return Event{}, p.final
		}
		return e, nil
	case <-ctx.Done():
		return Event{}, context.Cause(ctx)
	}
}

// Write hands a frame to the process; its payload is m.Payload followed by parts, none of which may change
// afterwards. It never blocks and makes no system call. When 64 frames of the track wait, or one has waited for 1 s,
// it drops frames until a keyframe of the track comes, and those that wait with it, and counts them. It returns
// false for a frame that was dropped, for a track that the job has no input for, and after the end.
func (p *Process) Write(m *wire.Message, parts ...[]byte) bool {
	select {
	case <-p.stopping:
		return false
	case <-p.dying:
		return false
	default:
	}
	return p.queue.put(m, parts, time.Now())
}

// RequestKeyframe asks for a keyframe of an output track.
func (p *Process) RequestKeyframe(track uint8) {
	p.queue.say(wire.Message{Type: wire.TypeKeyRequest, Track: track})
}

// SetBitrate sets what an output track shall have from now on, in bit/s.
func (p *Process) SetBitrate(track uint8, bps int) {
	p.queue.say(wire.Message{Type: wire.TypeBitrate, Track: track, Ext: int64(bps)})
}

// EndOfStream tells that no frame follows those that Write was given. What is still inside the pipeline comes out,
// then EventEOS.
func (p *Process) EndOfStream() {
	if !p.eosAsked.Swap(true) {
		p.queue.end(time.Now())
	}
}

// Stats returns what is known of the process, also after its end.
func (p *Process) Stats() Stats {
	p.mu.Lock()
	s := Stats{Stats: p.report, Started: p.since, PID: p.cmd.Process.Pid}
	p.mu.Unlock()
	s.Dropped += p.queue.drops()
	return s
}

// Close asks the process to stop, kills it after 2 s, and returns when it has gone. Twice is fine.
func (p *Process) Close() {
	p.requestStop()
	<-p.done
}

func (p *Process) requestStop() {
	p.queue.say(wire.Message{Type: wire.TypeStop})
	p.stop(ErrClosed, stopPatience)
}

// stop lets the process exit by itself for a while. The first reason that is not nil stays.
func (p *Process) stop(reason error, patience time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.give(reason)
	if !p.ended {
		p.ended, p.patience = true, patience
		close(p.stopping)
	}
}

// kill ends the process at once. The first reason that is not nil stays.
func (p *Process) kill(reason error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.give(reason)
	if !p.killed {
		p.killed = true
		close(p.dying)
	}
}

// give is called with mu held.
func (p *Process) give(reason error) {
	if p.reason == nil {
		p.reason = reason
	}
}

// adopt gives a warm process its job; false if it is ending.
func (p *Process) adopt(s Spec) bool {
	now := time.Now()
	p.mu.Lock()
	if p.ended || p.killed {
		p.mu.Unlock()
		return false
	}
	p.spec, p.warm, p.since = s, false, now
	p.mu.Unlock()
	p.queue.reset(len(s.Job.Inputs))
	p.watchdog.begin(s, now)
	p.queue.say(*wire.JSON(wire.TypeConfig, s.Job))
	p.adopted <- struct{}{}
	return true
}

func (p *Process) logger() *slog.Logger {
	p.mu.Lock()
	label, log := cmp.Or(p.spec.Label, p.name), cmp.Or(p.spec.Log, p.pool.o.Log)
	p.mu.Unlock()
	return log.With("worker", label)
}
