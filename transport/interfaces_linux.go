package transport

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// assigned is an address that the system has given an interface.
type assigned struct {
	netip.Prefix
	flags uint32 // IFA_F_…
}

// readAddresses reads the addresses of all interfaces, and returns what tells those of one that others may be told of:
// none that is going or not sure to be ours, and no temporary one (RFC 8981) beside the stable one of its network, which
// is for servers.
func readAddresses() func(net.Interface) []netip.Addr {
	table, err := syscall.NetlinkRIB(unix.RTM_GETADDR, unix.AF_UNSPEC)
	if err != nil {
		return func(net.Interface) []netip.Addr { return nil }
	}
	all := parseAddresses(table)
	return func(i net.Interface) []netip.Addr { return announced(all[i.Index]) }
}

// parseAddresses reads a list of addresses, by the numbers of their interfaces.
func parseAddresses(table []byte) map[int][]assigned {
	messages, err := syscall.ParseNetlinkMessage(table)
	if err != nil {
		return nil
	}
	all := make(map[int][]assigned)
	for i := range messages {
		if a, index, ok := readAssigned(&messages[i]); ok && a.lasting() {
			all[index] = append(all[index], a)
		}
	}
	return all
}

// readAssigned reads a message about an address, and the number of its interface.
func readAssigned(m *syscall.NetlinkMessage) (a assigned, index int, ok bool) {
	const head = unix.SizeofIfAddrmsg // family, prefix length, flags, scope, interface
	if m.Header.Type != unix.RTM_NEWADDR || len(m.Data) < head {
		return assigned{}, 0, false
	}
	attributes, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return assigned{}, 0, false
	}
	var own netip.Addr
	a.flags = uint32(m.Data[2])
	for _, attribute := range attributes {
		switch value := attribute.Value; attribute.Attr.Type {
		case unix.IFA_LOCAL: // of both ends of a link, ours
			own, _ = netip.AddrFromSlice(value)
		case unix.IFA_ADDRESS:
			if !own.IsValid() {
				own, _ = netip.AddrFromSlice(value)
			}
		case unix.IFA_FLAGS:
			if len(value) >= 4 {
				a.flags = binary.NativeEndian.Uint32(value)
			}
		}
	}
	a.Prefix = netip.PrefixFrom(own, int(m.Data[1]))
	return a, int(binary.NativeEndian.Uint32(m.Data[4:])), own.IsValid()
}

// lasting reports whether the address is ours, and will be for a while.
func (a assigned) lasting() bool {
	return a.flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED|unix.IFA_F_DEPRECATED) == 0
}

func (a assigned) temporary() bool { return a.Addr().Is6() && a.flags&unix.IFA_F_TEMPORARY != 0 }

func announced(all []assigned) []netip.Addr {
	var addrs []netip.Addr
	for _, a := range all {
		stable := func(o assigned) bool { return !o.temporary() && o.Masked() == a.Masked() }
		if !a.temporary() || !slices.ContainsFunc(all, stable) {
			addrs = append(addrs, a.Addr())
		}
	}
	return addrs
}
