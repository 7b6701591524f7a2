package peer

import (
	"net"
	"net/netip"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"

	"sluice/transport"
)

// watched has what goes over one connection's part of the ports seen by a witness of its own: the library counts no
// check that it discards, and tells of no alert.
func (e *Engine) watched(s *webrtc.SettingEngine, mux *announcedMux) *transport.Witness {
	w := &transport.Witness{}
	s.SetICEUDPMux(watchedMux{announcedMux: mux, witness: w})
	if tcp, ok := e.streams.(*ice.TCPMuxDefault); ok && mux == e.mux {
		s.SetICETCPMux(watchedTCPMux{TCPMuxDefault: tcp, witness: w})
	}
	return w
}

// watchedMux is the mux of one connection.
type watchedMux struct {
	*announcedMux
	witness *transport.Witness
}

// GetConn implements ice.UDPMux.
func (m watchedMux) GetConn(ufrag string, addr net.Addr) (net.PacketConn, error) {
	c, err := m.announcedMux.GetConn(ufrag, addr)
	if err != nil {
		return nil, err
	}
	return watch(c, m.witness), nil
}

// watchedTCPMux is that of TCP connections.
type watchedTCPMux struct {
	*ice.TCPMuxDefault
	witness *transport.Witness
}

// GetConnByUfrag implements ice.TCPMux.
func (m watchedTCPMux) GetConnByUfrag(ufrag string, isIPv6 bool, local net.IP) (net.PacketConn, error) {
	c, err := m.TCPMuxDefault.GetConnByUfrag(ufrag, isIPv6, local)
	if err != nil {
		return nil, err
	}
	return watch(c, m.witness), nil
}

// watch keeps the way without allocation, where there is one.
func watch(c net.PacketConn, w *transport.Witness) net.PacketConn {
	plain := watchedConn{PacketConn: c, witness: w}
	if quick, ok := c.(ice.AddrPortReaderWriter); ok {
		return quickConn{watchedConn: plain, quick: quick}
	}
	return plain
}

type watchedConn struct {
	net.PacketConn
	witness *transport.Witness
}

// ReadFrom implements net.PacketConn.
func (c watchedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.PacketConn.ReadFrom(b)
	if err == nil {
		c.witness.Incoming(b[:n])
	}
	return n, from, err
}

// WriteTo implements net.PacketConn.
func (c watchedConn) WriteTo(b []byte, to net.Addr) (int, error) {
	n, err := c.PacketConn.WriteTo(b, to)
	c.witness.Outgoing(b, err)
	return n, err
}

type quickConn struct {
	watchedConn
	quick ice.AddrPortReaderWriter
}

// ReadFromAddrPort implements ice.AddrPortReaderWriter.
func (c quickConn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, err := c.quick.ReadFromAddrPort(b)
	if err == nil {
		c.witness.Incoming(b[:n])
	}
	return n, from, err
}

// WriteToAddrPort implements ice.AddrPortReaderWriter.
func (c quickConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	n, err := c.quick.WriteToAddrPort(b, to)
	c.witness.Outgoing(b, err)
	return n, err
}
