//go:build !linux

package transport

import (
	"net"
	"net/netip"
)

// readAddresses returns what tells the addresses of an interface.
func readAddresses() func(net.Interface) []netip.Addr { return addressesOf }

func addressesOf(i net.Interface) []netip.Addr {
	addrs, err := i.Addrs()
	if err != nil {
		return nil
	}
	var all []netip.Addr
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			all = append(all, p.Addr().Unmap())
		}
	}
	return all
}
