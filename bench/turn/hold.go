//go:build linux

package main

import (
	"context"
	"time"
)

// hold makes all allocations, one after the other, and looks at the server's memory before and with them.
func (p plan) hold(ctx context.Context, s *server, _ media, f *figures) error {
	var err error
	if f.idle, err = s.memory(); err != nil {
		return err
	}
	var held []*client
	defer func() {
		for _, c := range held {
			_ = c.release() // a server that does not answer shows elsewhere
		}
	}()
	began := time.Now()
	for len(held) < p.allocations && ctx.Err() == nil {
		var c *client
		if c, err = allocate(s.at, len(held)); err != nil {
			return err
		}
		held = append(held, c)
	}
	f.allocate = time.Since(began).Seconds()
	f.held, err = s.memory()
	return err
}
