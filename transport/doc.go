// Package transport is the one UDP port of all media: a socket for each core and address family, read and written in
// batches (recvmmsg, sendmmsg, UDP GSO and GRO where the kernel has them), the addresses under which it is announced,
// the certificate of the process, and the words for how a connection ends.
//
// Who takes a datagram is decided by a Receiver on the goroutine of the socket it came in on. What that does not take
// goes to Others, a net.PacketConn for a library that wants a socket of its own.
package transport
