package client

import (
	"net"
	"net/url"
	"slices"
	"strconv"
)

const maxICEServers = 10 // each makes us send packets to where the server says

// ICEServer is a STUN or TURN server that a WHIP or WHEP server names (RFC 9725 4.6).
type ICEServer struct {
	URLs                 []string // one
	Username, Credential string
}

// iceServers picks those that we can use: with a password as credential, or for STUN none. What is broken is left
// out, since a connection takes all that it is given or none.
func iceServers(links []link) []ICEServer {
	var all []ICEServer
	for _, l := range links {
		s := ICEServer{URLs: []string{l.target}, Username: l.parameters["username"], Credential: l.parameters["credential"]}
		kind := l.parameters["credential-type"]
		if !slices.Contains(l.relations, "ice-server") || kind != "" && kind != "password" || !s.usable() {
			continue
		}
		known := slices.ContainsFunc(all, func(o ICEServer) bool { return o.URLs[0] == l.target })
		if len(all) < maxICEServers && !known {
			all = append(all, s)
		}
	}
	return all
}

// usable checks the URL (RFC 7064 3.1, RFC 7065 3.1), and that TURN has credentials.
func (s ICEServer) usable() bool {
	u, err := url.Parse(s.URLs[0])
	if err != nil || !validHost(u.Opaque) {
		return false
	}
	switch u.Scheme {
	case "stun", "stuns":
		return u.RawQuery == ""
	case "turn", "turns":
		return s.Username != "" && s.Credential != "" && slices.Contains([]string{"", "transport=udp", "transport=tcp"}, u.RawQuery)
	}
	return false
}

// validHost reports whether s is a host, and a port if it has one.
func validHost(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port, err = net.SplitHostPort(s + ":3478")
	}
	n, fault := strconv.ParseUint(port, 10, 16)
	return err == nil && fault == nil && host != "" && n > 0
}
