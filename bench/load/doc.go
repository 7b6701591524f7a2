// Package load is many light WHEP viewers in one process, for measuring servers. A viewer has a socket of its own, as
// a real one has; it connects as Chromium does (ICE controlling, DTLS in the role that the server leaves to it, with
// Chromium's order of SRTP profiles) and then counts packets without decrypting them, but for the first ones, in
// which it looks for a complete keyframe, and for the sender reports that its receiver reports refer to. It sends no
// NACKs: what is lost stays lost, and is counted.
//
// It runs on Linux, whose batches of datagrams and arrival times it uses.
package load
