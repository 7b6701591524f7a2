package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strings"

	"sluice/config"
	"sluice/turn"
)

// relay is the STUN and TURN server in this process.
type relay struct {
	server    *turn.Server
	listeners []relayListener // what peers are told of, in the order in which they should try
}

// relayListener is one way to the server.
type relayListener struct {
	scheme, transport string // of its URL
	port              uint16
}

// openRelay opens the server if the configuration wants it. secure is how TLS is spoken; nil: it is not.
func (g *Gateway) openRelay(ctx context.Context, secure *tls.Config, https net.Addr) error {
	c := g.options.Config.Turn
	if c.Mode != config.TurnEmbedded {
		return nil
	}
	o := g.relayOptions(g.options.Config)
	if secure == nil && c.ListenTLS != "" {
		g.log.Info("TURN over TLS is off, since the gateway has no certificate: see http.tls")
	}
	server, err := turn.Listen(ctx, o)
	if err != nil {
		return fmt.Errorf("turn: %w", err)
	}
	g.relay = &relay{server: server, listeners: relayListeners(server.Addrs(), shared(c, secure, https))}
	return nil
}

// String lists the ways to the server, as udp:3478.
func (r *relay) String() string {
	all := make([]string, len(r.listeners))
	for i, l := range r.listeners {
		all[i] = fmt.Sprintf("%s/%s:%d", l.scheme, l.transport, l.port)
	}
	return strings.Join(all, " ")
}

// testRelay tells of what will keep the server from being of use (G15).
func (g *Gateway) testRelay(ctx context.Context) {
	for _, warning := range g.relay.server.SelfTest(ctx) {
		g.log.Warn("TURN will not work for everybody", "why", warning)
	}
}

// relayOptions translates the configuration, in which 0 is no limit.
func (g *Gateway) relayOptions(all config.Config) turn.Options {
	c := all.Turn
	first, last := c.Ports()
	address, _ := netip.ParseAddr(c.RelayAddress) // "" or valid
	o := turn.Options{
		ListenUDP: all.TurnUDPListenAddr(), ListenTCP: all.TurnTCPListenAddr(), ListenTLS: all.TurnTLSListenAddr(),
		Realm: c.Realm, Secret: string(c.Secret), RelayAddress: address, PortMin: first, PortMax: last,
		Media: g.mediaPorts, AllowPeers: c.AllowedPrefixes(),
		UserQuota: unlimited(c.UserQuota), PerIP: unlimited(c.IPQuota), TotalQuota: unlimited(c.TotalQuota),
		MaxBPS: c.MaxBPS, BPSCapacity: c.BPSCapacity,
		Log: g.log,
	}
	if g.certificates != nil {
		o.TLS = g.certificates.tls()
	}
	return o
}

func unlimited(n int) int {
	if n == 0 {
		return math.MaxInt32
	}
	return n
}

// shared is the port of HTTPS if TURN is spoken there too, else 0.
func shared(c config.Turn, secure *tls.Config, https net.Addr) uint16 {
	a, ok := https.(*net.TCPAddr)
	if !c.ShareHTTPS || secure == nil || !ok {
		return 0
	}
	return a.AddrPort().Port()
}

func relayListeners(a turn.Addrs, https uint16) []relayListener {
	var all []relayListener
	for _, l := range []relayListener{
		{"turn", "udp", a.UDP.Port()}, {"turn", "tcp", a.TCP.Port()}, {"turns", "tcp", a.TLS.Port()}, {"turns", "tcp", https},
	} {
		if l.port != 0 {
			all = append(all, l)
		}
	}
	return all
}

// mediaPorts is what relays may reach: the addresses of the port of all media, as this machine and as viewers know
// them.
func (g *Gateway) mediaPorts() turn.Media {
	m := turn.Media{Local: g.port.Addresses(), Announced: make(map[netip.AddrPort]netip.AddrPort)}
	for _, candidate := range g.port.AdditionalCandidates() {
		public := candidateAddr(candidate)
		if local, ok := nearest(m.Local, public.Addr()); ok {
			m.Announced[public] = local
		}
	}
	return m
}

// candidateAddr is the address in the value of a candidate line of our own.
func candidateAddr(candidate string) netip.AddrPort {
	f := strings.Fields(candidate)
	a, _ := netip.ParseAddrPort(net.JoinHostPort(f[4], f[5])) // it was written from one

	return a
}

// nearest is the local address that datagrams to a public one of ours go to: of its family, and the machine's own
// rather than loopback.
func nearest(local []netip.AddrPort, public netip.Addr) (netip.AddrPort, bool) {
	var found netip.AddrPort
	for _, l := range local {
		if l.Addr().Is4() == public.Is4() && (!found.IsValid() || found.Addr().IsLoopback()) {
			found = l
		}
	}
	return found, found.IsValid()
}
