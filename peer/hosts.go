package peer

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// hostPriority is that of the best host candidate (RFC 8445 5.1.2.1): whoever configures an address means it.
const hostPriority = 126<<24 | 65535<<8 | 255

// resolveTimeout bounds the start of a gateway whose name server does not answer.
const resolveTimeout = 2 * time.Second

// announceHosts adds the additional hosts to an answer, as host candidates before all others: some peers use only
// the first, and no server-reflexive one (A55).
func (l *link) announceHosts(answer string) string {
	at := strings.Index(answer, "a=candidate:")
	if at < 0 {
		at = len(answer) // no address of our own is announced: they stand alone, in the last section
	}
	var b strings.Builder
	b.WriteString(answer[:at])
	for _, c := range l.additionalHosts() {
		b.WriteString("a=candidate:" + c + "\r\n")
	}
	b.WriteString(answer[at:])
	return b.String()
}

// additionalHosts are the values of their candidate lines. They lead to the port of all media, no other.
func (l *link) additionalHosts() []string {
	if l.mux != l.engine.mux {
		return nil
	}
	all := make([]string, 0, len(l.engine.hosts))
	for i, a := range l.engine.hosts {
		all = append(all, fmt.Sprintf("host%d 1 udp %d %s %d typ host", i, hostPriority-i, a, l.mux.local.Port()))
	}
	return all
}

// resolveHosts finds the addresses of the additional hosts. A name that can't be resolved is told and left out.
func resolveHosts(ctx context.Context, o Options) []netip.Addr {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	var all []netip.Addr
	for _, host := range o.AdditionalHosts {
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if err != nil {
			o.Log.Warn("webrtc.additional_hosts: a name can't be resolved and is not announced", "host", host, "err", err)
		}
		for _, a := range found {
			all = append(all, a.Unmap())
		}
	}
	return all
}
