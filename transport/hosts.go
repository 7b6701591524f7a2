package transport

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// hostPriority is that of the best host candidate (RFC 8445 5.1.2.1): whoever configures an address means it.
	hostPriority = 126<<24 | 65535<<8 | 255
	// addressesLife is how long the list of the machine's addresses is taken for true: it costs more than the rest of an
	// answer, and interfaces come and go.
	addressesLife = time.Second
)

// hosts knows under which addresses the ports are announced.
type hosts struct {
	interfaces []string            // fixed; empty: all
	additional *names              // fixed
	list       func() []netip.Addr // fixed: asks the system

	mu    sync.Mutex
	found []netip.Addr // guarded by mu
	at    time.Time    // guarded by mu: when they were found
}

// newHosts resolves the additional hosts, for resolveTimeout at most.
func newHosts(ctx context.Context, o Options) *hosts {
	h := &hosts{interfaces: o.Interfaces, additional: newNames("webrtc.additional_hosts", o.AdditionalHosts, o.Log)}
	h.additional.resolve(ctx)
	h.list = h.interfaceAddrs
	return h
}

// Addresses are those to announce: what the port is bound to, or the addresses of the allowed interfaces.
func (p *Port) Addresses() []netip.AddrPort {
	return p.hosts.addresses(p.addr, len(p.v4) > 0)
}

// addresses are those under which a port is reached that is bound to an address; v4 tells that it is open to IPv4.
func (h *hosts) addresses(local netip.AddrPort, v4 bool) []netip.AddrPort {
	if !local.Addr().IsUnspecified() {
		return []netip.AddrPort{local}
	}
	var all []netip.AddrPort
	for _, a := range h.current() {
		if a.Is4() && v4 || a.Is6() && local.Addr().Is6() {
			all = append(all, netip.AddrPortFrom(a, local.Port()))
		}
	}
	return all
}

// Public are the addresses under which the UDP port was found by STUN, IPv4 before IPv6; none if it is not looked for,
// not behind a NAT, or behind one that gives each peer another address.
func (p *Port) Public() []netip.AddrPort {
	if p.finder == nil {
		return nil
	}
	return p.finder.addresses()
}

// Owns reports whether an address is one that the port is reached at.
func (p *Port) Owns(a netip.Addr) bool {
	is := func(own netip.AddrPort) bool { return own.Addr() == a.Unmap() }
	return slices.ContainsFunc(p.Addresses(), is) || slices.ContainsFunc(p.outside(), is)
}

// outside are the addresses of others that lead to the UDP port, those that somebody has configured first.
func (p *Port) outside() []netip.AddrPort {
	var all []netip.AddrPort
	for _, a := range p.hosts.additional.addresses() {
		all = append(all, netip.AddrPortFrom(a, p.addr.Port()))
	}
	for _, a := range p.Public() {
		if !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}

// Candidates are the values of the port's candidate lines, all of type host: those of the additional hosts and of the
// public address first, since some peers use only the first candidate, and no server-reflexive one (A55). No two have
// the same priority (RFC 8445 5.1.2), and no address stands twice. Loopback addresses are of use on this machine alone.
func (p *Port) Candidates(loopback bool) []string {
	outside := p.outside()
	all := p.candidatesOf(outside)
	for _, a := range p.Addresses() {
		if a.Addr().IsLoopback() && !loopback || slices.Contains(outside, a) {
			continue
		}
		all = append(all, candidate("port", len(all), a))
	}
	return all
}

// AdditionalCandidates are the values of the candidate lines of addresses that are not this machine's: those of the
// additional hosts and the public one.
func (p *Port) AdditionalCandidates() []string { return p.candidatesOf(p.outside()) }

func (p *Port) candidatesOf(outside []netip.AddrPort) []string {
	all := make([]string, 0, len(outside))
	for i, a := range outside {
		all = append(all, candidate("host", i, a))
	}
	return all
}

func candidate(name string, i int, a netip.AddrPort) string {
	return fmt.Sprintf("%s%d 1 udp %d %s %d typ host", name, i, hostPriority-i, a.Addr(), a.Port())
}

// current is the list of the machine's addresses, at most addressesLife old.
func (h *hosts) current() []netip.Addr {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := time.Now(); h.at.IsZero() || now.Sub(h.at) >= addressesLife {
		h.found, h.at = h.list(), now
	}
	return h.found
}

// interfaceAddrs lists the addresses of the allowed interfaces, those first that others reach the machine at.
func (h *hosts) interfaceAddrs() []netip.Addr {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	addressesOf := readAddresses()
	var all []netip.Addr
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || len(h.interfaces) > 0 && !slices.Contains(h.interfaces, i.Name) {
			continue
		}
		for _, a := range addressesOf(i) {
			if announceable(a) && !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	slices.SortStableFunc(all, byRoute(sourceTo(anywhere4), sourceTo(anywhere6)))
	return all
}

// Hosts beyond the default routes, to which nothing is sent (RFC 5737, RFC 3849).
var (
	anywhere4 = netip.MustParseAddrPort("192.0.2.1:9")
	anywhere6 = netip.MustParseAddrPort("[2001:db8::1]:9")
)

// byRoute puts the addresses first that packets of the default routes come from: some peers use the first candidate
// alone, and a bridge for containers is none that they reach.
func byRoute(sources ...netip.Addr) func(a, b netip.Addr) int {
	rank := func(a netip.Addr) int {
		if slices.Contains(sources, a) {
			return 0
		}
		return 1
	}
	return func(a, b netip.Addr) int { return cmp.Compare(rank(a), rank(b)) }
}

// sourceTo is where packets to an address would come from; invalid if there is no way to it.
func sourceTo(a netip.AddrPort) netip.Addr {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(a))
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	local, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok {
		return netip.Addr{}
	}
	return local.AddrPort().Addr().Unmap()
}

// announceable leaves out link-local addresses, which are useless without a zone, and an SDP can't carry one.
func announceable(a netip.Addr) bool {
	return a.Zone() == "" && (a.IsGlobalUnicast() || a.IsLoopback())
}
