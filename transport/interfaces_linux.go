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

// addressesOf are those of an interface that others may be told of: none that is going or not sure to be ours, and no
// temporary one (RFC 8981) beside the stable one of its network, which is for servers.
func addressesOf(i net.Interface) []netip.Addr {
	table, err := syscall.NetlinkRIB(unix.RTM_GETADDR, unix.AF_UNSPEC)
	if err != nil {
		return nil
	}
	messages, err := syscall.ParseNetlinkMessage(table)
	if err != nil {
		return nil
	}
	var all []assigned
	for m := range messages {
		if a, ok := readAssigned(&messages[m], i.Index); ok && a.lasting() {
			all = append(all, a)
		}
	}
	return announced(all)
}

// readAssigned reads a message about an address of the interface with a number.
func readAssigned(m *syscall.NetlinkMessage, index int) (assigned, bool) {
	const head = unix.SizeofIfAddrmsg // family, prefix length, flags, scope, interface
	if m.Header.Type != unix.RTM_NEWADDR || len(m.Data) < head || int(binary.NativeEndian.Uint32(m.Data[4:])) != index {
		return assigned{}, false
	}
	attributes, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return assigned{}, false
	}
	a, own := assigned{flags: uint32(m.Data[2])}, netip.Addr{}
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
	return a, own.IsValid()
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
