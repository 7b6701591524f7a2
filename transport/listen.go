package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"syscall"
)

// portTries is how often another port is tried when the system has chosen one that is taken in the other family.
const portTries = 16

// Listen opens the port, and the TCP port beside it if there is one. The error is a *ListenError or a *STUNServerError.
// The caller closes the port.
func Listen(ctx context.Context, o Options) (*Port, error) {
	if o.Sockets <= 0 {
		o.Sockets = runtime.GOMAXPROCS(0)
	}
	f := opener{options: o, bind: bind}
	if err := f.open(ctx); err != nil {
		return nil, &ListenError{Address: o.ListenUDP, Err: cause(err)}
	}
	streams, err := listenTCP(ctx, o.ListenTCP)
	if err != nil {
		f.closeSockets()
		return nil, err
	}
	p := &Port{addr: f.addr, v4: f.v4, v6: f.v6, streams: streams, hosts: newHosts(ctx, o)}
	p.others = newOthers(p)
	if len(o.STUNServers) == 0 {
		return p, nil
	}
	if p.finder, err = newFinder(p, o); err != nil {
		_ = p.Close() // nothing was sent yet
		return nil, err
	}
	return p, nil
}

// opener opens the sockets of a port.
type opener struct {
	options Options
	bind    func(ctx context.Context, a netip.AddrPort, shared bool) (*net.UDPConn, error)

	addr   netip.AddrPort // what was bound last
	v4, v6 []*socket
}

func (f *opener) open(ctx context.Context) error {
	host, service, err := net.SplitHostPort(f.options.ListenUDP)
	if err != nil {
		return err
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "udp", service)
	if err != nil {
		return err
	}
	if host == "" {
		return f.openBoth(ctx, uint16(number))
	}
	a, err := lookup(ctx, host)
	if err != nil {
		return err
	}
	return f.openFamily(ctx, netip.AddrPortFrom(a, uint16(number)))
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
func (f *opener) openBoth(ctx context.Context, number uint16) error {
	err := error(syscall.EADDRINUSE)
	for try := 0; try < portTries && taken(err) && (try == 0 || number == 0); try++ {
		err = f.openPair(ctx, number)
	}
	return err
}

func (f *opener) openPair(ctx context.Context, number uint16) error {
	err4 := f.openFamily(ctx, netip.AddrPortFrom(netip.IPv4Unspecified(), number))
	if err4 != nil && taken(err4) {
		return err4
	}
	if err4 == nil {
		number = f.addr.Port()
	}
	err6 := f.openFamily(ctx, netip.AddrPortFrom(netip.IPv6Unspecified(), number))
	switch {
	case err6 == nil:
		return nil
	case err4 != nil:
		return err4
	case taken(err6) || len(f.v4) == 0:
		f.closeSockets()
		return err6
	}
	f.options.Log.Info("IPv6 is not to be had: media flows over IPv4 only", "err", err6)
	return nil
}

// taken reports whether a port belongs to somebody else, rather than the address family being missing.
func taken(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EACCES)
}

// openFamily opens the sockets of one address. The first is bound alone, so that no other process of the same user has
// the port, and shares it with the others then.
func (f *opener) openFamily(ctx context.Context, a netip.AddrPort) error {
	first, err := f.bind(ctx, a, false)
	if err != nil {
		return err
	}
	f.addr = netip.AddrPortFrom(a.Addr(), first.LocalAddr().(*net.UDPAddr).AddrPort().Port())
	if err = f.add(first); err != nil || !share(first) {
		return err
	}
	for range f.options.Sockets - 1 {
		c, err := f.bind(ctx, f.addr, true)
		if err == nil {
			err = f.add(c)
		}
		if err != nil {
			f.closeSockets()
			return err
		}
	}
	return nil
}

func (f *opener) add(c *net.UDPConn) error {
	a := f.addr.Addr()
	s, err := newSocket(c, a.Is6(), a.IsUnspecified(), f.options)
	switch {
	case err != nil:
		return errors.Join(err, c.Close())
	case a.Is6():
		f.v6 = append(f.v6, s)
	default:
		f.v4 = append(f.v4, s)
	}
	return nil
}

func (f *opener) closeSockets() {
	for _, s := range slices.Concat(f.v4, f.v6) {
		_ = s.close() // nothing was sent yet
	}
	f.v4, f.v6 = nil, nil
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
