// Package worker starts, watches and ends the processes that hold what must not hurt the gateway: GStreamer and
// capture devices. Each runs one pipeline and speaks package wire over a socketpair. A Pool finds the program, keeps
// warm processes ready and starts no more than a few a second; a Process is one of them. What a process does, crash,
// hang or flood, is an event or an error for its owner and never blocks a goroutine that carries media.
package worker

import (
	"context"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/worker/wire"
)

// Pool starts processes of one program.
type Pool struct {
	o           Options // fixed
	location    location
	starts      starts
	registry    *registry
	requests    chan request                    // unbuffered; sent to by spawn, received by Run's forker
	ended       chan struct{}                   // closed when Run returns
	changed     chan struct{}                   // capacity 1: there are fewer warm processes than there were
	killProcess func(process *os.Process) error // and its children; fixed; tests have others, as of the next
	patience    time.Duration                   // for the system to end a process; a driver may hold it for ever

	greeting  atomic.Pointer[wire.Greeting]
	rootTold  sync.Once
	abandoned atomic.Uint64
	started   atomic.Uint64

	mu        sync.Mutex
	closing   bool
	processes map[*Process]struct{}
	warm      []*Process // those that are ready
	deaths    int        // of warm processes
	taken     time.Time  // when a job got the last of them
	running   sync.WaitGroup
}

// New makes a pool. Nothing is started before Run.
func New(o Options) *Pool {
	return &Pool{
		o:           o,
		location:    location{name: o.Name, setting: o.Path},
		starts:      newStarts(),
		registry:    newRegistry(o),
		requests:    make(chan request),
		ended:       make(chan struct{}),
		changed:     make(chan struct{}, 1),
		killProcess: killGroup,
		patience:    killPatience,
		processes:   map[*Process]struct{}{},
	}
}

// Run keeps warm workers ready until ctx ends; then it stops all processes and returns nil when they have gone. It is
// called once. A program that is not there, or switched off, is no error: it may be installed while Run runs.
func (p *Pool) Run(ctx context.Context) error {
	defer close(p.ended)
	defer p.registry.close()
	enough := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { p.fork(enough) })
	wg.Go(func() { p.keepWarm(ctx) })
	<-ctx.Done()
	p.closeAll()
	close(enough)
	wg.Wait()
	return nil
}

// Err tells why no worker can be started: *NotInstalledError, *OffError, or nil if one can.
func (p *Pool) Err() error {
	if p.o.Path == "off" {
		return &OffError{Name: p.o.Name, Key: p.o.Key}
	}
	if p.location.find(time.Now()) == "" {
		return p.notInstalled()
	}
	return nil
}

func (p *Pool) notInstalled() error {
	e := &NotInstalledError{Name: p.o.Name, Install: p.o.Install}
	if !automatic(p.o.Path) {
		e.Path = p.o.Path
	}
	return e
}

// Start starts a process, or gives a warm one the job. It waits for Run to run, for its turn (beyond a burst of 8, 2
// start each second; sources, sinks and devices, and what is Low, are counted apart from what viewers wait for) and, the first time, for
// the registry of plugins, but no longer than ctx, and not for the process to be ready: Next tells that, in EventReady. The process lives until Close or the end of Run. Errors are those of
// Err, ErrClosed, that of ctx, and what the system says when it can't start the program.
func (p *Pool) Start(ctx context.Context, s Spec) (*Process, error) {
	if err := p.Err(); err != nil {
		return nil, err
	}
	s = s.normal()
	if process := p.takeWarm(s); process != nil {
		return process, nil
	}
	if err := p.registry.ready(ctx, p); err != nil {
		return nil, err
	}
	return p.spawn(ctx, s)
}

// Greeting is how the program introduces itself; it is started for that if it has not been yet.
func (p *Pool) Greeting(ctx context.Context) (wire.Greeting, error) {
	if err := p.Err(); err != nil {
		return wire.Greeting{}, err
	}
	if err := p.registry.ready(ctx, p); err != nil {
		return wire.Greeting{}, err
	}
	if g := p.greeting.Load(); g != nil {
		return *g, nil
	}
	process, err := p.spawnIdle(ctx, Spec{Start: StartDeadline})
	if err != nil {
		return wire.Greeting{}, err
	}
	process.Close()
	return *p.greeting.Load(), nil
}

// PoolStats counts processes of a pool.
type PoolStats struct {
	Running   int    // now, warm ones among them
	Warm      int    // ready and without a job
	Started   uint64 // ever
	Abandoned uint64 // could not be killed, because a driver of the system holds them
}

// Stats counts the pool's processes.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return PoolStats{Running: len(p.processes), Warm: len(p.warm), Started: p.started.Load(), Abandoned: p.abandoned.Load()}
}

// add takes a process in and begins to supervise it; false, with the process untouched, if the pool is closing.
func (p *Pool) add(process *Process) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return false
	}
	p.processes[process] = struct{}{}
	p.started.Add(1)
	p.running.Go(process.supervise)
	return true
}

// remove forgets a process that has gone.
func (p *Pool) remove(process *Process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.processes, process)
	if i := slices.Index(p.warm, process); i >= 0 {
		p.warm = slices.Delete(p.warm, i, i+1)
		p.deaths++
		p.signal()
	}
}

// closeAll stops all processes at once and waits for them.
func (p *Pool) closeAll() {
	p.mu.Lock()
	p.closing = true
	all := make([]*Process, 0, len(p.processes))
	for process := range p.processes {
		all = append(all, process)
	}
	p.mu.Unlock()
	for _, process := range all {
		process.requestStop()
	}
	p.running.Wait()
}

func (p *Pool) signal() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}
