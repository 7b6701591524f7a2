//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"sluice/bench/load"
)

const longGOP = 10 // seconds

// measureJoins times viewers who join a camera with a long GOP, at moments spread over one.
func (p *plan) measureJoins(ctx context.Context, w *workshop, servers []server) error {
	if p.joins == 0 {
		return nil
	}
	src, err := w.startSource(ctx, longGOP)
	if err != nil {
		return err
	}
	defer src.stop()
	fmt.Printf("\n%d viewers join a camera with a GOP of %d s, one after the other\n\n", p.joins, longGOP)
	fmt.Println("| server | POST to 201, median (worst) | POST to first complete keyframe, median (worst) |\n|---|---|---|")
	return p.each(ctx, w, src, servers, func(r *running) error {
		if err := r.crowd.fill(ctx, p.joins, longGOP*time.Second); err != nil {
			return err
		}
		var answers, keyframes []time.Duration
		for _, v := range r.crowd.all {
			d, _ := v.Keyframe()
			answers, keyframes = append(answers, v.Answered()), append(keyframes, d)
		}
		fmt.Printf("| %s | %s | %s |\n", r.process.Name, spread(answers), spread(keyframes))
		return nil
	})
}

// each has a part done with all servers that speak WHEP. One that fails is said, and does not end the run.
func (p *plan) each(ctx context.Context, w *workshop, src *source, servers []server, part func(*running) error) error {
	for _, s := range servers {
		if s.plain {
			continue
		}
		r, err := p.open(ctx, w, src, s)
		if err == nil {
			err = part(r)
			r.close()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			fmt.Printf("| %s | failed |\n", s.Name)
		}
	}
	return nil
}

// What happens in the run of those who come and go.
const (
	watchers  = 10
	passersBy = 8 // at a time
	glance    = 300 * time.Millisecond
)

// measureChurn counts what watchers lose while others join and leave.
func (p *plan) measureChurn(ctx context.Context, w *workshop, servers []server) error {
	if p.churn == 0 {
		return nil
	}
	src, err := w.startSource(ctx, p.gop)
	if err != nil {
		return err
	}
	defer src.stop()
	fmt.Printf("\n%d viewers watch while others join and leave for %v, half of them without a word\n\n", watchers, p.churn)
	fmt.Println("| server | joined and left | failed to | packets that watchers lost | of them dropped by their own sockets |\n|---|---|---|---|---|")
	return p.each(ctx, w, src, servers, func(r *running) error {
		if err := r.crowd.fill(ctx, watchers, time.Second); err != nil {
			return err
		}
		before, err := r.crowd.count()
		if err != nil {
			return err
		}
		left, failed := r.pass(ctx, p.churn)
		after, err := r.crowd.count()
		if err != nil {
			return err
		}
		lost := after.since(before)
		fmt.Printf("| %s | %d | %d | %d of %d | %d |\n", r.process.Name, left, failed, lost.Missing, lost.Packets+lost.Missing, lost.drops)
		return nil
	})
}

// pass has viewers come and go for a while.
func (r *running) pass(ctx context.Context, d time.Duration) (left, failed uint64) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var done, bad atomic.Uint64
	var all sync.WaitGroup
	for i := range passersBy {
		all.Go(func() {
			for ctx.Err() == nil {
				if err := r.glance(ctx, i%2 == 0); err == nil {
					done.Add(1)
				} else if ctx.Err() == nil {
					bad.Add(1)
				}
			}
		})
	}
	all.Wait()
	return done.Load(), bad.Load()
}

// glance is one viewer who does not stay.
func (r *running) glance(ctx context.Context, polite bool) error {
	v, err := r.crowd.join(ctx)
	if err != nil {
		return err
	}
	defer v.Vanish()
	if err := wait(ctx, glance); err != nil || !polite {
		return err
	}
	return v.Leave(ctx)
}

const floodWithin = 2 * time.Second

// measureFlood counts what watchers lose while many ask at once, and what those are told.
func (p *plan) measureFlood(ctx context.Context, w *workshop, servers []server) error {
	if p.flood == 0 {
		return nil
	}
	src, err := w.startSource(ctx, p.gop)
	if err != nil {
		return err
	}
	defer src.stop()
	fmt.Printf("\n%d viewers ask within %v while %d watch\n\n", p.flood, floodWithin, p.floodFor)
	fmt.Println("| server | connected | told 503 with Retry-After | failed | until the last was served | " +
		"packets that watchers lost | of them dropped by their own sockets |\n|---|---|---|---|---|---|---|")
	return p.each(ctx, w, src, servers, func(r *running) error {
		if err := r.crowd.fill(ctx, p.floodFor, p.ramp); err != nil {
			return err
		}
		before, err := r.crowd.count()
		if err != nil {
			return err
		}
		o := r.flood(ctx, p.flood)
		after, err := r.crowd.count()
		if err != nil {
			return err
		}
		lost := after.since(before)
		fmt.Printf("| %s | %d | %d | %d | %.1f s | %d of %d | %d |\n", r.process.Name, o.connected, o.busy, o.failed,
			o.took.Seconds(), lost.Missing, lost.Packets+lost.Missing, lost.drops)
		return nil
	})
}

// outcome is what became of a flood.
type outcome struct {
	connected, busy, failed int
	took                    time.Duration
}

// flood has n viewers ask at moments within floodWithin, who leave when all have been served.
func (r *running) flood(ctx context.Context, n int) outcome {
	asking := crowd{load: r.crowd.load, server: r.crowd.server}
	began := time.Now()
	asking.rush(ctx, n, floodWithin)
	o := outcome{connected: len(asking.all), took: time.Since(began)}
	for _, err := range asking.failed {
		if e := (*load.RefusedError)(nil); errors.As(err, &e) && e.Status == http.StatusServiceUnavailable && e.RetryAfter != "" {
			o.busy++
		} else {
			o.failed++
		}
	}
	for _, v := range asking.all {
		v.Vanish()
	}
	return o
}
