// Package peer is one WebRTC connection each, on pion's PeerConnection, and the engine that all of them share: one
// UDP port, one certificate. It is the only user of pion/webrtc; above it an SDP is a string.
package peer
