//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"sluice/bench/load"
)

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
		var o outcome
		lost, err := r.lost(func() { o = r.flood(ctx, p.flood) })
		if err != nil {
			return err
		}
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
