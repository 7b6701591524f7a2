package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"syscall"
)

// portTries is how often another port is tried when the system has chosen one that is taken in the other family.
const portTries = 16

// Listen opens the port. The error is a *ListenError. The caller closes the port.
func Listen(ctx context.Context, o Options) (*Port, error) {
	if o.Sockets <= 0 {
		o.Sockets = runtime.GOMAXPROCS(0)
	}
	p := &Port{}
	if err := p.open(ctx, o); err != nil {
		return nil, &ListenError{Address: o.ListenUDP, Err: cause(err)}
	}
	p.others = newOthers(p)
	p.hosts = newHosts(ctx, o, p)
	return p, nil
}

func (p *Port) open(ctx context.Context, o Options) error {
	host, service, err := net.SplitHostPort(o.ListenUDP)
	if err != nil {
		return err
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "udp", service)
	if err != nil {
		return err
	}
	if host == "" {
		return p.openBoth(ctx, o, uint16(number))
	}
	a, err := lookup(ctx, host)
	if err != nil {
		return err
	}
	return p.openFamily(ctx, o, netip.AddrPortFrom(a, uint16(number)))
}

// lookup finds the address of a host, an IPv4 one before others.
func lookup(ctx context.Context, host string) (netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap(), nil
	}
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range all {
		if a.Unmap().Is4() {
			return a.Unmap(), nil
		}
	}
	return all[0], nil // a look-up without an error has found something
}

// openBoth opens the port on all addresses of both families. One of them may be missing.
func (p *Port) openBoth(ctx context.Context, o Options, number uint16) error {
	for range portTries {
		err4 := p.openFamily(ctx, o, netip.AddrPortFrom(netip.IPv4Unspecified(), number))
		if err4 != nil && taken(err4) {
			return err4
		}
		chosen := number
		if err4 == nil {
			chosen = p.addr.Port()
		}
		err6 := p.openFamily(ctx, o, netip.AddrPortFrom(netip.IPv6Unspecified(), chosen))
		switch {
		case err6 == nil:
			return nil
		case err4 != nil:
			return err4
		case !taken(err6):
			o.Log.Info("IPv6 is not to be had: media flows over IPv4 only", "err", err6)
			return nil
		}
		p.closeSockets()
		if number != 0 {
			return err6
		}
	}
	return syscall.EADDRINUSE
}

// taken reports whether a port belongs to somebody else, rather than the address family being missing.
func taken(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EACCES)
}

// openFamily opens the sockets of one address. The first is bound alone, so that no other process of the same user has
// the port, and shares it with the others then.
func (p *Port) openFamily(ctx context.Context, o Options, a netip.AddrPort) error {
	first, err := bind(ctx, a, false)
	if err != nil {
		return err
	}
	p.addr = netip.AddrPortFrom(a.Addr(), first.LocalAddr().(*net.UDPAddr).AddrPort().Port())
	if err = p.add(first, o); err != nil || !share(first) {
		return err
	}
	for range o.Sockets - 1 {
		c, err := bind(ctx, p.addr, true)
		if err == nil {
			err = p.add(c, o)
		}
		if err != nil {
			p.closeSockets()
			return err
		}
	}
	return nil
}

func (p *Port) add(c *net.UDPConn, o Options) error {
	a := p.addr.Addr()
	s, err := newSocket(c, a.Is6(), a.IsUnspecified(), o)
	switch {
	case err != nil:
		return errors.Join(err, c.Close())
	case a.Is6():
		p.v6 = append(p.v6, s)
	default:
		p.v4 = append(p.v4, s)
	}
	return nil
}

func (p *Port) closeSockets() {
	for _, s := range p.sockets() {
		_ = s.close() // nothing was sent yet
	}
	p.v4, p.v6 = nil, nil
}

func bind(ctx context.Context, a netip.AddrPort, shared bool) (*net.UDPConn, error) {
	network := "udp4"
	if a.Addr().Is6() {
		network = "udp6"
	}
	c := net.ListenConfig{}
	if shared {
		c.Control = shareBefore
	}
	conn, err := c.ListenPacket(ctx, network, net.JoinHostPort(a.Addr().String(), strconv.Itoa(int(a.Port()))))
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}

// cause is err without the words of package net about what was tried, which ListenError says itself.
func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
