//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"time"
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

// lost is what the crowd misses of what is sent while something is done.
func (r *running) lost(do func()) (counted, error) {
	before, err := r.crowd.count()
	if err != nil {
		return before, err
	}
	do()
	after, err := r.crowd.count()
	return after.since(before), err
}
