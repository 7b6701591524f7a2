package worker

import (
	"context"
	"slices"
	"time"

	"sluice/media"
	"sluice/worker/wire"
)

// warmStart is how long a process may take to load what it is to have loaded, also on a small machine.
const warmStart = 30 * time.Second

// warmPause is how long after a warm process was taken it is replaced: until its job's first frame is out it needs all
// the processors there are, and on two a start beside it costs a third of that time.
const warmPause = 500 * time.Millisecond

// keepWarm keeps as many processes ready as the options want.
func (p *Pool) keepWarm(ctx context.Context) {
	var backoff Backoff
	var since time.Time
	deaths := 0
	for ctx.Err() == nil {
		if p.Err() != nil {
			_ = sleep(ctx, lookAgain)
			continue
		}
		if err := p.registry.ready(ctx, p); err != nil || !p.wantsWarm() {
			p.waitForChange(ctx)
			continue
		}
		if n := p.warmDeaths(); n != deaths { // they die without a job: more of them would too
			deaths = n
			_ = sleep(ctx, backoff.Next(time.Now(), time.Since(since)))
		}
		if wait := p.pause(time.Now()); wait > 0 {
			_ = sleep(ctx, wait) // meanwhile another one may be taken
			continue
		}
		since = time.Now()
		if err := p.warmUp(ctx); err != nil && ctx.Err() == nil {
			p.o.Log.Warn("A worker can't be kept ready", "worker", p.o.Name, "err", err)
			_ = sleep(ctx, backoff.Next(time.Now(), time.Since(since)))
		}
	}
}

func (p *Pool) waitForChange(ctx context.Context) {
	select {
	case <-p.changed:
	case <-ctx.Done():
	}
}

func (p *Pool) wantsWarm() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.warm) < p.o.Warm
}

func (p *Pool) warmDeaths() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.deaths
}

// pause is how long no process is to be made warm yet.
func (p *Pool) pause(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return warmPause - now.Sub(p.taken)
}

func (p *Pool) warmUp(ctx context.Context) error {
	s := Spec{Job: wire.Job{Warm: p.o.WarmElements}, Label: p.o.Name + " warm", Isolate: true, Start: warmStart}
	process, err := p.spawnIdle(ctx, s)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, lives := p.processes[process]; lives {
		p.warm = append(p.warm, process)
	}
	return nil
}

// spawnIdle starts a process without a job and waits until it is ready for one.
func (p *Pool) spawnIdle(ctx context.Context, s Spec) (*Process, error) {
	process, err := p.spawn(ctx, s.normal())
	if err != nil {
		return nil, err
	}
	select {
	case <-process.ready:
		return process, nil
	case <-process.done:
		return nil, process.final
	case <-ctx.Done():
		process.Close()
		return nil, context.Cause(ctx)
	}
}

// takeWarm gives the job to a process that waits for one, nil if there is none or the job does not fit.
func (p *Pool) takeWarm(s Spec) *Process {
	if !s.Isolate || s.Low || s.Job.Role == "" || isSound(s.Job) {
		return nil
	}
	for {
		process := p.popWarm()
		if process == nil {
			return nil
		}
		if process.adopt(s) {
			return process
		}
	}
}

// isSound reports whether a job makes nothing but sound: it is quick to start, and has no use for the elements that
// the warm have loaded. The picture beside it has.
func isSound(j wire.Job) bool {
	return len(j.Outputs) > 0 && !slices.ContainsFunc(j.Outputs, func(o wire.Port) bool { return o.Kind != media.Audio })
}

func (p *Pool) popWarm() *Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.warm) == 0 || p.closing {
		return nil
	}
	process := p.warm[0]
	p.warm = p.warm[1:]
	p.taken = time.Now()
	p.signal()
	return process
}
