package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// listener is one socket that the gateway will open.
type listener struct {
	key      string
	network  string // "tcp" or "udp"
	address  string // HOST:PORT
	inherits bool   // the host is that of http.listen
}

// UDPListenAddr returns the HOST:PORT of the UDP socket for media: a bare port in webrtc.listen_udp binds where
// http.listen binds, ":8189" on all interfaces.
func (c Config) UDPListenAddr() string { return c.mediaAddr(c.WebRTC.ListenUDP) }

// TCPListenAddr returns the HOST:PORT of the listener for ICE over TCP by the same rule, "" if there is to be none.
func (c Config) TCPListenAddr() string {
	if c.WebRTC.ListenTCP == "" {
		return ""
	}
	return c.mediaAddr(c.WebRTC.ListenTCP)
}

// TurnUDPListenAddr returns the HOST:PORT of embedded STUN and TURN over UDP by the same rule, "" if there is to be none.
func (c Config) TurnUDPListenAddr() string { return c.turnAddr(c.Turn.ListenUDP) }

// TurnTCPListenAddr is TurnUDPListenAddr over TCP.
func (c Config) TurnTCPListenAddr() string { return c.turnAddr(c.Turn.ListenTCP) }

// TurnTLSListenAddr is TurnUDPListenAddr over TLS: "" too without a certificate of [http].
func (c Config) TurnTLSListenAddr() string {
	if !c.HTTP.Encrypted() {
		return ""
	}
	return c.turnAddr(c.Turn.ListenTLS)
}

func (c Config) turnAddr(listen string) string {
	if c.Turn.Mode != TurnEmbedded || listen == "" {
		return ""
	}
	return c.mediaAddr(listen)
}

func (c Config) mediaAddr(listen string) string {
	if !barePort(listen) {
		return listen
	}
	host, _, err := net.SplitHostPort(c.HTTP.Listen)
	if err != nil {
		host = ""
	}
	return net.JoinHostPort(host, listen)
}

func barePort(listen string) bool { return !strings.Contains(listen, ":") }

func (c Config) listeners() []listener {
	all := []listener{
		{key: "http.listen", network: "tcp", address: c.HTTP.Listen},
		{key: "webrtc.listen_udp", network: "udp", address: c.UDPListenAddr(), inherits: barePort(c.WebRTC.ListenUDP)},
	}
	more := []listener{
		{key: "webrtc.listen_tcp", network: "tcp", address: c.TCPListenAddr(), inherits: barePort(c.WebRTC.ListenTCP)},
		{key: "turn.listen_udp", network: "udp", address: c.TurnUDPListenAddr(), inherits: barePort(c.Turn.ListenUDP)},
		{key: "turn.listen_tcp", network: "tcp", address: c.TurnTCPListenAddr(), inherits: barePort(c.Turn.ListenTCP)},
		{key: "turn.listen_tls", network: "tcp", address: c.TurnTLSListenAddr(), inherits: barePort(c.Turn.ListenTLS)},
	}
	if c.HTTP.TLS == TLSACME {
		more = append(more, listener{key: "http.acme_listen", network: "tcp", address: c.HTTP.ACMEListen})
	}
	return append(all, slices.DeleteFunc(more, func(l listener) bool { return l.address == "" })...)
}

func (c Config) checkListeners() Faults {
	var faults Faults
	var open []listener
	for _, l := range c.listeners() {
		if message := l.check(); message != "" {
			faults = append(faults, Fault{Key: l.key, Message: message})
			continue
		}
		open = append(open, l)
		if c.Auth.Mode == "none" && !l.loopback() && !l.inherits {
			faults = append(faults, Fault{Key: l.key, Message: l.exposed()})
		}
	}
	return append(faults, checkClashes(open)...)
}

func (l listener) check() string {
	host, port, err := net.SplitHostPort(l.address)
	if err != nil {
		return quote(l.address) + ` is not an address to listen on: write host and port, such as "127.0.0.1:8889" or "[::1]:8889"`
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return quote(port) + " is not a port: write a number from 0 (any free port) to 65535"
	}
	if host != "" && !hostAddr(host).IsValid() && !isDNSName(host) {
		return quote(host) + " is neither an IP address nor a host name"
	}
	return ""
}

// exposed says how to mend a listener that others can reach while everything is allowed.
func (l listener) exposed() string {
	_, port, _ := net.SplitHostPort(l.address)
	return fmt.Sprintf(`%s can be reached from other machines, and auth.mode = "none" would let them do everything: write "127.0.0.1:%s", `+
		"or let in only who may, by auth.mode = \"internal\" with [[auth.users]], as `gateway init` writes them", quote(l.address), port)
}

func (l listener) loopback() bool {
	host, _, err := net.SplitHostPort(l.address)
	addr := hostAddr(host)
	return err == nil && addr.IsLoopback()
}

// checkClashes finds listeners that could not be opened together.
func checkClashes(all []listener) Faults {
	var faults Faults
	for i, l := range all {
		for _, earlier := range all[:i] {
			if l.clashes(earlier) {
				faults = append(faults, Fault{
					Key:     l.key,
					Message: fmt.Sprintf("%s is the same %s port as that of %s: give one of them another", quote(l.address), strings.ToUpper(l.network), earlier.key),
				})
				break
			}
		}
	}
	return faults
}

func (l listener) clashes(o listener) bool {
	host, port, _ := net.SplitHostPort(l.address)
	otherHost, otherPort, _ := net.SplitHostPort(o.address)
	a, _ := strconv.ParseUint(port, 10, 16)
	b, _ := strconv.ParseUint(otherPort, 10, 16)
	if l.network != o.network || a != b || a == 0 {
		return false
	}
	same := host == otherHost || hostAddr(host).IsValid() && hostAddr(host) == hostAddr(otherHost)
	return same || wildcard(host) || wildcard(otherHost)
}

// hostAddr is the address of a host, that of localhost among them; invalid for other names.
func hostAddr(host string) netip.Addr {
	if strings.EqualFold(host, "localhost") {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	addr, _ := netip.ParseAddr(host)
	return addr.Unmap()
}

func wildcard(host string) bool {
	addr := hostAddr(host)
	return host == "" || addr.IsUnspecified()
}
