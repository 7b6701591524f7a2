// Package rtpin turns the RTP packets of a source into access units on the gateway's timeline. What networks
// and cameras do to packets ends here: reordering, loss, odd packetisation, clocks that wrap, jump or drift.
package rtpin
