package lossyrelay

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

const candidateAttribute = "a=candidate:"

// Rewrite returns an SDP answer in which the relay stands for the gateway: the first candidate of a section becomes
// a host candidate of the relay, all others go. Sections without candidates stay without.
func Rewrite(answer string, relay netip.AddrPort) string {
	var out strings.Builder
	written := false // in this section
	for text := range strings.Lines(answer) {
		line := strings.TrimRight(text, "\r\n")
		switch {
		case strings.HasPrefix(line, "m="):
			written = false
		case !strings.HasPrefix(line, candidateAttribute):
		case written:
			continue
		default:
			written = true
			fmt.Fprintf(&out, "%s1 1 udp 2130706431 %s %d typ host", candidateAttribute, relay.Addr().Unmap(), relay.Port())
			text = text[len(line):]
		}
		out.WriteString(text)
	}
	return out.String()
}

// Candidate finds where the gateway of an answer takes media: the first host candidate over UDP, a loopback address
// before others; false if there is none (RFC 8839, 5.1).
func Candidate(answer string) (netip.AddrPort, bool) {
	var found netip.AddrPort
	for line := range strings.Lines(answer) {
		value, ok := strings.CutPrefix(strings.TrimSpace(line), candidateAttribute)
		if !ok {
			continue
		}
		f := strings.Fields(value)
		if len(f) < 8 || f[1] != "1" || !strings.EqualFold(f[2], "udp") || f[7] != "host" {
			continue
		}
		at, err := netip.ParseAddrPort(net.JoinHostPort(f[4], f[5]))
		if err == nil && at.Port() != 0 && (!found.IsValid() || at.Addr().IsLoopback() && !found.Addr().IsLoopback()) {
			found = at
		}
	}
	return found, found.IsValid()
}
