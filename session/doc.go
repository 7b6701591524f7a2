// Package session is one publisher's or viewer's stay, whatever the signalling that brought it: negotiating,
// connecting, connected, closed. It runs the pump between the hub and the peer and knows no status code of any
// protocol.
package session
