package peer

import (
	"net"
	"net/netip"
	"strings"

	"github.com/pion/ice/v4"
)

// PacketConn is the UDP port of all connections, as far as it is theirs. It gives and takes addresses without
// allocation, IPv4 ones never in their IPv6 form, and swallows write deadlines: pion/ice sets one on the whole port
// when a single connection ends, at which packets of all others would be lost. *transport.Others is one.
type PacketConn interface {
	net.PacketConn
	ReadFromAddrPort(b []byte) (n int, from netip.AddrPort, err error)
	WriteToAddrPort(b []byte, to netip.AddrPort) (n int, err error)
}

// Hosts are the addresses under which a port is reached. They are asked anew for each connection, since interfaces
// come and go. *transport.Port is one.
type Hosts interface {
	Addresses() []netip.AddrPort          // of this machine
	Candidates(loopback bool) []string    // candidate lines' values, of other addresses that lead here too (NAT 1:1), best first; those of loopback only on request
	TCPCandidates(loopback bool) []string // likewise, of the TCP port beside it; none if there is no such port
	Owns(a netip.Addr) bool               // it is one of Addresses
}

// announcedMux is pion's mux of one UDP port, which announces the addresses that its hosts have.
type announcedMux struct {
	*ice.UDPMuxDefault

	local netip.AddrPort // what the port is bound to
	hosts Hosts
}

func (e *Engine) newMux(conn PacketConn, hosts Hosts) *announcedMux {
	return &announcedMux{
		UDPMuxDefault: ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn, Logger: e.loggers.NewLogger("udp-mux")}),
		local:         conn.LocalAddr().(*net.UDPAddr).AddrPort(),
		hosts:         hosts,
	}
}

// GetListenAddresses lists the addresses of this machine that pion is to announce.
func (m *announcedMux) GetListenAddresses() []net.Addr {
	var all []net.Addr
	for _, a := range m.hosts.Addresses() {
		all = append(all, net.UDPAddrFromAddrPort(a))
	}
	return all
}

// announce puts the port's candidates into an answer, in place of those that pion has made of its addresses: the
// additional hosts stand first, since some peers use only the first, and no server-reflexive one (A55).
func (m *announcedMux) announce(answer string) string {
	var b strings.Builder
	announced := false
	for line := range strings.Lines(answer) {
		value, isCandidate := strings.CutPrefix(line, "a=candidate:")
		if isCandidate && !announced {
			announced = true
			m.writeCandidates(&b)
		}
		if !isCandidate || !strings.Contains(value, " typ host") {
			b.WriteString(line)
		}
	}
	if !announced {
		m.writeCandidates(&b) // pion found no address: they stand in the last section
	}
	return b.String()
}

func (m *announcedMux) writeCandidates(b *strings.Builder) {
	for _, c := range append(m.hosts.Candidates(true), m.hosts.TCPCandidates(true)...) {
		b.WriteString("a=candidate:" + c + "\r\n")
	}
}
