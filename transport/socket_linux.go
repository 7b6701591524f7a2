package transport

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// prepare sets what the system can do for the socket.
func (s *socket) prepare(gso bool) {
	_ = s.raw.Control(func(fd uintptr) { // fails for closed sockets only
		f := int(fd)
		s.gso.Store(gso && unix.SetsockoptInt(f, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 0) == nil)
		s.gro = unix.SetsockoptInt(f, unix.IPPROTO_UDP, unix.UDP_GRO, 1) == nil
		// The kernel cuts into fragments what is too large for a path: it is slower, but arrives.
		if s.v6 {
			_ = unix.SetsockoptInt(f, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_WANT)
			_ = unix.SetsockoptInt(f, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, btoi(s.wildcard))
			return
		}
		_ = unix.SetsockoptInt(f, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_WANT)
		_ = unix.SetsockoptInt(f, unix.IPPROTO_IP, unix.IP_PKTINFO, btoi(s.wildcard))
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *socket) close() error { return s.conn.Close() }

// share lets sockets that are bound from now on share the port of one that has it alone. It reports whether that works.
func share(c *net.UDPConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	shared := false
	err = raw.Control(func(fd uintptr) {
		shared = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) == nil
	})
	return err == nil && shared
}

// shareBefore makes a socket share its port, before it is bound.
func shareBefore(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	if err != nil {
		return err
	}
	return failed
}
