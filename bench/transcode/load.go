//go:build linux

package main

import (
	"context"
	"time"
)

// load is what processes take.
type load struct {
	workers, gateway float64 // shares of one core
	memory           float64 // MiB of the workers
}

// load watches the scene's processes for a window.
func (s *scene) load(ctx context.Context, window time.Duration) (load, error) {
	return watchLoad(ctx, s.workers, s.gateway, window)
}

func watchLoad(ctx context.Context, workers []int, gateway int, window time.Duration) (load, error) {
	before, err := processes(workers, gateway)
	if err != nil {
		return load{}, err
	}
	began := time.Now()
	if err = wait(ctx, window); err != nil {
		return load{}, err
	}
	after, err := processes(workers, gateway)
	if err != nil {
		return load{}, err
	}
	took := time.Since(began).Seconds()
	l := load{workers: (after.workers - before.workers).Seconds() / took, gateway: (after.gateway - before.gateway).Seconds() / took}
	for _, pid := range workers {
		l.memory += resident(pid)
	}
	return l, nil
}

// times is what processes have taken so far.
type times struct{ workers, gateway time.Duration }

func processes(workers []int, gateway int) (times, error) {
	var t times
	for _, pid := range workers {
		d, err := cpu(pid)
		if err != nil {
			return t, err
		}
		t.workers += d
	}
	if gateway == 0 {
		return t, nil
	}
	d, err := cpu(gateway)
	t.gateway = d
	return t, err
}
