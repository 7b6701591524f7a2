package transport

import (
	"encoding/binary"
	"iter"
	"net/netip"

	"golang.org/x/sys/unix"
)

// received is what the system says about a message that has come.
type received struct {
	local netip.Addr // where it was sent to
	size  int        // of each datagram that it was joined of; 0: it is one
}

// parseControl reads the control messages of a message. What it does not know, or can't read, it passes over.
func parseControl(b []byte) received {
	var r received
	for len(b) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(b)
		if err != nil {
			break
		}
		r.take(h.Level, h.Type, data)
		b = rest
	}
	return r
}

func (r *received) take(level, kind int32, data []byte) {
	switch {
	case level == unix.IPPROTO_IP && kind == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
		r.local = netip.AddrFrom4([4]byte(data[4:8]))
	case level == unix.IPPROTO_IPV6 && kind == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
		r.local = netip.AddrFrom16([16]byte(data[:16])).Unmap()
	case level == unix.IPPROTO_UDP && kind == unix.UDP_GRO && len(data) >= 4:
		r.size = int(int32(binary.NativeEndian.Uint32(data)))
	case level == unix.IPPROTO_UDP && kind == unix.UDP_GRO && len(data) >= 2: // older kernels
		r.size = int(binary.NativeEndian.Uint16(data))
	}
}

// parts is how many datagrams a message was joined of.
func parts(n, size int) int {
	if size <= 0 || n <= size {
		return 1
	}
	return (n + size - 1) / size
}

// split gives the datagrams that a message was joined of.
func split(data []byte, size int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if size <= 0 {
			size = len(data)
		}
		for len(data) > size {
			if !yield(data[:size:size]) {
				return
			}
			data = data[size:]
		}
		yield(data)
	}
}
