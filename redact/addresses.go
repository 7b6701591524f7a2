package redact

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// A word that may be an IP address: netip has the last say, so that times, fingerprints and versions stay.
var addressLike = regexp.MustCompile(`\w*(?:(?::+\w*){2,}(?:\.\d+){0,3}|(?:\.\d+){3})`)

// What is public of IPv6: all that is given out to networks (RFC 4291 2.4), and the IPv4 behind a NAT64 (RFC 6052 2.1).
var publicIPv6 = []netip.Prefix{netip.MustParsePrefix("2000::/3"), netip.MustParsePrefix("64:ff9b::/96")}

// Addresses shortens the public IP addresses of a text to what tells a network, not a person: "203.0.113.x" of IPv4
// (24 bits) and "2001:db8:1:x" of IPv6 (48 bits). Addresses of loopback, of a link and of private networks stay.
func Addresses(s string) string {
	return addressLike.ReplaceAllStringFunc(s, func(word string) string {
		whole := strings.TrimRight(word, ":")
		if strings.HasSuffix(word, "::") && !strings.HasSuffix(word, ":::") {
			whole = word
		}
		a, err := netip.ParseAddr(whole)
		if a = a.Unmap(); err != nil || !public(a) {
			return word
		}
		return short(a) + word[len(whole):]
	})
}

func public(a netip.Addr) bool {
	if a.Is4() {
		return a.IsGlobalUnicast() && !a.IsPrivate()
	}
	return slices.ContainsFunc(publicIPv6, func(p netip.Prefix) bool { return p.Contains(a) })
}

func short(a netip.Addr) string {
	if a.Is4() {
		s := a.String()
		return s[:strings.LastIndexByte(s, '.')+1] + "x"
	}
	groups := strings.Split(a.StringExpanded(), ":")[:3]
	for i, g := range groups {
		groups[i] = strings.TrimLeft(g[:3], "0") + g[3:]
	}
	return strings.Join(groups, ":") + ":x"
}
