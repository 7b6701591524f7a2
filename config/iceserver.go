package config

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ICEServer is one STUN or TURN server that peers are told of, in a Link header for each of its URLs.
type ICEServer struct {
	// URLs are stun, stuns (RFC 7064), turn or turns URLs (RFC 7065).
	URLs []string `toml:"urls"`
	// Username and Credential are those of a TURN server.
	Username   string `toml:"username"`
	Credential Secret `toml:"credential"`
}

// maxCredential bounds user name and credential: STUN has room for 513 bytes (RFC 8489 14.3).
const maxCredential = 512

// linkBreakers split a Link header in OBS, which knows no quoting.
const linkBreakers = `,;"\`

func (s ICEServer) check(key string) Faults {
	var faults Faults
	if len(s.URLs) == 0 {
		faults.add(key+".urls", `is missing: add urls = ["stun:HOST:3478"] or ["turn:HOST:3478?transport=udp"]`)
	}
	for i, u := range s.URLs {
		faults.add(fmt.Sprintf("%s.urls[%d]", key, i), checkICEURL(u))
	}
	faults.add(key+".username", checkCredential(s.Username))
	faults.add(key+".credential", checkCredential(string(s.Credential)))
	if s.turn() && s.Username == "" {
		faults.add(key+".username", "is missing: no browser takes a turn: server without username and credential")
	}
	if s.turn() && s.Credential == "" {
		faults.add(key+".credential", "is missing: no browser takes a turn: server without username and credential")
	}
	return faults
}

func (s ICEServer) turn() bool {
	for _, u := range s.URLs {
		if strings.HasPrefix(u, "turn") {
			return true
		}
	}
	return false
}

func (w WebRTC) checkPublicAddress() string {
	stun := func(s ICEServer) bool {
		return slices.ContainsFunc(s.URLs, func(u string) bool { return strings.HasPrefix(u, "stun:") })
	}
	switch {
	case w.PublicAddress == "":
		return ""
	case w.PublicAddress != PublicBySTUN:
		return quote(mask(w.PublicAddress)) + ` is not "stun": an address or a DNS name goes into additional_hosts`
	case !slices.ContainsFunc(w.ICEServers, stun):
		return `needs a STUN server to ask: add ice_servers = [{ urls = ["stun:HOST:3478"] }]`
	}
	return ""
}

// checkCredential never shows what it checks.
func checkCredential(s string) string {
	if len(s) > maxCredential {
		return fmt.Sprintf("is longer than %d bytes", maxCredential)
	}
	return checkLinkValue(s)
}

// checkLinkValue holds a value to what every client can read in a Link header.
func checkLinkValue(s string) string {
	if i := strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }); i >= 0 {
		return "has a space, a control character or a letter outside ASCII, which no Link header can hold"
	}
	if strings.ContainsAny(s, linkBreakers) {
		return `has one of , ; " \ and OBS would split the Link header there: choose a value without`
	}
	return ""
}

func checkICEURL(s string) string {
	if len(s) > maxItemLength {
		return fmt.Sprintf("is longer than %d characters", maxItemLength)
	}
	if message := checkLinkValue(s); message != "" {
		return quote(mask(s)) + " " + message
	}
	if !isICEURL(s) {
		return quote(mask(s)) + ` is not the URL of an ICE server: write "stun:HOST:PORT", "stuns:HOST:PORT", ` +
			`"turn:HOST:PORT?transport=udp" (or tcp), or "turns:HOST:PORT?transport=tcp"`
	}
	return ""
}

// isICEURL holds s to the grammar of RFC 7064 3.1 and RFC 7065 3.1.
func isICEURL(s string) bool {
	scheme, rest, _ := strings.Cut(s, ":")
	if !oneOf(scheme, "stun stuns turn turns") {
		return false
	}
	address, query, hasQuery := strings.Cut(rest, "?")
	relay := strings.HasPrefix(scheme, "turn")
	if hasQuery && (!relay || query != "transport=udp" && query != "transport=tcp") {
		return false
	}
	u, err := url.Parse("//" + address)
	if err != nil || u.Host != address || u.Hostname() == "" || strings.HasSuffix(address, ":") {
		return false
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return checkHost(u.Hostname()) == "" && (u.Port() == "" || err == nil && port > 0)
}
