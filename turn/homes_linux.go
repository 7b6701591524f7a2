package turn

import (
	"context"
	"net"
	"net/netip"
	"syscall"
)

// sharePort lets other sockets of this machine bind the port of conn, or no longer; the wildcard is bound without, so
// that another server on the port is noticed.
func sharePort(conn *net.UDPConn, yes bool) bool {
	raw, err := conn.SyscallConn()
	return err == nil && reuse(raw, yes) == nil
}

func reuse(raw syscall.RawConn, yes bool) error {
	value := 0
	if yes {
		value = 1
	}
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, value)
	})
	if err != nil {
		return err
	}
	return failed
}

// listenShared opens a socket on a port that is shared; nil if the address has just gone.
func listenShared(ctx context.Context, at netip.AddrPort) *net.UDPConn {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error { return reuse(raw, true) }}
	conn, err := config.ListenPacket(ctx, "udp", at.String())
	if err != nil {
		return nil
	}
	return conn.(*net.UDPConn) //nolint:forcetypeassert // of network udp
}
