// Package lossyrelay is a UDP relay between viewers and a gateway that loses, delays, limits, doubles and reorders
// what it passes on, each direction as it is told and as it may be told anew while it runs. Not every kernel has
// tc netem, and no test wants to be root. A viewer comes to use it by an answer whose candidates are those of the
// relay: see Rewrite.
package lossyrelay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// maxClients bounds the sockets of one relay. Datagrams of further clients are dropped and counted.
const maxClients = 4096

// maxDatagram is the largest that UDP carries.
const maxDatagram = 1 << 16

// Options are what a relay is made of. Only Upstream is necessary.
type Options struct {
	Listen   netip.AddrPort // where clients send to; port 0 of 127.0.0.1 by default
	Upstream netip.AddrPort // the media port of the gateway
	Up, Down Link           // from clients to the gateway, and back
	Seed     uint64         // the same seed and the same datagrams, the same losses
}

// Relay passes datagrams on. Each address of a client gets a socket of its own to the gateway, which therefore sees
// as many addresses as there are, as behind a NAT. Use: New, then Run once, or Close.
type Relay struct {
	upstream *net.UDPAddr // fixed after New
	conn     *net.UDPConn // fixed after New; clients' side
	up, down *direction   // fixed after New
	refused  atomic.Uint64

	mu      sync.Mutex
	clients map[netip.AddrPort]*client // guarded by mu
	closed  bool                       // guarded by mu
}

// client is one address that has sent to the relay.
type client struct {
	address netip.AddrPort
	conn    *net.UDPConn // connected to the gateway
}

// New opens the port and starts nothing. Errors are those of the links' values and of the port.
func New(o Options) (*Relay, error) {
	if err := errors.Join(o.Up.check("up"), o.Down.check("down")); err != nil {
		return nil, err
	}
	if !o.Upstream.IsValid() || o.Upstream.Port() == 0 {
		return nil, errors.New("a relay needs the address and port of what it relays to")
	}
	if !o.Listen.IsValid() {
		o.Listen = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0)
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(o.Listen))
	if err != nil {
		return nil, fmt.Errorf("open the relay's port: %w", err)
	}
	r := &Relay{upstream: net.UDPAddrFromAddrPort(o.Upstream), conn: conn, clients: make(map[netip.AddrPort]*client)}
	r.up = newDirection(o.Up, o.Seed, func(c *client, data []byte) error {
		_, err := c.conn.Write(data)
		return err
	})
	r.down = newDirection(o.Down, o.Seed+1, func(c *client, data []byte) error {
		_, err := conn.WriteToUDPAddrPort(data, c.address)
		return err
	})
	return r, nil
}

// Addr is where clients send to.
func (r *Relay) Addr() netip.AddrPort {
	a := r.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// Set changes both directions for the datagrams that come from now on. What waits already stays as it was. It may
// be called by anyone at any time; nothing changes on an error.
func (r *Relay) Set(up, down Link) error {
	if err := errors.Join(up.check("up"), down.check("down")); err != nil {
		return err
	}
	r.up.set(up)
	r.down.set(down)
	return nil
}

// Counters are what the relay has done so far.
func (r *Relay) Counters() Counters {
	r.mu.Lock()
	clients := len(r.clients)
	r.mu.Unlock()
	return Counters{Up: r.up.count(), Down: r.down.count(), Clients: clients, Refused: r.refused.Load()}
}

// Run relays until ctx ends, then closes the port and returns nil. What waits then is lost.
func (r *Relay) Run(ctx context.Context) error {
	defer r.Close()
	g, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, r.Close)()
	g.Go(func() error { return r.up.run(ctx) })
	g.Go(func() error { return r.down.run(ctx) })
	g.Go(func() error { return r.listen(g) })
	if err := g.Wait(); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("relay: %w", err)
	}
	return nil
}

// Close gives the port back if Run was never called, and ends Run otherwise. It may be called twice.
func (r *Relay) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	_ = r.conn.Close()
	for _, c := range r.clients {
		_ = c.conn.Close()
	}
}

// listen reads what clients send; g gets a reader for each of them.
func (r *Relay) listen(g *errgroup.Group) error {
	buffer := make([]byte, maxDatagram)
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			continue // a client's port is gone: the kernel tells of it here
		}
		c, fresh, err := r.client(netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		if err != nil {
			r.refused.Add(1)
			continue
		}
		if fresh {
			g.Go(func() error { return r.answer(c) })
		}
		r.up.take(c, buffer[:n])
	}
}

var errTooMany = errors.New("too many clients")

// client finds the client of an address, or makes it.
func (r *Relay) client(address netip.AddrPort) (c *client, fresh bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.clients[address]; ok {
		return known, false, nil
	}
	switch {
	case r.closed:
		return nil, false, net.ErrClosed
	case len(r.clients) == maxClients:
		return nil, false, errTooMany
	}
	conn, err := net.DialUDP("udp", nil, r.upstream)
	if err != nil {
		return nil, false, err
	}
	c = &client{address: address, conn: conn}
	r.clients[address] = c
	return c, true, nil
}

// answer reads what the gateway sends to one client.
func (r *Relay) answer(c *client) error {
	buffer := make([]byte, maxDatagram)
	for {
		n, err := c.conn.Read(buffer)
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err == nil { // otherwise the gateway's port is closed for now
			r.down.take(c, buffer[:n])
		}
	}
}
