package rtsp

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/ipv4"

	"sluice/internal/testcamera"
)

// E1: a group on the loopback interface, of which other senders are not heard.
func TestMulticast(t *testing.T) {
	group := &net.UDPAddr{IP: net.IPv4(239, 255, 77, 1), Port: freePort(t)}
	camera := multicastSender(t, "127.0.0.1")
	foreign := multicastSender(t, "127.0.0.2")
	c := (&testcamera.Camera{
		Handle: scripted("SETUP", func(s *testcamera.Session, r *testcamera.Request) {
			if got := r.Header.Get("Transport"); got != "RTP/AVP;multicast" {
				t.Errorf("asked for %q", got)
			}
			s.SetupTCP(0) // Packet takes them out again
			s.Reply(r, "200 OK", "", "Session: 12345678", fmt.Sprintf(
				"Transport: RTP/AVP;multicast;destination=%v;source=203.0.113.9;port=%d-%d;ttl=1", group.IP, group.Port, group.Port+1))
		}),
		Packet: func(_ int, p []byte) []byte {
			larger := append(slices.Clone(p), make([]byte, 5000)...)
			for from, packet := range map[net.PacketConn][]byte{foreign: larger, camera: p} {
				if _, err := from.WriteTo(packet, group); err != nil {
					t.Errorf("send: %v", err)
				}
			}
			return nil
		},
	}).Start(t)
	p := start(t, newSource(t, Options{URL: c.URL(""), Transport: Multicast}))
	for _, u := range p.units(t, "video", 20) {
		if u.Size() >= 5000 {
			t.Fatal("a foreign packet came through")
		}
	}
	if !strings.Contains(c.Methods(), "PLAY") || p.waitStats(t) != Multicast {
		t.Errorf("played over %q", p.source.Stats().Transport)
	}
}

// multicastSender sends on the loopback interface, from one of its addresses.
func multicastSender(t *testing.T, from string) net.PacketConn {
	t.Helper()
	c, err := net.ListenPacket("udp4", from+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	p := ipv4.NewPacketConn(c)
	if err := p.SetMulticastInterface(interfaceOf(loopback)); err != nil {
		t.Fatal(err)
	}
	if err := p.SetMulticastLoopback(true); err != nil {
		t.Fatal(err)
	}
	return c
}

// freePort is an even UDP port that is free, as is the next.
func freePort(t *testing.T) int {
	t.Helper()
	s, err := listenUnicast(loopback, loopback)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	return s.port()
}
