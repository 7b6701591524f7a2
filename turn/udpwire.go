package turn

import (
	"errors"
	"net"
	"net/netip"
)

// udpWire is a UDP listener.
type udpWire struct{ conn *net.UDPConn }

func (u udpWire) read(buf []byte) (int, netip.AddrPort, error) {
	for {
		n, from, err := u.conn.ReadFromUDPAddrPort(buf)
		if err == nil {
			return n, plain(from), nil
		}
		if errors.Is(err, net.ErrClosed) {
			return 0, from, err
		}
	}
}

func (u udpWire) write(p []byte, to netip.AddrPort) error {
	_, err := u.conn.WriteToUDPAddrPort(p, to)
	return err
}

func (u udpWire) local() net.Addr { return u.conn.LocalAddr() }
func (udpWire) relaying(bool)     {}
func (u udpWire) close() error    { return u.conn.Close() }
