package turn

import (
	"context"
	"net"
	"net/netip"
)

// A socket on all addresses answers from whichever the route prefers, and clients drop what comes from elsewhere than
// they asked: on hosts with several addresses, as nearly all with IPv6 are. So each address of this machine gets a
// socket of its own, before the one for all, which is left with addresses that appear later.

// listenEverywhere opens sockets for address, the first of which is bound to it as it stands.
func listenEverywhere(ctx context.Context, address string) ([]*net.UDPConn, error) {
	var config net.ListenConfig
	conn, err := config.ListenPacket(ctx, "udp", address)
	if err != nil {
		return nil, err
	}
	first := conn.(*net.UDPConn) //nolint:forcetypeassert // of network udp
	conns := []*net.UDPConn{first}
	at := addrPort(first.LocalAddr())
	if !at.Addr().IsUnspecified() || !sharePort(first, true) {
		return conns, nil
	}
	for _, ip := range homes(at.Addr()) {
		if home := listenShared(ctx, netip.AddrPortFrom(ip, at.Port())); home != nil {
			conns = append(conns, home)
		}
	}
	for _, c := range conns {
		sharePort(c, false)
	}
	return conns, nil
}

// homes are the addresses that a wildcard stands for.
func homes(wildcard netip.Addr) (ips []netip.Addr) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, _ := netip.AddrFromSlice(n.IP)
		ip = ip.Unmap()
		if !ip.IsLinkLocalUnicast() && (ip.Is4() || wildcard.Is6()) {
			ips = append(ips, ip)
		}
	}
	return ips
}
