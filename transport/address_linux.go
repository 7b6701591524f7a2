package transport

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// controlSize is enough for the control messages of one message: IPV6_PKTINFO and UDP_SEGMENT going out, and
// IPV6_PKTINFO and UDP_GRO coming in.
const controlSize = 128

// address is a path in the system's form.
type address struct {
	name      [unix.SizeofSockaddrInet6]byte
	nameLen   uint32
	source    [48]byte // the control message that says where it comes from
	sourceLen int      // 0: the system chooses
}

func newAddress(p Path) address {
	var a address
	if p.Remote.Addr().Is4() {
		a.setIPv4(p)
	} else {
		a.setIPv6(p)
	}
	return a
}

func (a *address) setIPv4(p Path) {
	binary.NativeEndian.PutUint16(a.name[0:], unix.AF_INET)
	binary.BigEndian.PutUint16(a.name[2:], p.Remote.Port())
	ip := p.Remote.Addr().As4()
	copy(a.name[4:], ip[:])
	a.nameLen = unix.SizeofSockaddrInet4
	if !p.Local.Is4() || p.Local.IsUnspecified() {
		return
	}
	var data []byte
	data, a.sourceLen = putHeader(a.source[:], unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
	from := p.Local.As4()
	copy(data[4:], from[:]) // after the interface: ipi_spec_dst
}

func (a *address) setIPv6(p Path) {
	binary.NativeEndian.PutUint16(a.name[0:], unix.AF_INET6)
	binary.BigEndian.PutUint16(a.name[2:], p.Remote.Port())
	ip := p.Remote.Addr().As16()
	copy(a.name[8:], ip[:]) // after the flow label
	zone := zoneIndex(p.Remote.Addr().Zone())
	binary.NativeEndian.PutUint32(a.name[24:], zone)
	a.nameLen = unix.SizeofSockaddrInet6
	if !p.Local.Is6() || p.Local.IsUnspecified() {
		return
	}
	var data []byte
	data, a.sourceLen = putHeader(a.source[:], unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
	from := p.Local.As16()
	copy(data, from[:])
	binary.NativeEndian.PutUint32(data[16:], zone)
}

// zoneIndex is the number of an interface, 0 if there is none of that name.
func zoneIndex(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	i, err := net.InterfaceByName(zone)
	if err != nil {
		return 0
	}
	return uint32(i.Index)
}

// remoteOf reads the address that the system gave with a message; the zero value if it is of neither family.
func remoteOf(name []byte) netip.AddrPort {
	if len(name) < unix.SizeofSockaddrInet4 {
		return netip.AddrPort{}
	}
	port := binary.BigEndian.Uint16(name[2:])
	switch family := binary.NativeEndian.Uint16(name); {
	case family == unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(name[4:8])), port)
	case family == unix.AF_INET6 && len(name) >= unix.SizeofSockaddrInet6:
		a := netip.AddrFrom16([16]byte(name[8:24]))
		if zone := binary.NativeEndian.Uint32(name[24:]); zone != 0 {
			a = a.WithZone(strconv.FormatUint(uint64(zone), 10))
		}
		return netip.AddrPortFrom(a.Unmap(), port)
	}
	return netip.AddrPort{}
}
