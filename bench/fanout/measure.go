//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// figures are those of one server with one number of viewers, in one round.
type figures struct {
	cpu        float64 // microseconds of the server for each packet that came to a viewer
	memory     float64 // KiB for each viewer
	goroutines float64 // for each viewer
	told       bool    // it tells its goroutines
	rate       float64 // packets a second for each viewer
	size       float64 // bytes of a packet
	generator  float64 // share of all cores that the viewers take
	counted    counted
	keyframes  []time.Duration // from the POST to the first complete one
	profile    string
	transit    []time.Duration
}

// measureLoad is the main part: the cost of N viewers.
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
	for round := range p.rounds {
		for _, n := range p.viewers {
			for _, s := range servers {
				f, err := p.measure(ctx, w, src, s, n)
				if err != nil {
					fmt.Fprintf(os.Stderr, "round %d, %d viewers: %v\n", round+1, n, err)
					t.fail(s.Name, n)
				} else {
					fmt.Fprintf(os.Stderr, "round %d, %d viewers: %s %.2f µs a packet\n", round+1, n, s.Name, f.cpu)
					t.add(s.Name, n, f)
				}
				if ctx.Err() != nil {
					return ctx.Err()
				}
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
	empty, idle := r.process.resident(), r.routines(ctx)
	ramp := p.ramp
	if s.plain {
		ramp /= 4 // there is nothing to be told apart
	}
	if err := r.crowd.fill(ctx, n, ramp); err != nil {
		return figures{}, err
	}
	if err := wait(ctx, p.settle); err != nil {
		return figures{}, err
	}
	f, err := r.watch(ctx, p.window)
	if err != nil {
		return f, err
	}
	f.memory = (r.process.resident() - empty) / float64(n)
	if busy := r.routines(ctx); busy > 0 {
		f.goroutines, f.told = (busy-idle)/float64(n), true
	}
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

func (r *running) routines(ctx context.Context) float64 {
	n, _ := r.process.goroutines(ctx)
	return n
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
	if err := wait(ctx, window); err != nil {
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
	f := figures{counted: total.since(count)}
	seconds := after.at.Sub(before.at).Seconds()
	packets := float64(max(f.counted.Packets, 1))
	f.cpu = float64((after.cpu-before.cpu)/time.Microsecond) / packets
	f.rate = packets / seconds / float64(len(r.crowd.all))
	f.size = float64(f.counted.Bytes) / packets
	f.generator = (oursAfter - ours).Seconds() / seconds / float64(runtime.NumCPU())
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
