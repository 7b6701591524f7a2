// Package turn is the embedded STUN and TURN server (RFC 8489, RFC 8656), the credentials that it and coturn accept,
// and the check that a TURN server of either kind works.
//
// pion/turn keeps the allocations. A gate before each of its sockets answers Binding requests, authenticates, applies
// quotas and the peer policy, and lets through what may pass; a relay behind it carries ChannelData, which is nearly
// all that viewers send, without a detour over pion, and checks the address and port of every datagram both ways.
package turn
