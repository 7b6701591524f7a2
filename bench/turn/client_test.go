//go:build linux

package main

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/turn"
)

// The client that measures gets packets through a relay and back, and leaves nothing behind.
func TestClientRelays(t *testing.T) {
	ports, err := openMedia(1)
	if err != nil {
		t.Fatal(err)
	}
	defer ports.close()
	to := netip.MustParseAddrPort(ports.addresses()[0])
	s, err := turn.Listen(t.Context(), turn.Options{
		ListenUDP: "127.0.0.1:0", Secret: secret, Media: func() turn.Media { return turn.Media{Local: []netip.AddrPort{to}} },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) }) // its end is awaited
	defer func() { cancel(); running.Wait() }()

	c, err := allocate(s.Addrs().UDP, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.bind(channel, to); err != nil {
		t.Fatal(err)
	}
	var returned atomic.Int64
	for limit := time.Now().Add(20 * time.Second); returned.Load() < flight && time.Now().Before(limit); {
		within, done := context.WithTimeout(ctx, 200*time.Millisecond)
		c.loop(within, &returned)
		done()
	}
	if returned.Load() < flight {
		t.Errorf("%d packets came back", returned.Load())
	}
	if err := c.release(); err != nil || s.Stats().Allocations != 0 {
		t.Errorf("%v, with %d allocations left", err, s.Stats().Allocations)
	}
}

func TestMedian(t *testing.T) {
	all := []figures{{held: 3}, {held: 1}, {held: 2}}
	if m := median(all, func(f figures) float64 { return f.held }); m != 2 {
		t.Errorf("%v", m)
	}
}
