//go:build linux

package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// figures are those of one server with one number of viewers, in one round.
type figures struct {
	cpu        time.Duration // of the server
	window     time.Duration
	memory     float64 // KiB of the server
	goroutines float64 // of the server
	told       bool    // it tells its goroutines
	generator  float64 // share of all cores that the viewers take
	counted    counted
	keyframes  []time.Duration // from the POST to the first complete one
	profile    string
	transit    []time.Duration
}

// perPacket is the server's time for each packet that came to a viewer, in microseconds.
func (f figures) perPacket() float64 {
	return float64(f.cpu) / float64(time.Microsecond) / float64(max(f.counted.Packets, 1))
}

// measureLoad is the main part: the cost of N viewers. Each round begins with none, which is what memory and
// goroutines of viewers are counted from: by then the server is as old as with viewers, and has cached as much.
func (p *plan) measureLoad(ctx context.Context, w *workshop, servers []server) error {
	if len(p.viewers) == 0 {
		return nil
	}
	src, err := w.startSource(ctx, p.gop)
	if err != nil {
		return err
	}
	defer src.stop()
	t := newTable()
	for range p.rounds {
		for _, n := range append([]int{0}, p.viewers...) {
			for _, s := range servers {
				f, err := p.measure(ctx, w, src, s, n)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				t.add(key{s.Name, n}, f, err)
			}
		}
	}
	t.print(p, servers)
	return nil
}

// measure starts a server, has n viewers join, and looks at it while they watch.
func (p *plan) measure(ctx context.Context, w *workshop, src *source, s server, n int) (figures, error) {
	r, err := p.open(ctx, w, src, s)
	if err != nil {
		return figures{}, err
	}
	defer r.close()
	if err = r.crowd.fill(ctx, n, p.ramp); err != nil {
		return figures{}, err
	}
	settle := p.settle
	if n == 0 {
		settle += p.ramp
	}
	if err = wait(ctx, settle); err != nil {
		return figures{}, err
	}
	f, err := r.watch(ctx, p.window)
	if err != nil {
		return f, err
	}
	f.memory = r.process.resident()
	f.goroutines, f.told = r.process.goroutines(ctx)
	for _, v := range r.crowd.all {
		if d, ok := v.Keyframe(); ok {
			f.keyframes = append(f.keyframes, d)
		}
		f.profile = v.Profile()
	}
	if n == p.transit && !s.plain {
		f.transit, err = r.transit(ctx, src)
	}
	return f, err
}

// running is a server with its viewers.
type running struct {
	process *process
	crowd   *crowd
}

// open starts a server and waits until it serves.
func (p *plan) open(ctx context.Context, w *workshop, src *source, s server) (*running, error) {
	proc, err := s.start(ctx, w.dir, src.url)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Name, err)
	}
	c, err := p.gather(ctx, proc)
	if err != nil {
		proc.stop()
		return nil, err
	}
	r := &running{process: proc, crowd: c}
	if err := c.ready(ctx); err != nil {
		r.close()
		return nil, fmt.Errorf("%w; it said %q", err, proc.out.String())
	}
	return r, wait(ctx, p.settle/2)
}

func (r *running) close() {
	_ = r.crowd.close() // what is measured is there by now
	r.process.stop()
}

// watch looks at server and viewers at both ends of a window.
func (r *running) watch(ctx context.Context, window time.Duration) (figures, error) {
	before, ours, err := r.look()
	if err != nil {
		return figures{}, err
	}
	count, err := r.crowd.count()
	if err != nil {
		return figures{}, err
	}
	if err = wait(ctx, window); err != nil {
		return figures{}, err
	}
	after, oursAfter, err := r.look()
	if err != nil {
		return figures{}, err
	}
	total, err := r.crowd.count()
	if err != nil {
		return figures{}, err
	}
	f := figures{counted: total.since(count), cpu: after.cpu - before.cpu, window: after.at.Sub(before.at)}
	f.generator = (oursAfter - ours).Seconds() / f.window.Seconds() / float64(runtime.NumCPU())
	return f, nil
}

// look is what the server, and this process, have used so far.
func (r *running) look() (usage, time.Duration, error) {
	u, err := r.process.usage()
	if err != nil {
		return u, 0, err
	}
	var own unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &own); err != nil {
		return u, 0, err
	}
	return u, time.Duration(own.Utime.Nano() + own.Stime.Nano()), nil
}
