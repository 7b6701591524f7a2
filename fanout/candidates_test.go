package fanout

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// I22, J52, J53: nothing is sent to the places that a viewer names, before or after it is connected from elsewhere: it
// comes to us. So no candidate needs to be skipped here, whatever webrtc.deny_private_remote says.
func TestNoCandidateOfAViewerIsTried(t *testing.T) {
	trap, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	h, v := newHouse(t, Options{}), newViewer(t)
	port := trap.LocalAddr().(*net.UDPAddr).Port
	named := fmt.Sprintf("a=candidate:9 1 udp 2130706431 127.0.0.1 %d typ host\r\na=candidate:8 1 udp 2130706430 localhost %d typ host\r\na=candidate:", port, port)
	s := h.answer(t, strings.Replace(v.offer(t), "a=candidate:", named, 1))
	v.accept(t, s.Description())
	h.start(t, s)
	await(t, v.connected, "connected on the viewer's side")
	if _, err := h.port.Others().WriteToAddrPort([]byte("mark"), trap.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
		t.Fatal(err)
	}
	_ = trap.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 1500)
	if n, err := trap.Read(b); err != nil || string(b[:n]) != "mark" {
		t.Errorf("%d bytes come to a candidate of the viewer's: %x, %v", n, b[:n], err)
	}
}
