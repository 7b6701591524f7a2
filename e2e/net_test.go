package e2e

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
	"github.com/pion/webrtc/v4"
)

// roomyBuffer keeps what comes while a busy machine lets a peer wait: the default holds some 90 packets.
const roomyBuffer = 2 << 20 // bytes

// peerSocket is the socket of one of a test's own peers, with room for bursts.
type peerSocket struct {
	net.PacketConn
	deaf   atomic.Bool // sends no more STUN, neither checks nor answers
	mute   atomic.Bool // sends nothing at all
	unread atomic.Bool // is read no more, until it is closed

	closing sync.Once
	closed  chan struct{}
}

// useSocket gives a peer a socket of its own on loopback, which is closed after the test.
func useSocket(t testing.TB, settings *webrtc.SettingEngine) *peerSocket {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if err := widen(c); err != nil {
		t.Fatal(err)
	}
	s := &peerSocket{PacketConn: c, closed: make(chan struct{})}
	mux := webrtc.NewICEUDPMux(nil, s)
	t.Cleanup(func() { _ = mux.Close() }) // what was under way is over
	settings.SetICEUDPMux(mux)
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	return s
}

// widen gives a socket a roomy buffer: as far as everybody may have it, and further where the tests may do everything.
func widen(c *net.UDPConn) error {
	if err := c.SetReadBuffer(roomyBuffer); err != nil {
		return err
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, roomyBuffer)
	})
}

// roomyNet is the machine's network, for a peer that needs more than one socket: each has room for bursts.
type roomyNet struct{ *stdnet.Net }

func (n roomyNet) ListenPacket(network, address string) (net.PacketConn, error) {
	conn, err := n.Net.ListenPacket(network, address)
	if c, ok := conn.(*net.UDPConn); ok && err == nil {
		err = widen(c)
	}
	return conn, err
}

func (n roomyNet) ListenUDP(network string, address *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := n.Net.ListenUDP(network, address)
	if c, ok := conn.(*net.UDPConn); ok && err == nil {
		err = widen(c)
	}
	return conn, err
}

// ReadFrom implements net.PacketConn.
func (s *peerSocket) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := s.PacketConn.ReadFrom(b)
	if s.unread.Load() {
		<-s.closed
	}
	return n, from, err
}

// Close implements net.PacketConn.
func (s *peerSocket) Close() error {
	s.closing.Do(func() { close(s.closed) })
	return s.PacketConn.Close()
}

// WriteTo implements net.PacketConn.
func (s *peerSocket) WriteTo(b []byte, to net.Addr) (int, error) {
	if stun := len(b) > 0 && b[0] < 4; s.mute.Load() || stun && s.deaf.Load() { // RFC 7983
		return len(b), nil
	}
	return s.PacketConn.WriteTo(b, to)
}
