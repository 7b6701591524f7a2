package client

import (
	"slices"
	"strings"
)

const (
	maxICEServers   = 10 // each makes us send packets to where the server says
	extensionPrefix = "urn:ietf:params:"
)

// ICEServer is a STUN or TURN server that a WHIP or WHEP server names (RFC 9725 4.6).
type ICEServer struct {
	URLs                 []string // one
	Username, Credential string
}

// Extension is a protocol extension that a server has (RFC 9725 4.8).
type Extension struct {
	Relation   string            // "urn:ietf:params:whep:ext:core:layer", in lower case
	URL        string            // absolute; it may be a capability, and is not for logs
	Parameters map[string]string // by name in lower case, "rel" among them
}

// iceServers picks those that we can use: with a password as credential, or none.
func iceServers(links []link) []ICEServer {
	var all []ICEServer
	for _, l := range links {
		kind := l.parameters["credential-type"]
		if !slices.Contains(l.relations, "ice-server") || !isICE(l.target) || kind != "" && kind != "password" {
			continue
		}
		known := slices.ContainsFunc(all, func(s ICEServer) bool { return s.URLs[0] == l.target })
		if len(all) < maxICEServers && !known {
			all = append(all, ICEServer{
				URLs: []string{l.target}, Username: l.parameters["username"], Credential: l.parameters["credential"],
			})
		}
	}
	return all
}

func isICE(target string) bool {
	scheme, rest, _ := strings.Cut(target, ":")
	return rest != "" && slices.Contains([]string{"stun", "stuns", "turn", "turns"}, strings.ToLower(scheme))
}

func extensions(links []link, from target) []Extension {
	var all []Extension
	for _, l := range links {
		for _, relation := range l.relations {
			if !strings.HasPrefix(relation, extensionPrefix) {
				continue
			}
			if at, fault := from.resolve(l.target); fault == "" {
				all = append(all, Extension{Relation: relation, URL: at.url.String(), Parameters: l.parameters})
			}
		}
	}
	return all
}
