package rtsp

import (
	"net/netip"
	"strconv"
	"strings"
)

// Transport is the way that a camera's packets take.
type Transport string

// The transports of the configuration key. With Auto the source finds out what the camera can do.
const (
	Auto      Transport = "auto"
	TCP       Transport = "tcp"
	UDP       Transport = "udp"
	Multicast Transport = "multicast"
)

// transportHeader is what matters of a Transport header.
//
// Specification: RFC 2326 12.39
type transportHeader struct {
	secure      bool
	tcp         bool
	multicast   bool
	interleaved [2]int // -1 where not given
	serverPort  [2]int // 0 where not given
	port        [2]int // of a multicast group; 0 where not given
	destination netip.Addr
}

// parseTransport reads what a camera answers. It never fails: what makes no sense counts as not given.
func parseTransport(s string) transportHeader {
	h := transportHeader{interleaved: [2]int{-1, -1}}
	s, _, _ = strings.Cut(s, ",") // a second specification would be another choice
	for part := range strings.SplitSeq(s, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch upper := strings.ToUpper(strings.TrimSpace(name)); {
		case strings.HasPrefix(upper, "RTP/"):
			h.secure = strings.HasPrefix(upper, "RTP/SAVP")
			h.tcp = strings.HasSuffix(upper, "/TCP")
		case upper == "MULTICAST":
			h.multicast = true
		case upper == "INTERLEAVED":
			h.interleaved = numberPair(value, 255, -1)
		case upper == "SERVER_PORT":
			h.serverPort = numberPair(value, 65535, 0)
		case upper == "PORT":
			h.port = numberPair(value, 65535, 0)
		case upper == "DESTINATION":
			h.destination, _ = netip.ParseAddr(value)
		}
	}
	return h
}

// numberPair reads "a-b", or "a" for a and a+1. Either is none if one of them is above limit.
func numberPair(s string, limit, none int) [2]int {
	first, second, both := strings.Cut(s, "-")
	a, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || a < 0 || a >= limit {
		return [2]int{none, none}
	}
	b, err := strconv.Atoi(strings.TrimSpace(second))
	if !both || err != nil || b < 0 || b > limit || b == a {
		b = a + 1
	}
	return [2]int{a, b}
}
