//go:build linux

package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

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
		var left, failed uint64
		lost, err := r.lost(func() { left, failed = r.pass(ctx, p.churn) })
		if err != nil {
			return err
		}
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
