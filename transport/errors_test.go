package transport

import (
	"errors"
	"net"
	"strings"
	"testing"
)

// TestErrorsSayWhatToDo wants the words that a user can act on.
func TestErrorsSayWhatToDo(t *testing.T) {
	for want, err := range map[string]error{
		"the peer has left":     ErrPeerLeft,
		"has fallen silent":     &UnreachableError{WasConnected: true},
		"webrtc.listen_udp":     &UnreachableError{},
		"DTLS handshake":        &HandshakeError{},
		"5000 packets or 50 Mb": &FloodError{},
		"webrtc.listen_udp: cannot open UDP :9: use of closed": &ListenError{Address: ":9", Err: net.ErrClosed},
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if !errors.Is(&ListenError{Err: net.ErrClosed}, net.ErrClosed) {
		t.Error("the cause is hidden")
	}
}
