package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const relayTimeout = 8 * time.Second // the credentials end with their session, which is never connected

// relays tries the STUN and TURN servers that the gateway names, side by side. There is one finding for each, in their
// order.
func (e *examination) relays(ctx context.Context, servers []ICEServer) []Finding {
	ctx, cancel := context.WithTimeout(ctx, relayTimeout)
	defer cancel()
	var peer netip.AddrPort
	if all := e.mediaPeers(); len(all) > 0 {
		peer = all[0]
	}
	found := make([]Finding, len(servers))
	var tries sync.WaitGroup
	for i, s := range servers {
		tries.Go(func() {
			result, err := e.o.Relays.Try(ctx, s, peer)
			found[i] = e.relay(s, peer, result, err)
		})
	}
	tries.Wait()
	return found
}

func (e *examination) relay(s ICEServer, peer netip.AddrPort, result RelayResult, err error) Finding {
	what := kindOf(s.URL) + ": " + s.URL
	switch {
	case err != nil:
		return e.relayFault(what, s.URL, peer, err)
	case !result.Relayed.IsValid():
		return ok(fmt.Sprintf("%s answers in %s, and sees us at %v", what, short(result.Took), result.Mapped))
	}
	return ok(fmt.Sprintf("%s gives the relay %v in %s", what, result.Relayed, short(result.Took)))
}

func kindOf(url string) string {
	if strings.HasPrefix(url, "stun") {
		return "STUN"
	}
	return "TURN"
}

func (e *examination) relayFault(what, url string, peer netip.AddrPort, err error) Finding {
	var fault *RelayError
	if !errors.As(err, &fault) {
		return fail(what, err.Error())
	}
	switch why := closed(err.Error()); fault.Fault {
	case RelayUnauthorized:
		return fail(what+" refuses the credentials", "The secret that makes them is not that of the server (coturn: static-auth-secret), or the clocks of the two machines differ.",
			`turn.secret = "SECRET"   # that of the server`)
	case RelayCertificate:
		if !e.trusted {
			return warn(what+" shows a certificate that is not trusted", "Viewers get no relay over TLS; the other transports work.", `http.tls = "acme"`)
		}
		return fail(what+" shows a certificate that is not trusted", why, `turn.urls = ["turns:NAME:5349"]   # a name that is in the certificate`)
	case RelayQuota:
		return fail(what+" has nothing left", why, "turn.total_quota = 0   # or ip_quota, user_quota, relay_ports")
	case RelayForbidden:
		return fail(what+" may not reach the media port", why, e.letReach(peer))
	case RelayUnreachable:
		return fail(what+" does not answer", "Nothing comes back from there: open the port in every firewall on the way, and see that the server runs.", e.openRelay(url)...)
	default:
		return fail(what, why)
	}
}

// letReach is what has relays reach the media port.
func (e *examination) letReach(peer netip.AddrPort) string {
	if e.o.Setup != nil && e.o.Setup.Turn == "embedded" {
		return `turn.allow_peers = ["` + peer.Addr().String() + `"]`
	}
	return "allowed-peer-ip=" + peer.Addr().String() + "   # in turnserver.conf"
}

// openRelay is what gets packets to a server.
func (e *examination) openRelay(url string) []string {
	_, rest, _ := strings.Cut(url, ":")
	rest, query, _ := strings.Cut(rest, "?")
	port := "3478"
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasSuffix(rest, "]") {
		port = rest[i+1:]
	}
	network := "udp"
	if strings.HasPrefix(url, "turns:") || query == "transport=tcp" {
		network = "tcp"
	}
	lines := []string{openPort(network, port)}
	if e.o.Setup != nil && e.o.Setup.Turn == "external" {
		lines = append(lines, `turn.urls = ["turn:HOST:3478?transport=udp"]   # where it is`)
	}
	return lines
}
