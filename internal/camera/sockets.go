package camera

import (
	"errors"
	"fmt"
	"net"
	"strconv"
)

// sockets are opened before the server starts, so that the camera's address is known and stays its own.
type sockets struct {
	rtsp      net.Listener
	rtp, rtcp net.PacketConn // nil without UDP
}

func openSockets(address string, udp bool) (*sockets, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for RTSP: %w", err)
	}
	s := &sockets{rtsp: ln}
	if !udp {
		return s, nil
	}
	if s.rtp, s.rtcp, err = openPair(host(address)); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func host(address string) string {
	h, _, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	return h
}

// openPair opens two UDP ports that follow each other, the first even (RFC 3550, 11).
func openPair(host string) (rtp, rtcp net.PacketConn, err error) {
	var faults []error
	for range 50 {
		probe, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
		if err != nil {
			return nil, nil, fmt.Errorf("open a UDP port for RTP: %w", err)
		}
		port := probe.LocalAddr().(*net.UDPAddr).Port
		if port%2 == 0 {
			rtcp, err := net.ListenPacket("udp", net.JoinHostPort(host, strconv.Itoa(port+1)))
			if err == nil {
				return probe, rtcp, nil
			}
			faults = append(faults, err)
		}
		_ = probe.Close()
	}
	return nil, nil, fmt.Errorf("find two free UDP ports for RTP and RTCP: %w", errors.Join(faults...))
}

// listen hands the RTSP listener to the server.
func (s *sockets) listen(string, string) (net.Listener, error) { return s.rtsp, nil }

// listenPacket hands the UDP ports to the server, which asks for them by address.
func (s *sockets) listenPacket(network, address string) (net.PacketConn, error) {
	switch {
	case s.rtp != nil && address == s.rtp.LocalAddr().String():
		return s.rtp, nil
	case s.rtcp != nil && address == s.rtcp.LocalAddr().String():
		return s.rtcp, nil
	}
	return net.ListenPacket(network, address)
}

// close may be called after the server has closed them.
func (s *sockets) close() {
	_ = s.rtsp.Close()
	if s.rtp != nil {
		_ = s.rtp.Close()
		_ = s.rtcp.Close()
	}
}
