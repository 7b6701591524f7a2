package peer

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// socketBuffer is what is asked of the kernel for the one port of all media, in bytes each way.
const socketBuffer = 4 << 20

// ListenError tells that the UDP port could not be opened.
type ListenError struct {
	Address string
	Err     error
}

func (e *ListenError) Error() string {
	return fmt.Sprintf("webrtc.listen_udp: cannot open UDP %s: %v", e.Address, e.Err)
}

func (e *ListenError) Unwrap() error { return e.Err }

// sharedConn is the socket of all connections. It takes and gives addresses without allocation, IPv4 ones never
// in their IPv6 form, and swallows write deadlines: pion/ice sets one on the whole socket when a single
// connection ends, at which packets of all others would be lost.
type sharedConn struct{ *net.UDPConn }

func listenUDP(address string) (*sharedConn, error) {
	pc, err := net.ListenPacket("udp", address)
	if err != nil {
		return nil, &ListenError{Address: address, Err: cause(err)}
	}
	c := &sharedConn{UDPConn: pc.(*net.UDPConn)}
	_ = c.SetReadBuffer(socketBuffer)  // the kernel may give less
	_ = c.SetWriteBuffer(socketBuffer) // likewise
	return c, nil
}

// cause is err without the words of package net about what was tried, which ListenError says itself.
func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// ReadFromAddrPort reads one datagram.
func (c *sharedConn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, err := c.ReadFromUDPAddrPort(b)
	return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), err
}

// WriteToAddrPort writes one datagram.
func (c *sharedConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return c.WriteToUDPAddrPort(b, to)
}

// SetWriteDeadline does nothing.
func (c *sharedConn) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline sets the deadline of reads only.
func (c *sharedConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }
