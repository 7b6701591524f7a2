package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// maxItemLength bounds each name in a list.
const maxItemLength = 256

func (c Config) checkLists() Faults {
	var faults Faults
	check := func(key string, items []string, what func(string) string) {
		for i, item := range items {
			message := what(item)
			if len(item) > maxItemLength {
				message = fmt.Sprintf("is longer than %d characters", maxItemLength)
			}
			faults.add(fmt.Sprintf("%s[%d]", key, i), message)
		}
	}
	check("http.allow_origins", c.HTTP.AllowOrigins, checkOrigin)
	check("http.acme_hosts", c.HTTP.ACMEHosts, checkACMEHost)
	check("http.trusted_proxies", c.HTTP.TrustedProxies, checkNetwork)
	check("turn.allow_peers", c.Turn.AllowPeers, checkNetwork)
	check("turn.urls", c.Turn.URLs, checkICEURL)
	check("webrtc.additional_hosts", c.WebRTC.AdditionalHosts, checkHost)
	check("webrtc.interfaces", c.WebRTC.Interfaces, checkInterface)
	return faults
}

// checkOrigin wants what a browser sends as Origin (RFC 6454 7.1), or "*".
func checkOrigin(s string) string {
	if s == "*" {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || s != u.Scheme+"://"+u.Host {
		return quote(mask(s)) + ` is not an origin: write scheme and host only, such as "https://example.org", or "*" for all`
	}
	return ""
}

var dnsName = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?$`)

func checkHost(s string) string {
	if addr, err := netip.ParseAddr(s); err == nil {
		if addr.IsUnspecified() || addr.IsMulticast() || addr.Zone() != "" {
			return quote(s) + " is not an address that a viewer can connect to"
		}
		return ""
	}
	if !isDNSName(s) {
		return quote(mask(s)) + ` is neither an IP address nor a DNS name, such as "192.0.2.1" or "gateway.example.org" (without a port)`
	}
	return ""
}

func isDNSName(s string) bool { return dnsName.MatchString(s) && strings.Trim(s, "0123456789.") != "" }

func checkInterface(s string) string {
	if s == "" || strings.ContainsAny(s, " /\t\n") {
		return quote(s) + ` is not a network interface's name, such as "eth0"`
	}
	return ""
}
