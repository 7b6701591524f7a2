package peer

import (
	"net"
	"net/netip"
	"slices"

	"github.com/pion/ice/v4"
)

// announcedMux is pion's mux of one UDP port, which announces the addresses that the configuration allows. They
// are looked up anew for each connection, since interfaces come and go.
type announcedMux struct {
	*ice.UDPMuxDefault

	local      netip.AddrPort // what the port is bound to
	interfaces []string       // empty: all
}

// GetListenAddresses lists the addresses to announce.
func (m *announcedMux) GetListenAddresses() []net.Addr {
	if !m.local.Addr().IsUnspecified() {
		return []net.Addr{net.UDPAddrFromAddrPort(m.local)}
	}
	var all []net.Addr
	for _, a := range m.interfaceAddrs() {
		if m.local.Addr().Is4() && !a.Is4() {
			continue
		}
		all = append(all, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, m.local.Port())))
	}
	return all
}

// interfaceAddrs lists global and loopback addresses of the allowed interfaces. Link-local ones are useless
// without a zone, which an SDP can't carry.
func (m *announcedMux) interfaceAddrs() []netip.Addr {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var all []netip.Addr
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || len(m.interfaces) > 0 && !slices.Contains(m.interfaces, i.Name) {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			if ip := p.Addr().Unmap(); err == nil && (ip.IsGlobalUnicast() || ip.IsLoopback()) {
				all = append(all, ip)
			}
		}
	}
	return all
}
