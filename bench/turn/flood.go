//go:build linux

package main

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// sources is from how many addresses the second flood comes: few enough requests of each that none is limited.
const sources = 1000

// floods sends Binding requests from one address, then from many.
func (p plan) floods(ctx context.Context, s *server, _ media, f *figures) error {
	share, _, err := p.flooded(ctx, s, 1)
	if err != nil {
		return err
	}
	f.flooded = share
	f.many, f.answered, err = p.flooded(ctx, s, sources)
	return err
}

// flooded returns the server's processor time in percent of a core, and how much of the flood was answered.
func (p plan) flooded(ctx context.Context, s *server, from int) (share, answered float64, err error) {
	conns, err := openSources(s, from)
	defer func() {
		for _, c := range conns {
			_ = c.Close() // only requests were sent
		}
	}()
	if err != nil {
		return 0, 0, err
	}
	sent, began := 0, time.Now()
	var heard atomic.Int64
	var hearing sync.WaitGroup
	used, err := s.cpuOver(func() {
		for _, c := range conns {
			hearing.Go(func() { hear(c, began.Add(p.window+100*time.Millisecond), &heard) })
		}
		sent = p.pour(ctx, conns, began)
		hearing.Wait()
	})
	return 100 * used.Seconds() / p.window.Seconds(), 100 * float64(heard.Load()) / float64(max(sent, 1)), err
}

func openSources(s *server, n int) (conns []*net.UDPConn, err error) {
	for i := range n {
		c, err := net.DialUDP("udp4", &net.UDPAddr{IP: source(i)}, net.UDPAddrFromAddrPort(s.at))
		if err != nil {
			return conns, err
		}
		conns = append(conns, c)
	}
	return conns, nil
}

// pour sends at the plan's rate until the window ends and returns how many were sent.
func (p plan) pour(ctx context.Context, conns []*net.UDPConn, began time.Time) (sent int) {
	request := []byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	for ctx.Err() == nil {
		passed := time.Since(began)
		if passed >= p.window {
			return sent
		}
		for due := int(passed.Seconds() * float64(p.flood)); sent < due; sent++ {
			_, _ = conns[sent%len(conns)].Write(request) // a full queue is a flood, too
		}
		time.Sleep(time.Millisecond)
	}
	return sent
}

func hear(c *net.UDPConn, until time.Time, heard *atomic.Int64) {
	buf := make([]byte, 200)
	if c.SetReadDeadline(until) != nil {
		return
	}
	for {
		if _, err := c.Read(buf); err != nil {
			return
		}
		heard.Add(1)
	}
}
