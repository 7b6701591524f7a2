package negotiation

import (
	"net/netip"
	"strconv"
	"strings"
)

// CandidatePolicy says which of a peer's candidates may be tried. Its zero value is what a gateway on a
// public address wants.
type CandidatePolicy struct {
	Loopback    bool                      // the gateway itself listens on loopback
	DenyPrivate bool                      // skip addresses of private networks: the gateway serves the internet alone
	Dial        bool                      // TCP candidates that wait for us may be dialled
	Refuse      func(netip.AddrPort) bool // more to skip, such as the gateway's own media port; may be nil
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
// are never resolved, and TCP is not dialled unless the policy says so: such peers come to us. An address that only this machine or
// link can mean, or a port of a well-known service, would make the gateway a tool against others.
func (p CandidatePolicy) Allows(value string) bool {
	c, ok := parseCandidate(value)
	if !ok || c.component != "1" || c.transport != "udp" && !p.dials(c) || !c.addr.IsValid() {
		return false
	}
	if !p.AllowsAddr(c.addr) {
		return false
	}
	if c.port < 1024 && c.port != 443 {
		return false
	}
	return p.Refuse == nil || !p.Refuse(netip.AddrPortFrom(c.addr, uint16(c.port)))
}

// dials reports whether a candidate is to be connected to over TCP (RFC 6544 4.5).
func (p CandidatePolicy) dials(c candidate) bool {
	return p.Dial && c.transport == "tcp" && c.tcpType == "passive"
}

// AllowsAddr reports whether checks may be sent to an address at all.
func (p CandidatePolicy) AllowsAddr(a netip.Addr) bool {
	switch a = embedded(a); {
	case !a.IsValid(), a.Zone() != "", a.IsUnspecified(), a.IsMulticast(), a.IsLinkLocalUnicast():
		return false
	case a.Is4() && a.As4()[0] == 0, a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return false
	case a.IsLoopback():
		return p.Loopback
	}
	return !p.DenyPrivate || !isPrivate(a)
}

// The ranges that are private besides those of RFC 1918 and RFC 4193, and the one in which IPv4 addresses are hidden.
var (
	privateRanges = [...]netip.Prefix{
		netip.MustParsePrefix("100.64.0.0/10"),  // carrier-grade NAT (RFC 6598)
		netip.MustParsePrefix("192.0.0.0/24"),   // between a provider and its customer (RFC 7335)
		netip.MustParsePrefix("198.18.0.0/15"),  // laboratories (RFC 2544)
		netip.MustParsePrefix("240.0.0.0/4"),    // reserved
		netip.MustParsePrefix("64:ff9b:1::/48"), // NAT64 of one network (RFC 8215)
		netip.MustParsePrefix("fec0::/10"),      // site-local (RFC 3879)
	}
	nat64 = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052
)

func isPrivate(a netip.Addr) bool {
	if a.IsPrivate() {
		return true
	}
	for _, r := range privateRanges {
		if r.Contains(a) {
			return true
		}
	}
	return false
}

// embedded is the IPv4 address that an IPv6 one stands for, or the address itself.
func embedded(a netip.Addr) netip.Addr {
	if a = a.Unmap(); nat64.Contains(a) {
		b := a.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return a
}
