package peer

import (
	"fmt"
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

// owns reports whether an address is one that the port is reached at.
func (m *announcedMux) owns(a netip.Addr) bool {
	for _, own := range m.GetListenAddresses() {
		if udp, ok := own.(*net.UDPAddr); ok && udp.AddrPort().Addr().Unmap() == a.Unmap() {
			return true
		}
	}
	return false
}

// hostCandidates are the values of the candidate lines of the port. Loopback addresses are of use on this machine
// alone.
func (m *announcedMux) hostCandidates(loopback bool) []string {
	var all []string
	for i, address := range m.GetListenAddresses() {
		a := address.(*net.UDPAddr).AddrPort()
		if a.Addr().IsLoopback() && !loopback {
			continue
		}
		all = append(all, fmt.Sprintf("port%d 1 udp %d %s %d typ host", i, hostPriority-i, a.Addr().Unmap(), a.Port()))
	}
	return all
}
