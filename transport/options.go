package transport

import (
	"log/slog"
	"net/netip"
)

// MaxDatagram is the largest datagram that a Batch takes, in bytes.
const MaxDatagram = 1500

// Options says where the port is, and under which addresses it is announced.
type Options struct {
	ListenUDP       string   // host:port; an empty host: all interfaces, port 0: the system chooses
	ListenTCP       string   // host:port for peers that get no UDP through (ICE-TCP); empty: none
	Interfaces      []string // names of the interfaces whose addresses are announced; empty: all
	AdditionalHosts []string // addresses or DNS names under which the port is reachable as well (NAT 1:1)
	STUNServers     []string // stun: URLs of servers by which the public address of the UDP port is found; empty: it is not looked for
	Sockets         int      // for each address family, where the system can share a port; 0: one per core
	GSO             bool     // let the kernel cut datagrams of equal size apart (UDP_SEGMENT), where it can
	Log             *slog.Logger
}

// Path is a way between the port and a peer. Paths are compared with ==.
type Path struct {
	Remote netip.AddrPort // IPv4 addresses never in their IPv6 form
	Local  netip.Addr     // where the peer sends to; zero: the only address of the port, or unknown
	Conn   *StreamConn    // the TCP connection; nil: UDP
}

// Receiver is given what comes in.
type Receiver interface {
	// Receive is given one datagram on the goroutine of its socket or connection and reports whether it was for it; what it does not
	// take goes to Others, or is lost if it came over TCP in a connection whose first packet was taken; if the first was
	// not, the connection goes to OtherStreams. data is valid until it returns.
	Receive(data []byte, from Path) bool
}

// Nobody is a Receiver that takes nothing: all goes to Others and OtherStreams.
type Nobody struct{}

// Receive takes nothing.
func (Nobody) Receive([]byte, Path) bool { return false }
