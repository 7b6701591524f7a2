package resource

import (
	"cmp"
	"slices"
	"strings"
)

// ICEServer is a STUN or TURN server that peers are told of. Its values hold none of , ; " and \ since some clients
// split there, quoted or not (A23); the configuration sees to that.
type ICEServer struct {
	URLs                 []string // "stun:host:3478", "turn:host:3478?transport=udp", "turns:…"
	Username, Credential string   // "" for stun
	Expires              bool     // the credential is made for one session
}

// iceLinks are the values of Link for ICE servers, one for each URL, the cheapest way first (RFC 9725 4.6, A23).
func iceLinks(servers []ICEServer) []string {
	type line struct {
		rank int
		text string
	}
	var lines []line
	for _, s := range servers {
		for _, u := range s.URLs {
			lines = append(lines, line{rank(u), s.link(u)})
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.rank, b.rank) })
	links := make([]string, 0, len(lines))
	for _, l := range lines {
		links = append(links, l.text)
	}
	return links
}

func rank(url string) int {
	switch {
	case strings.HasPrefix(url, "stun"):
		return 0
	case strings.HasPrefix(url, "turns:"):
		return 3
	case strings.HasSuffix(url, "transport=tcp"):
		return 2
	default:
		return 1
	}
}

func (s ICEServer) link(url string) string {
	link := "<" + url + `>; rel="ice-server"`
	if s.Username == "" {
		return link
	}
	return link + `; username="` + s.Username + `"; credential="` + s.Credential + `"; credential-type="password"`
}
