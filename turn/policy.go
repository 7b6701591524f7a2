package turn

import (
	"net/netip"
	"slices"
	"time"
)

// policy says which peers relays reach. It is built anew and never changed.
type policy struct {
	asked   time.Time                         // when the media ports were asked for
	targets map[netip.AddrPort]netip.AddrPort // a media port as a viewer may name it → where its datagrams go
	local   map[netip.AddrPort]netip.AddrPort // where datagrams of a media port come from → how we name it unasked
	ips     map[netip.Addr]struct{}           // of targets
	allow   []netip.Prefix
}

// How old a policy may get: without a request for a permission, with one, and with one that it forbids, since media
// ports may have changed. So nobody has it built anew more often than 50 times a second.
const (
	policyAge     = 5 * time.Second
	permissionAge = time.Second
	forbiddenAge  = 20 * time.Millisecond
)

// freshPolicy returns one that was asked for within the age.
func (s *Server) freshPolicy(age time.Duration) *policy {
	if p := s.policy.Load(); time.Since(p.asked) < age {
		return p
	}
	return s.renewPolicy()
}

// renewPolicy never puts an older policy, or one of older terms, in the place of a newer one.
func (s *Server) renewPolicy() *policy {
	asked := time.Now()
	media := s.o.Media()
	s.renewing.Lock()
	defer s.renewing.Unlock()
	if p := s.policy.Load(); p != nil && p.asked.After(asked) {
		return p
	}
	p := newPolicy(media, s.terms.Load().allowPeers)
	p.asked = asked
	s.policy.Store(p)
	return p
}

func newPolicy(m Media, allow []netip.Prefix) *policy {
	p := &policy{
		targets: make(map[netip.AddrPort]netip.AddrPort),
		local:   make(map[netip.AddrPort]netip.AddrPort),
		ips:     make(map[netip.Addr]struct{}),
		allow:   allow,
	}
	for public, local := range m.Announced {
		p.media(public, local)
	}
	for _, local := range m.Local {
		p.media(local, local)
	}
	return p
}

func (p *policy) media(name, target netip.AddrPort) {
	name, target = plain(name), plain(target)
	if !name.IsValid() || !target.IsValid() || name.Addr().IsUnspecified() || target.Addr().IsUnspecified() {
		return
	}
	p.targets[name] = target
	p.local[target] = name
	p.ips[name.Addr()] = struct{}{}
}

// target returns where a datagram to peer goes.
func (p *policy) target(peer netip.AddrPort) (netip.AddrPort, bool) {
	if target, ok := p.targets[peer]; ok {
		return target, true
	}
	return peer, p.allowed(peer.Addr())
}

// source returns the name of who sent a datagram, as of one that nobody asked for.
func (p *policy) source(from netip.AddrPort) (netip.AddrPort, bool) {
	if name, ok := p.local[from]; ok {
		return name, true
	}
	return from, p.allowed(from.Addr())
}

// permits says whether a permission may be given: it counts for an IP address, whatever the port, but one that names
// a port of ours that is no media port gets none. Port 0 names none.
func (p *policy) permits(peer netip.AddrPort) bool {
	if peer.Port() == 0 {
		if _, ok := p.ips[peer.Addr()]; ok {
			return true
		}
	}
	_, ok := p.target(peer)
	return ok
}

// permitsAll is for one request. A channel wants a port of ours; a permission may name none, and datagrams are looked
// at one by one.
func (p *policy) permitsAll(peers []netip.AddrPort, channel bool) bool {
	return !slices.ContainsFunc(peers, func(peer netip.AddrPort) bool {
		return channel && peer.Port() == 0 || !p.permits(peer)
	})
}

// allowed applies AllowPeers. An address that carries an IPv4 address within wants both allowed.
func (p *policy) allowed(ip netip.Addr) bool {
	if len(p.allow) == 0 || !ip.IsValid() {
		return false
	}
	if inner, ok := embedded(ip); ok && !p.allowed(inner) {
		return false
	}
	for _, prefix := range p.allow {
		if prefix.Contains(ip) && !guarded(ip, prefix) {
			return true
		}
	}
	return false
}

// guards are ranges that a wider prefix does not open: loopback, "this" network, link-local with its metadata
// services, multicast, reserved with broadcast, and the metadata services that have addresses elsewhere.
var guards = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("224.0.0.0/4"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("100.100.100.200/32"),
	netip.MustParsePrefix("168.63.129.16/32"),
	netip.MustParsePrefix("192.0.0.192/32"),
	netip.MustParsePrefix("::/128"),
	netip.MustParsePrefix("::1/128"),
	netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("ff00::/8"),
	netip.MustParsePrefix("fd00:ec2::254/128"),
	netip.MustParsePrefix("fd20:ce::254/128"),
}

// guarded says whether ip lies in a guarded range that prefix does not lie within.
func guarded(ip netip.Addr, prefix netip.Prefix) bool {
	for _, g := range guards {
		within := g.Bits() <= prefix.Bits() && g.Contains(prefix.Addr())
		if g.Contains(ip) && !within {
			return true
		}
	}
	return false
}

var (
	nat64        = netip.MustParsePrefix("64:ff9b::/96")
	localNAT64   = netip.MustParsePrefix("64:ff9b:1::/48")
	sixToFour    = netip.MustParsePrefix("2002::/16")
	teredo       = netip.MustParsePrefix("2001::/32")
	v4Compatible = netip.MustParsePrefix("::/96")
)

// embedded returns the IPv4 address that a datagram to ip may end at: NAT64, 6to4, Teredo, IPv4-compatible.
func embedded(ip netip.Addr) (netip.Addr, bool) {
	b := ip.As16()
	switch {
	case !ip.Is6():
		return netip.Addr{}, false
	case nat64.Contains(ip), localNAT64.Contains(ip), v4Compatible.Contains(ip) && !ip.IsUnspecified() && !ip.IsLoopback():
		return netip.AddrFrom4([4]byte(b[12:])), true
	case sixToFour.Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case teredo.Contains(ip):
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}), true
	}
	return netip.Addr{}, false
}

// plain is an address as maps know it: never IPv4 in IPv6, no zone.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}
