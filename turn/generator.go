package turn

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"

	pion "github.com/pion/turn/v5"
)

// generator opens the relay sockets of one gate.
type generator struct{ gate *gate }

var (
	errTCPRelay = errors.New("TCP relays are off")
	errNoPort   = errors.New("no relay port is free")
	errNoFamily = errors.New("no relay address of that family")
)

// Validate has nothing to find fault with.
func (generator) Validate() error { return nil }

// AllocateListener refuses: a TCP relay (RFC 6062) opens no socket.
func (generator) AllocateListener(pion.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errTCPRelay
}

// AllocateConn refuses, too.
func (generator) AllocateConn(pion.AllocateConnConfig) (net.Conn, error) { return nil, errTCPRelay }

// AllocatePacketConn opens the relay of the request that the gate let through. Without an id pion only looks for a
// port that is even and free; it closes the socket at once.
func (a generator) AllocatePacketConn(c pion.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	r := a.gate.current
	if r == nil || r.slot == nil || r.id != c.UserID && c.UserID != "" {
		return nil, nil, errNoPort // an allocation that ended while its repetition was on the way has no place
	}
	s := a.gate.server
	announced, bound := a.gate.relayAddress(c.Network == "udp4", r.client)
	if !announced.IsValid() {
		return nil, nil, errNoFamily
	}
	conn, err := s.listenRelay(c.Network, bound, uint16(c.RequestedPort)) //nolint:gosec // it was one of ours
	if err != nil {
		s.counters.refuse(NoPort)
		return nil, nil, err
	}
	port := addrPort(conn.LocalAddr()).Port()
	announcedAddr := udpAddr(netip.AddrPortFrom(announced, port))
	if c.UserID == "" {
		return conn, announcedAddr, nil
	}
	relay := newRelay(a.gate, conn, r)
	r.slot = nil // the relay's from here on
	s.counters.opened(relay)
	a.gate.add(relay)
	return relay, announcedAddr, nil
}

// relayBuffer is of a relay's socket, each way: a keyframe of a few hundred kB passes.
const relayBuffer = 1 << 19

// listenRelay binds the port, or one of the range.
func (s *Server) listenRelay(network string, ip netip.Addr, port uint16) (*net.UDPConn, error) {
	for _, p := range s.candidates(port) {
		conn, err := net.ListenUDP(network, udpAddr(netip.AddrPortFrom(ip, p)))
		if err == nil {
			_ = conn.SetReadBuffer(relayBuffer) // less will do
			_ = conn.SetWriteBuffer(relayBuffer)
			return conn, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("open a relay port: %w", err)
		}
	}
	return nil, errNoPort
}

// tries is how many ports of the range are tried for one allocation.
const tries = 64

// candidates are ports to try: the one asked for, any, or some of the range in an order nobody can guess.
func (s *Server) candidates(asked uint16) []uint16 {
	switch {
	case s.o.PortMax == 0:
		return []uint16{asked}
	case asked > s.o.PortMax:
		return nil
	case asked != 0:
		return []uint16{asked}
	}
	size := int(s.o.PortMax) - int(s.o.PortMin) + 1
	ports := make([]uint16, 0, tries)
	start := rand.IntN(size) //nolint:gosec // permissions guard relays, not the secrecy of their ports
	for i := range min(tries, size) {
		ports = append(ports, s.o.PortMin+uint16((start+i)%size)) //nolint:gosec // within the range
	}
	return ports
}

// relays says whether an allocation of an address family (RFC 8656 section 18.8) is possible for a client.
func (g *gate) relays(family byte, client netip.AddrPort) bool {
	if family != family4 && family != family6 {
		return false
	}
	announced, _ := g.relayAddress(family == family4, client)
	return announced.IsValid()
}

// relayAddress returns which address a relay is announced under, and where it is bound; announced is invalid if there
// is none of that family.
func (g *gate) relayAddress(four bool, client netip.AddrPort) (announced, bound netip.Addr) {
	if set := g.server.o.RelayAddress; set.IsValid() && set.Is4() == four {
		if four {
			return set, netip.IPv4Unspecified()
		}
		return set, netip.IPv6Unspecified()
	}
	own := addrPort(g.LocalAddr()).Addr()
	if own.IsUnspecified() {
		own = routeTo(client)
	}
	if own.Is4() == four {
		return own, own
	}
	return netip.Addr{}, netip.Addr{}
}

// routeTo is the address of ours that datagrams to client leave from. No datagram is sent.
func routeTo(client netip.AddrPort) netip.Addr {
	conn, err := net.DialUDP("udp", nil, udpAddr(client))
	if err != nil {
		return netip.Addr{}
	}
	defer conn.Close()
	return addrPort(conn.LocalAddr()).Addr()
}
