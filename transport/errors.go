package transport

import (
	"errors"
	"fmt"
)

// What one peer may send (I31): far above what a camera or an encoder does, far below what harms the others.
const (
	MaxPacketRate = 5000       // packets/s
	MaxBitRate    = 50_000_000 // bit/s
)

// ErrPeerLeft tells that the peer has ended the connection.
var ErrPeerLeft = errors.New("the peer has left")

// UnreachableError tells that no path to the peer was found, or that it has fallen silent.
type UnreachableError struct{ WasConnected bool }

func (e *UnreachableError) Error() string {
	if e.WasConnected {
		return "the peer has fallen silent: neither media nor answers to connectivity checks"
	}
	return "no path between the peer and the gateway: its UDP packets do not reach the port of webrtc.listen_udp, or ours do not reach the peer"
}

// HandshakeError tells that packets reach the peer and come back, but that no encryption was agreed on (DTLS-SRTP).
type HandshakeError struct{ Failure HandshakeFailure } // "": not known

func (e *HandshakeError) Error() string {
	why := "its certificate is not the one of its SDP, or it has no SRTP profile in common with the gateway"
	switch e.Failure {
	case HandshakeCertificate:
		why = "its certificate is not the one of its SDP"
	case HandshakeTimeout:
		why = "it did not come to an end in time"
	case HandshakeProfile:
		why = "it has no SRTP profile in common with the gateway"
	case HandshakeRefused:
		why = "the peer has broken it off"
	}
	return "the peer is reached, but the DTLS handshake with it failed: " + why
}

// FloodError tells that a peer sends more than any encoder does: the connection is ended.
type FloodError struct{}

func (e *FloodError) Error() string {
	return fmt.Sprintf("the peer sends too much: more than %d packets or %d Mbit a second, or streams that were not negotiated",
		MaxPacketRate, MaxBitRate/1_000_000)
}

// ListenError tells that the port could not be opened.
type ListenError struct {
	Address string
	TCP     bool // it is the one of webrtc.listen_tcp
	Err     error
}

func (e *ListenError) Error() string {
	if e.TCP {
		return fmt.Sprintf("webrtc.listen_tcp: cannot open TCP %s: %v", e.Address, e.Err)
	}
	return fmt.Sprintf("webrtc.listen_udp: cannot open UDP %s: %v", e.Address, e.Err)
}

func (e *ListenError) Unwrap() error { return e.Err }
