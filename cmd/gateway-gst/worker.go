//go:build gstreamer

package main

import (
	"sync"
	"sync/atomic"
	"time"

	"sluice/cmd/gateway-gst/internal/gst"
	"sluice/media"
	"sluice/worker/wire"
)

const (
	// stateSeconds is how long a change of state may take where the job does not say.
	stateSeconds = 10
	// reasonWait is how long the reason for a failure may come after the failure: the bus tells of the end of a
	// stream, or a state fails, before the error that caused it is read.
	reasonWait = 300 * time.Millisecond
	// closeWait is how long a pipeline may take to close its files and connections.
	closeWait = 1200 * time.Millisecond
	// maxTracks is how many outputs a pipeline may have.
	maxTracks = 8
)

// worker runs one job. Its goroutines may be blocked inside an element for ever, so nobody waits for them: they end
// with the process, which is the way out of every trouble here.
type worker struct {
	link *link

	// Set before the pipeline starts.
	job      *wire.Job
	pipeline *gst.Pipeline
	inputs   []*input
	gate     *gst.Gate     // nil without Job.Preroll
	ended    chan struct{} // closed when all that was fed is through; nobody closes it if nothing was to end
	drained  chan struct{} // closed when all that came before TypeStop has been obeyed

	faults chan *wire.Fault // the first one counts: capacity 1, sent to by any goroutine, never closed
	stop   chan struct{}    // closed by read when the gateway wants no more of us
	counts counts
	// running is the pipeline once its bus is read.
	running atomic.Pointer[gst.Pipeline]

	// Owned by the goroutine that obeys.
	anchored bool
	shift    time.Duration

	// Owned by watchBus.
	missing gst.Message
	endOnce sync.Once

	attaching sync.Mutex // held while a pad becomes a track, before mu

	mu       sync.Mutex
	outputs  []*output
	controls []wire.Control
	started  bool           // Play was called: sinks may be pulled from
	live     bool           // the pipeline keeps time by itself
	queues   []*gst.Element // those that we have put behind pads
	growing  bool           // outputs may come while it runs
	ending   bool           // the gateway has said that nothing follows
	// complaint is what was wrong last, though the pipeline went on.
	complaint string
}

func (w *worker) send(m *wire.Message) { w.link.send(m) }

// log tells the gateway's log something.
func (w *worker) log(text string) {
	w.send(&wire.Message{Type: wire.TypeLog, Payload: []byte(media.RedactURL(text))})
}

// fail ends the worker with a fault, unless another one came first.
func (w *worker) fail(f *wire.Fault) {
	select {
	case w.faults <- f:
	default:
	}
}

// run does what the gateway wants until it wants no more: nil, or a fault.
func (w *worker) run() *wire.Fault {
	job := w.link.config()
	if job != nil && job.Role == "" {
		for _, name := range job.Warm {
			gst.Load(name)
		}
		w.send(&wire.Message{Type: wire.TypeReady})
		job = w.link.config()
	}
	if job == nil {
		return nil
	}
	w.job, w.controls = job, job.Controls
	w.ended, w.drained = make(chan struct{}), make(chan struct{})
	if err := confine(job); err != nil {
		w.log("the worker can't limit itself: " + err.Error())
	}
	commands := make(chan wire.Message, commandQueue)
	go w.read(commands)
	go w.report()
	go w.start(commands)
	select {
	case f := <-w.faults:
		return f
	case <-w.stop:
		w.close()
		return nil
	}
}

// start makes the pipeline and sets it going, as its role says.
func (w *worker) start(commands <-chan wire.Message) {
	limit := time.AfterFunc(w.stateLimit(), func() {
		w.fail(&wire.Fault{Code: wire.FaultState, Message: "it took longer than " + w.stateLimit().String()})
	})
	if f := w.prepare(); f != nil {
		w.fail(f)
		return
	}
	go w.watchBus()
	if !w.play() {
		time.AfterFunc(reasonWait, func() {
			w.fail(&wire.Fault{Code: wire.FaultState, Message: "an element refused, without a reason"})
		})
		return
	}
	limit.Stop()
	w.send(&wire.Message{Type: wire.TypeReady, Ext: w.knownOutputs()})
	if w.job.Role == wire.RoleSource && !w.job.Waits {
		time.AfterFunc(w.stateLimit(), w.expectOutput)
	}
	if w.job.Role == wire.RoleProbe {
		go w.probe()
		return
	}
	w.startPulling()
	for m := range commands {
		w.obey(&m)
	}
}

// stateLimit is how long the pipeline may take to start.
func (w *worker) stateLimit() time.Duration {
	if s := w.job.Limits.StateSeconds; s > 0 {
		return time.Duration(s) * time.Second
	}
	return stateSeconds * time.Second
}

// prepare makes the pipeline of the job's text, checks it and finds its ends.
func (w *worker) prepare() *wire.Fault {
	if f := w.parse(); f != nil {
		return f
	}
	w.pipeline.UseSystemClock()
	w.pipeline.Watch(w.job.Limits.MaxPixels, w)
	w.setProperties(w.job.Properties)
	switch w.job.Role {
	case wire.RoleTranscode, wire.RoleProbe, wire.RoleSink:
		return w.joinPorts()
	case wire.RoleSource:
		return w.findOutputs()
	}
	return &wire.Fault{Code: wire.FaultStart, Message: "the worker knows no role " + string(w.job.Role), Permanent: true}
}

// play takes the pipeline to PLAYING; false if an element refused, of which the bus tells more.
func (w *worker) play() bool {
	live, err := w.pipeline.Pause()
	if err != nil {
		return false
	}
	w.mu.Lock()
	w.live = live
	for _, o := range w.outputs {
		o.sink.SetSync(w.paced())
	}
	for _, q := range w.queues {
		w.setLeaky(q)
	}
	w.mu.Unlock()
	return w.pipeline.Play() == nil
}

// close lets the pipeline finish its files and say good-bye to servers, if it does so soon. Transcoders hold neither.
func (w *worker) close() {
	p := w.running.Load()
	if p == nil || w.job.Role != wire.RoleSource && w.job.Role != wire.RoleSink {
		return
	}
	deadline := time.NewTimer(closeWait)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		if w.job.Role == wire.RoleSink {
			<-w.drained
			w.endInputs()
			<-w.ended
		}
		if p.Stop() != nil {
			return // it ends all the same
		}
	}()
	select {
	case <-closed:
	case <-deadline.C:
	}
}
