package transport

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Port is the one UDP port of all media. All methods may be called from any goroutine.
type Port struct {
	addr   netip.AddrPort // fixed
	v4, v6 []*socket      // fixed; each empty or one for each core
	hosts  *hosts         // fixed
	others *Others        // fixed

	streams *streams // fixed; nil if there is no TCP port
	finder  *finder  // fixed; nil if the public address is not looked for

	batches atomic.Uint32 // how many were made
}

// Addr is the address that the port is bound to. It is that of IPv6 if the port is open on all addresses of both
// families.
func (p *Port) Addr() netip.AddrPort { return p.addr }

// Others is the way of the datagrams that the receiver of Run does not take.
func (p *Port) Others() *Others { return p.others }

// Run reads all sockets and accepts TCP connections until ctx is done or the port is closed, and gives what comes to r.
// Meanwhile it keeps the announced addresses up to date. Sending over UDP works on until Close; TCP connections end with
// Run. The error is that of a socket which can't be read any more.
func (p *Port) Run(ctx context.Context, r Receiver) error {
	ctx, cancel := context.WithCancel(ctx)
	var addresses sync.WaitGroup
	defer addresses.Wait()
	defer cancel()
	addresses.Go(func() { p.hosts.additional.run(ctx) })
	if p.finder != nil {
		addresses.Go(func() { p.finder.run(ctx) })
		r = replies{finder: p.finder, next: r}
	}
	return p.read(ctx, r)
}

func (p *Port) read(ctx context.Context, r Receiver) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, s := range p.sockets() {
		_ = s.conn.SetReadDeadline(time.Time{}) // fails only once the socket is closed, which its reader notices
	}
	stop := context.AfterFunc(ctx, func() {
		for _, s := range p.sockets() {
			_ = s.conn.SetReadDeadline(time.Unix(1, 0)) // likewise
		}
	})
	defer stop()
	for _, s := range p.sockets() {
		g.Go(func() error { return s.read(ctx, r, p.others) })
	}
	if p.streams != nil {
		p.streams.setDeadline(time.Time{})
		g.Go(func() error { return p.streams.run(ctx, r) })
	}
	return g.Wait()
}

// Close closes all sockets and ends Run. It may be called twice.
func (p *Port) Close() error {
	_ = p.others.Close() // has nothing to fail
	var all []error
	for _, s := range p.sockets() {
		all = append(all, s.close())
	}
	if p.streams != nil {
		all = append(all, p.streams.close())
	}
	return errors.Join(all...)
}

// WriteTo sends one datagram at once. The error is a *SendError.
func (p *Port) WriteTo(data []byte, to Path) error {
	if len(data) == 0 {
		return nil
	}
	if to.Conn != nil {
		return to.Conn.writeOne(data)
	}
	s := p.first(to.Remote.Addr().Unmap())
	if s == nil {
		return &SendError{Reason: Unreachable}
	}
	one := s.takeSingle()
	defer s.keepSingle(one)
	return one.send(data, to)
}

// first is a socket of an address family, nil if there is none.
func (p *Port) first(a netip.Addr) *socket {
	sockets := p.v4
	if a.Is6() {
		sockets = p.v6
	}
	if len(sockets) == 0 {
		return nil
	}
	return sockets[0]
}

func (p *Port) sockets() []*socket {
	return slices.Concat(p.v4, p.v6)
}

// unmapped is a path whose IPv4 addresses are not in their IPv6 form.
func unmapped(p Path) Path {
	p.Remote = netip.AddrPortFrom(p.Remote.Addr().Unmap(), p.Remote.Port())
	p.Local = p.Local.Unmap()
	return p
}
