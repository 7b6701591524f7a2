package negotiation

import (
	"net/netip"
	"strconv"
	"strings"
)

// CandidatePolicy says which of a peer's candidates may be tried. Its zero value is what a gateway on a
// public address wants.
type CandidatePolicy struct {
	Loopback bool                      // the gateway itself listens on loopback
	Refuse   func(netip.AddrPort) bool // more to skip, such as the gateway's own media port; may be nil
}

// candidate is the part of an a=candidate line that we look at (RFC 8839 5.1).
type candidate struct {
	component string
	transport string // lower case
	priority  uint64
	addr      netip.Addr // invalid for a name
	name      string
	port      uint64
	typ       string
	tcpType   string
	raw       string
}

func parseCandidate(value string) (candidate, bool) {
	f := strings.Fields(value)
	if len(f) < 8 || f[6] != "typ" || len(f[0]) > 32 || !printable(value) {
		return candidate{}, false
	}
	priority, err := strconv.ParseUint(f[3], 10, 32)
	port, err2 := strconv.ParseUint(f[5], 10, 16)
	if err != nil || err2 != nil || priority == 0 || port == 0 {
		return candidate{}, false
	}
	c := candidate{component: f[1], transport: strings.ToLower(f[2]), priority: priority, name: f[4], port: port, typ: f[7], raw: value}
	if addr, err := netip.ParseAddr(f[4]); err == nil {
		c.addr = addr.Unmap()
	}
	for i := 8; i+1 < len(f); i += 2 {
		if f[i] == "tcptype" {
			c.tcpType = f[i+1]
		}
	}
	return c, true
}

// Allows reports whether the value of an a=candidate line names a place that checks may be sent to. Names
// are never resolved, and TCP is never dialled: such peers come to us. An address that only this machine or
// link can mean, or a port of a well-known service, would make the gateway a tool against others.
func (p CandidatePolicy) Allows(value string) bool {
	c, ok := parseCandidate(value)
	if !ok || c.component != "1" || c.transport != "udp" || !c.addr.IsValid() {
		return false
	}
	switch a := c.addr; {
	case a.IsLoopback() && !p.Loopback, a.IsUnspecified(), a.IsMulticast(), a.IsLinkLocalUnicast(), a.Zone() != "":
		return false
	case a.Is4() && a.As4()[0] == 0, a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return false
	}
	if c.port < 1024 && c.port != 443 {
		return false
	}
	return p.Refuse == nil || !p.Refuse(netip.AddrPortFrom(c.addr, uint16(c.port)))
}
