//go:build !linux

package turn

import (
	"context"
	"net"
	"net/netip"
)

// Only Linux prefers the socket of one address to that of all.
func sharePort(*net.UDPConn, bool) bool { return false }

func listenShared(context.Context, netip.AddrPort) *net.UDPConn { return nil }
