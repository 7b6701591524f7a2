// Package fanout is the fast way to a viewer: send-only sessions on the shared sockets of one UDP port, without a
// PeerConnection. It answers ICE checks (RFC 8445), is the server of a DTLS handshake (RFC 5764), and seals what
// rtpout hands it. The libraries for STUN, DTLS and SRTP are used in one file each.
package fanout
