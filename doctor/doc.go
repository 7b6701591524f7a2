// Package doctor tries a connection to a running gateway from end to end, as a viewer would, and says what is wrong
// with it and which line of the configuration mends it.
//
// It knows the gateway from outside, by HTTP; the WebRTC sessions and TURN allocations that it needs are made by
// others, behind interfaces of its own.
package doctor
