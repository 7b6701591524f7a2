//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	pairs   = 4    // allocations, each with a media port of its own
	flight  = 32   // packets of a pair that are on their way
	payload = 1200 // bytes
	channel = 0x4000
)

// media are ports that send back what they get.
type media struct {
	conns []*net.UDPConn
	done  *sync.WaitGroup
}

func openMedia(n int) (media, error) {
	m := media{done: new(sync.WaitGroup)}
	for range n {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			m.close()
			return m, err
		}
		m.conns = append(m.conns, conn)
		m.done.Go(func() { sendBack(conn) })
	}
	return m, nil
}

func sendBack(conn *net.UDPConn) {
	buf := make([]byte, 1600)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		_, _ = conn.WriteToUDPAddrPort(buf[:n], from) // what is lost is sent anew
	}
}

func (m media) addresses() (a []string) {
	for _, c := range m.conns {
		a = append(a, c.LocalAddr().String())
	}
	return a
}

func (m media) close() {
	for _, c := range m.conns {
		_ = c.Close() // ends its sendBack
	}
	m.done.Wait()
}

// relay keeps packets on their way through the server and back, a new one for each that returns.
func (p plan) relay(ctx context.Context, s *server, m media, f *figures) error {
	var returned atomic.Int64
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	var loops sync.WaitGroup
	for i, to := range m.addresses() {
		c, err := allocate(s.at, i)
		if err != nil {
			return err
		}
		if err := c.bind(channel, netip.MustParseAddrPort(to)); err != nil {
			return err
		}
		loops.Go(func() { c.loop(running, &returned) })
		defer func() { loops.Wait(); _ = c.release() }() // a server that does not answer shows elsewhere
	}
	defer cancel()
	time.Sleep(p.window / 10)
	before, began := returned.Load(), time.Now()
	used, err := s.cpuOver(func() { time.Sleep(p.window) })
	if err != nil {
		return err
	}
	packets := 2 * float64(returned.Load()-before)
	if packets == 0 {
		return errors.New("no packet came back")
	}
	f.packets = packets / time.Since(began).Seconds()
	f.perPacket = used.Seconds() * 1e6 / packets
	return nil
}

func (c *client) loop(ctx context.Context, returned *atomic.Int64) {
	out := make([]byte, 4+payload)
	binary.BigEndian.PutUint16(out, channel)
	binary.BigEndian.PutUint16(out[2:], payload)
	in := make([]byte, 1600)
	flying := 0
	for ctx.Err() == nil {
		for ; flying < flight; flying++ {
			_, _ = c.conn.Write(out) // what is lost is sent anew
		}
		_ = c.conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond)) // the socket is open
		_, err := c.conn.Read(in)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			flying = 0
		case err == nil:
			flying--
			returned.Add(1)
		}
	}
}

// cpuOver is the processor time that the server used while do ran.
func (s *server) cpuOver(do func()) (time.Duration, error) {
	before, err := s.cpu()
	if err != nil {
		return 0, err
	}
	do()
	after, err := s.cpu()
	return after - before, err
}
