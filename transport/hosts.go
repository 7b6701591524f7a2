package transport

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// hostPriority is that of the best host candidate (RFC 8445 5.1.2.1): whoever configures an address means it.
	hostPriority = 126<<24 | 65535<<8 | 255
	// resolveTimeout bounds the start of a gateway whose name server does not answer.
	resolveTimeout = 2 * time.Second
	// addressesLife is how long the list of the machine's addresses is taken for true: it costs more than the rest of an
	// answer, and interfaces come and go.
	addressesLife = time.Second
)

// hosts knows under which addresses the ports are announced.
type hosts struct {
	interfaces []string            // fixed; empty: all
	additional []netip.Addr        // fixed
	list       func() []netip.Addr // fixed: asks the system

	mu    sync.Mutex
	found []netip.Addr // guarded by mu
	at    time.Time    // guarded by mu: when they were found
}

func newHosts(ctx context.Context, o Options) *hosts {
	h := &hosts{interfaces: o.Interfaces, additional: resolveHosts(ctx, o.AdditionalHosts, o.Log)}
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

// Owns reports whether an address is one that the port is reached at.
func (p *Port) Owns(a netip.Addr) bool {
	return slices.ContainsFunc(p.Addresses(), func(own netip.AddrPort) bool { return own.Addr() == a.Unmap() })
}

// Candidates are the values of the port's candidate lines, all of type host: those of the additional hosts first,
// since some peers use only the first candidate, and no server-reflexive one (A55). No two have the same priority
// (RFC 8445 5.1.2). Loopback addresses are of use on this machine alone.
func (p *Port) Candidates(loopback bool) []string {
	all := p.AdditionalCandidates()
	for _, a := range p.Addresses() {
		if a.Addr().IsLoopback() && !loopback {
			continue
		}
		all = append(all, candidate("port", len(all), a))
	}
	return all
}

// AdditionalCandidates are the values of the candidate lines of the additional hosts.
func (p *Port) AdditionalCandidates() []string {
	all := make([]string, 0, len(p.hosts.additional))
	for i, a := range p.hosts.additional {
		all = append(all, candidate("host", i, netip.AddrPortFrom(a, p.addr.Port())))
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

// interfaceAddrs lists global and loopback addresses of the allowed interfaces. Link-local ones are useless without a
// zone, which an SDP can't carry.
func (h *hosts) interfaceAddrs() []netip.Addr {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var all []netip.Addr
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || len(h.interfaces) > 0 && !slices.Contains(h.interfaces, i.Name) {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			if ip := p.Addr().Unmap(); err == nil && (ip.IsGlobalUnicast() || ip.IsLoopback()) {
				all = append(all, ip)
			}
		}
	}
	return all
}

// resolveHosts finds the addresses of the additional hosts. A name that can't be resolved is told and left out.
func resolveHosts(ctx context.Context, names []string, log *slog.Logger) []netip.Addr {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	var all []netip.Addr
	for _, host := range names {
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if err != nil {
			log.Warn("webrtc.additional_hosts: a name can't be resolved and is not announced", "host", host, "err", err)
		}
		for _, a := range found {
			all = append(all, a.Unmap())
		}
	}
	return all
}
