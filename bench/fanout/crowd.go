//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"sluice/bench/load"
)

// How long servers and viewers are waited for.
const (
	readyWithin    = 40 * time.Second
	joinWithin     = 30 * time.Second
	keyframeWithin = 25 * time.Second
	retryEvery     = 100 * time.Millisecond
)

// crowd is the viewers of one server.
type crowd struct {
	load   *load.Load
	server *process
	end    context.CancelFunc
	ran    chan error // of 1; sent once by the goroutine that runs load

	mu     sync.Mutex
	all    []*load.Viewer // guarded by mu
	failed []error        // guarded by mu
}

func (p *plan) gather(ctx context.Context, s *process) (*crowd, error) {
	l, err := load.New(load.Options{Readers: p.readers, GRO: p.gro})
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(ctx)
	c := &crowd{load: l, server: s, end: end, ran: make(chan error, 1)}
	go func() { c.ran <- l.Run(ctx) }()
	return c, nil
}

func (c *crowd) close() error {
	c.end()
	return <-c.ran
}

// join makes one more viewer.
func (c *crowd) join(ctx context.Context) (*load.Viewer, error) {
	ctx, cancel := context.WithTimeout(ctx, joinWithin)
	defer cancel()
	if c.server.plain {
		return c.load.JoinPlain(ctx, c.server.WHEP)
	}
	return c.load.Join(ctx, c.server.WHEP)
}

// ready waits until a viewer gets the picture, and has it leave.
func (c *crowd) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		v, err := c.join(ctx)
		if err == nil {
			err = c.seen(ctx, v)
			if left := v.Leave(ctx); err == nil {
				return left
			}
		}
		if wait(ctx, retryEvery) != nil {
			return fmt.Errorf("%s does not serve: %w", c.server.Name, err)
		}
	}
}

// seen waits for a viewer's first keyframe, where there is one.
func (c *crowd) seen(ctx context.Context, v *load.Viewer) error {
	for {
		if _, ok := v.Keyframe(); ok || c.server.plain && v.Count().Packets > 0 {
			return nil
		}
		if err := wait(ctx, retryEvery); err != nil {
			return err
		}
	}
}

// rush has n viewers join within ramp, each at a moment of its own.
func (c *crowd) rush(ctx context.Context, n int, ramp time.Duration) {
	var joining sync.WaitGroup
	for range n {
		at := rand.N(ramp + 1)
		joining.Go(func() {
			if wait(ctx, at) != nil {
				return
			}
			v, err := c.join(ctx)
			c.mu.Lock()
			defer c.mu.Unlock()
			if err != nil {
				c.failed = append(c.failed, err)
				return
			}
			c.all = append(c.all, v)
		})
	}
	joining.Wait()
}

// fill is rush, and waits for the viewers' first keyframes. It is an error if not all of them join.
func (c *crowd) fill(ctx context.Context, n int, ramp time.Duration) error {
	c.rush(ctx, n, ramp)
	ctx, cancel := context.WithTimeout(ctx, keyframeWithin)
	defer cancel()
	for _, v := range c.all {
		if err := c.seen(ctx, v); err != nil {
			return fmt.Errorf("%s: a viewer of %d has no keyframe after %v", c.server.Name, n, keyframeWithin)
		}
	}
	if len(c.failed) > 0 {
		return fmt.Errorf("%s: %d viewers of %d can't join: %w", c.server.Name, len(c.failed), n, c.failed[0])
	}
	return nil
}

// counted is what the viewers of a crowd have received.
type counted struct {
	load.Count
	drops uint64 // of what is missing: thrown away by the viewers' own sockets
}

func (c *crowd) count() (counted, error) {
	var sum counted
	for _, v := range c.all {
		one := v.Count()
		sum.Packets += one.Packets
		sum.Bytes += one.Bytes
		sum.Missing += one.Missing
	}
	drops, err := load.Drops(c.all)
	sum.drops = drops
	return sum, err
}

func (c counted) since(before counted) counted {
	c.Packets -= before.Packets
	c.Bytes -= before.Bytes
	c.Missing -= min(before.Missing, c.Missing)
	c.drops -= before.drops
	return c
}

// wait waits, and returns the error of a context that ends meanwhile.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
