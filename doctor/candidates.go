package doctor

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// candidate is one address that the gateway has announced.
type candidate struct {
	line    string // of the SDP, whole
	network string // udp or tcp
	at      netip.AddrPort
}

func (c candidate) String() string { return c.network + " " + c.at.String() }

// addresses are those of an answer, in its order, each once.
type addresses []candidate

// candidatesIn reads the candidate lines of an SDP that can be tried: those of an address, for the one component.
func candidatesIn(sdp string) addresses {
	var all addresses
	seen := make(map[string]bool)
	for line := range strings.Lines(sdp) {
		line = strings.TrimRight(line, "\r\n")
		c, fine := parseCandidate(line)
		if fine && !seen[c.String()] {
			seen[c.String()] = true
			all = append(all, c)
		}
	}
	return all
}

// parseCandidate reads an a=candidate line (RFC 8839 5.1).
func parseCandidate(line string) (candidate, bool) {
	value, isCandidate := strings.CutPrefix(line, "a=candidate:")
	f := strings.Fields(value)
	if !isCandidate || len(f) < 8 || f[1] != "1" {
		return candidate{}, false
	}
	addr, err := netip.ParseAddr(f[4])
	port, fault := strconv.ParseUint(f[5], 10, 16)
	network := strings.ToLower(f[2])
	if err != nil || fault != nil || port == 0 || network != "udp" && network != "tcp" {
		return candidate{}, false
	}
	return candidate{line: line, network: network, at: netip.AddrPortFrom(addr.Unmap(), uint16(port))}, true
}

// reduced is an answer with one of its candidates alone.
func reduced(sdp string, to candidate) string {
	var b strings.Builder
	for line := range strings.Lines(sdp) {
		c, fine := parseCandidate(strings.TrimRight(line, "\r\n"))
		if strings.HasPrefix(line, "a=candidate:") && (!fine || c.String() != to.String()) {
			continue
		}
		b.WriteString(line)
	}
	return b.String()
}

// where is the kind of place that an address is in.
type where string

// The places, as operators call them.
const (
	onLoopback where = "loopback"
	onLink     where = "link-local"
	inPrivate  where = "private"
	inPublic   where = "public"
)

var sharedNetwork = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598

func whereIs(a netip.Addr) where {
	switch {
	case a.IsLoopback():
		return onLoopback
	case a.IsLinkLocalUnicast():
		return onLink
	case a.IsPrivate(), sharedNetwork.Contains(a):
		return inPrivate
	}
	return inPublic
}

// list is the addresses of a network for people: "udp 192.0.2.1:8189 (public)".
func (a addresses) list() string {
	all := make([]string, 0, len(a))
	for _, c := range a {
		all = append(all, fmt.Sprintf("%s (%s)", c, whereIs(c.at.Addr())))
	}
	return strings.Join(all, ", ")
}

// of are those of a network.
func (a addresses) of(network string) addresses {
	var all addresses
	for _, c := range a {
		if c.network == network {
			all = append(all, c)
		}
	}
	return all
}

// has reports whether any is in a place.
func (a addresses) has(places ...where) bool {
	for _, c := range a {
		for _, p := range places {
			if whereIs(c.at.Addr()) == p {
				return true
			}
		}
	}
	return false
}
