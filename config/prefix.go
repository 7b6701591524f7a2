package config

import (
	"net/netip"
	"strconv"
	"strings"
)

// TrustedPrefixes are the networks of trusted_proxies.
func (h HTTP) TrustedPrefixes() []netip.Prefix { return prefixes(h.TrustedProxies) }

// AllowedPrefixes are the networks of allow_peers.
func (t Turn) AllowedPrefixes() []netip.Prefix { return prefixes(t.AllowPeers) }

// Ports returns the first and the last port of relay_ports, 0 and 0 if it is no range.
func (t Turn) Ports() (first, last uint16) {
	from, to, _ := strings.Cut(t.RelayPorts, "-")
	a, errA := strconv.ParseUint(strings.TrimSpace(from), 10, 16)
	b, errB := strconv.ParseUint(strings.TrimSpace(to), 10, 16)
	if errA != nil || errB != nil {
		return 0, 0
	}
	return uint16(a), uint16(b)
}

func checkNetwork(s string) string {
	if _, ok := parsePrefix(s); !ok {
		return quote(mask(s)) + ` is not a network: write its first address and the length of its prefix, such as "10.0.0.0/8", or one address`
	}
	return ""
}

// prefixes leaves out what is no network, of which Validate has told.
func prefixes(items []string) []netip.Prefix {
	var all []netip.Prefix
	for _, item := range items {
		if p, ok := parsePrefix(item); ok {
			all = append(all, p)
		}
	}
	return all
}

// parsePrefix reads a network such as 10.0.0.0/8, or one address. IPv4 comes out as IPv4, however it is written.
func parsePrefix(s string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(addr, addr.BitLen())
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}
