package gateway

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
)

// proxies takes the word of trusted proxies for where a request comes from, and of nobody else (J19). What stands
// behind it finds the client's address in RemoteAddr, and X-Forwarded-Proto only if it is true.
type proxies struct {
	trusted func() []netip.Prefix // fixed
	next    http.Handler          // fixed
	log     *slog.Logger          // fixed

	told atomic.Bool // that a proxy is not trusted
}

// ServeHTTP implements http.Handler.
func (p *proxies) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isForwarded(r.Header) {
		p.next.ServeHTTP(w, r)
		return
	}
	r = r.Clone(r.Context())
	trusted := p.trusted()
	if from := addrOf(r.RemoteAddr); contains(trusted, from) {
		r.RemoteAddr = net.JoinHostPort(clientOf(r.Header, trusted, from).String(), "0")
		takeProto(r.Header)
	} else {
		p.distrust(r, from)
	}
	p.next.ServeHTTP(w, r)
}

// distrust removes what was forwarded, and tells an operator once of a proxy that he may have forgotten.
func (p *proxies) distrust(r *http.Request, from netip.Addr) {
	r.Header.Del("X-Forwarded-Proto")
	if local := from.IsLoopback() || from.IsPrivate(); local && p.told.CompareAndSwap(false, true) {
		p.log.Warn("requests are forwarded by a proxy that is not in http.trusted_proxies: its clients all count as one", "proxy", from)
	}
}

func isForwarded(h http.Header) bool {
	return len(h.Values("X-Forwarded-For")) > 0 || len(h.Values("X-Forwarded-Proto")) > 0
}

// clientOf is the last address in X-Forwarded-For that is no trusted proxy's: what stands before it anybody may have
// written.
func clientOf(h http.Header, trusted []netip.Prefix, from netip.Addr) netip.Addr {
	hops := strings.Split(strings.Join(h.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		a := addrOf(strings.TrimSpace(hop))
		if !a.IsValid() {
			return from
		}
		if from = a; !contains(trusted, a) {
			return a
		}
	}
	return from
}

// takeProto leaves the word of the nearest proxy alone.
func takeProto(h http.Header) {
	all := strings.Split(strings.Join(h.Values("X-Forwarded-Proto"), ","), ",")
	last := strings.ToLower(strings.TrimSpace(all[len(all)-1]))
	h.Del("X-Forwarded-Proto")
	if last == "https" {
		h.Set("X-Forwarded-Proto", last)
	}
}

func contains(all []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(all, func(p netip.Prefix) bool { return p.Contains(a) })
}

// addrOf reads an address with or without a port; invalid if it is none.
func addrOf(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}
