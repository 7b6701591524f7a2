package rtsp

import (
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
)

const (
	maxDatagram = 64 << 10
	readBuffer  = 2 << 20 // a keyframe of 4K video comes as one burst
	portTries   = 50
)

// sockets is the pair of UDP sockets, RTP then RTCP, of one section. It takes packets from the camera's address
// only, from whatever port.
type sockets struct {
	conns  [2]*net.UDPConn
	camera netip.Addr
	peers  [2]atomic.Pointer[netip.AddrPort] // where the camera receives: as told, or else whence it sends
}

// listenUnicast opens an even port and the next one, on the address that the camera knows.
func listenUnicast(gateway, camera netip.Addr) (*sockets, error) {
	var err error
	for range portTries {
		var s *sockets
		if s, err = listenPair(gateway, camera); s != nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("open a pair of UDP ports: %w", err)
}

// listenPair returns nil and no error if the system chose an odd port.
func listenPair(gateway, camera netip.Addr) (*sockets, error) {
	first, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(gateway, 0)))
	if err != nil {
		return nil, err
	}
	port := first.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	if port%2 != 0 {
		return nil, first.Close()
	}
	second, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(gateway, port+1)))
	if err != nil {
		_ = first.Close()
		return nil, err
	}
	return newSockets(first, second, camera), nil
}

// listenMulticast joins a group on the interface that the camera is reached by.
func listenMulticast(group netip.Addr, port [2]int, gateway, camera netip.Addr) (*sockets, error) {
	var conns [2]*net.UDPConn
	for i := range conns {
		addr := net.UDPAddrFromAddrPort(netip.AddrPortFrom(group, uint16(port[i])))
		c, err := net.ListenMulticastUDP("udp", interfaceOf(gateway), addr)
		if err != nil {
			if i == 1 {
				_ = conns[0].Close()
			}
			return nil, fmt.Errorf("join multicast group %v: %w", addr, err)
		}
		conns[i] = c
	}
	s := newSockets(conns[0], conns[1], camera)
	s.aim(port)
	return s, nil
}

func newSockets(rtp, rtcp *net.UDPConn, camera netip.Addr) *sockets {
	for _, c := range []*net.UDPConn{rtp, rtcp} {
		_ = c.SetReadBuffer(readBuffer) // the system gives what it allows
	}
	return &sockets{conns: [2]*net.UDPConn{rtp, rtcp}, camera: camera}
}

// interfaceOf is the network interface that has an address; nil, the system's choice, if none has.
func interfaceOf(addr netip.Addr) *net.Interface {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range all {
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().WithZone("") == addr.WithZone("") {
				return &i
			}
		}
	}
	return nil
}

func (s *sockets) port() int { return s.conns[0].LocalAddr().(*net.UDPAddr).Port }

// aim sets the camera's ports. Privileged ones are no media ports; without any, the camera's packets tell.
func (s *sockets) aim(ports [2]int) {
	for i, p := range ports {
		if p >= 1024 && p <= 65535 {
			to := netip.AddrPortFrom(s.camera, uint16(p))
			s.peers[i].Store(&to)
		}
	}
}

// send does its best: a lost report harms nobody.
func (s *sockets) send(which int, p []byte) {
	if to := s.peers[which].Load(); to != nil {
		_, _ = s.conns[which].WriteToUDPAddrPort(p, *to)
	}
}

// punch sends an empty RTP packet and an empty receiver report.
func (s *sockets) punch() {
	s.send(0, []byte{0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	s.send(1, []byte{0x80, 201, 0, 1, 0, 0, 0, 0})
}

// read calls take for each datagram of the camera until the socket is closed. The bytes are take's for the
// time of the call.
func (s *sockets) read(c *net.UDPConn, which int, take func(p []byte)) {
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if from.Addr().Unmap().WithZone("") != s.camera.WithZone("") {
			continue
		}
		if s.peers[which].Load() == nil {
			from = netip.AddrPortFrom(s.camera, from.Port())
			s.peers[which].Store(&from)
		}
		take(buf[:n])
	}
}

func (s *sockets) close() {
	for _, c := range s.conns {
		_ = c.Close()
	}
}
