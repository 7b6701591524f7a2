package capture

import (
	"context"
	"slices"
	"time"

	"sluice/worker"
	"sluice/worker/wire"
)

// listLife is how long a list stands for what there is. Each is made by a process of its own, which opens every camera.
const listLife = 3 * time.Second

// Lister lists devices for many who ask: one list at a time is made, and told to all who ask within 3 s after.
type Lister struct {
	look func(ctx context.Context) ([]wire.DeviceInfo, error) // fixed after NewLister

	// turn holds one element while somebody looks, who owns what follows.
	turn chan struct{}
	made time.Time
	all  []wire.DeviceInfo
	err  error
}

// NewLister makes one that lists as List does.
func NewLister(capturePool, gstPool *worker.Pool) *Lister {
	return newLister(func(ctx context.Context) ([]wire.DeviceInfo, error) { return List(ctx, capturePool, gstPool) })
}

func newLister(look func(context.Context) ([]wire.DeviceInfo, error)) *Lister {
	return &Lister{look: look, turn: make(chan struct{}, 1)}
}

// List is List, or what it returned a moment ago. Who gives up waiting gets the cause of ctx.
func (l *Lister) List(ctx context.Context) ([]wire.DeviceInfo, error) {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-l.turn }()
	if !l.made.IsZero() && time.Since(l.made) < listLife {
		return slices.Clone(l.all), l.err
	}
	all, err := l.look(ctx)
	if ctx.Err() != nil { // who gave up learned nothing that is of use to others
		return all, err
	}
	l.all, l.err, l.made = all, err, time.Now()
	return slices.Clone(all), err
}
