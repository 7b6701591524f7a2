// Package bitstream reads what the bytes of an access unit say and makes units fit to send: keyframes are
// found, what viewers must not get is taken out, and parameter sets stand before each keyframe. It holds
// for every source, so it knows nothing of packets.
package bitstream
