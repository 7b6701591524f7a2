package doctor

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// announced looks at where the gateway says that it is reached, and at what there is for those who get no UDP through.
func (e *examination) announced(p *page, servers []ICEServer) []Finding {
	all := e.answer
	if len(all) == 0 {
		return []Finding{fail("addresses: none is announced", "The machine has none besides loopback, or webrtc.interfaces leaves none. A viewer can't connect to nothing.",
			`webrtc.additional_hosts = ["ADDRESS"]`)}
	}
	found := []Finding{ok("addresses: " + all.list())}
	switch {
	case !all.has(inPublic, inPrivate):
		return append(found, e.loopbackOnly(p))
	case !all.has(inPublic) && whereIs(p.remote.Addr()) == inPublic:
		found = append(found, fail("addresses: none is public", "The gateway is reached over the internet at "+p.remote.Addr().String()+
			", but tells viewers private addresses alone. Announce the public one, and forward UDP port "+portsOf(all)+" to the gateway.",
			`webrtc.additional_hosts = ["`+p.remote.Addr().String()+`"]`))
	}
	return append(found, e.withoutUDP(servers)...)
}

func (e *examination) loopbackOnly(p *page) Finding {
	if p.remote.Addr().IsLoopback() {
		return warn("addresses: loopback alone", "Only this machine can watch. For others, http.listen and webrtc.listen_udp have to be on all interfaces, "+
			"with users, as `gateway init` writes them.", `http.listen = ":8889"`, `webrtc.listen_udp = ":8189"`)
	}
	return fail("addresses: loopback alone", "No other machine can watch: the media port is open on the gateway's own loopback.", `webrtc.listen_udp = ":8189"`)
}

// withoutUDP looks whether there is a way for those whose network blocks UDP.
func (e *examination) withoutUDP(servers []ICEServer) []Finding {
	overTCP := func(s ICEServer) bool {
		return strings.HasPrefix(s.URL, "turns:") || strings.HasPrefix(s.URL, "turn:") && strings.HasSuffix(s.URL, "transport=tcp")
	}
	tcp, turn := len(e.answer.of("tcp")) > 0, slices.ContainsFunc(servers, overTCP)
	switch {
	case tcp && turn:
		return []Finding{ok("UDP blocked: viewers can come over TCP and over TURN")}
	case tcp:
		return []Finding{ok("UDP blocked: viewers can come over TCP")}
	case turn:
		return []Finding{ok("UDP blocked: viewers can come over TURN")}
	}
	return []Finding{warn("UDP blocked: there is no other way", "Viewers in networks that let no UDP out see nothing. A port for TCP is one line.", `webrtc.listen_tcp = "`+portsOf(e.answer)+`"`)}
}

// portsOf is the port of all media.
func portsOf(all addresses) string { return fmt.Sprint(all[0].at.Port()) }

// mediaPeers are the addresses that relays are asked to reach, those of other machines first.
func (e *examination) mediaPeers() []netip.AddrPort {
	var all, local []netip.AddrPort
	for _, c := range e.answer.of("udp") {
		if c.at.Addr().IsLoopback() {
			local = append(local, c.at)
		} else {
			all = append(all, c.at)
		}
	}
	return append(all, local...)
}

// routeTo is nil if this machine has a way to an address at all.
func routeTo(to netip.AddrPort) error {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to)) // sends nothing
	if err != nil {
		return err
	}
	return c.Close()
}

// isOurs reports whether an address is one of this machine.
func isOurs(a netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	return a.IsLoopback() || err == nil && slices.ContainsFunc(all, func(own net.Addr) bool {
		p, err := netip.ParsePrefix(own.String())
		return err == nil && p.Addr().Unmap() == a
	})
}
