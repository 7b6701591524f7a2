package resource

import (
	"net/http"
	"slices"
	"testing"
)

var servers = []ICEServer{
	{URLs: []string{"turns:t.example:443?transport=tcp", "turn:t.example:3478?transport=tcp", "turn:t.example:3478?transport=udp"}, Username: "u", Credential: "c=="},
	{URLs: []string{"stun:s.example:3478"}},
}

var serverLinks = []string{
	`<stun:s.example:3478>; rel="ice-server"`,
	`<turn:t.example:3478?transport=udp>; rel="ice-server"; username="u"; credential="c=="; credential-type="password"`,
	`<turn:t.example:3478?transport=tcp>; rel="ice-server"; username="u"; credential="c=="; credential-type="password"`,
	`<turns:t.example:443?transport=tcp>; rel="ice-server"; username="u"; credential="c=="; credential-type="password"`,
}

const extensionLink = `</cam/whip/0/x>; rel="urn:ietf:params:whip:ext:example:x"`

// A23, A24, A93, A94: ICE servers in order, one field line each, before extensions; to everybody who asks by OPTIONS,
// but to no browser's preflight.
func TestLinks(t *testing.T) {
	f := newFixture(t, Options{ICEServers: func(*http.Request, string) []ICEServer { return servers }}, func(m *Made) { m.Links = []string{extensionLink} })
	for _, c := range []struct {
		name, method, path string
		headers            []string
		want               []string
	}{
		{"A23, A24", "POST", "/cam/whip", []string{"Content-Type", sdpType}, append(slices.Clone(serverLinks), extensionLink)},
		{"A24: the same again", "POST", "/cam/whip", []string{"Content-Type", sdpType}, append(slices.Clone(serverLinks), extensionLink)},
		{"A94", "OPTIONS", "/cam/whip", nil, serverLinks},
		{"A93", "OPTIONS", "/cam/whip", []string{"Origin", origin, "Access-Control-Request-Method", "POST"}, nil},
		{"refused", "POST", "/cam/whip", nil, nil},
		{"session", "OPTIONS", "/cam/whip/0", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if w, _ := do(t, c.method, f.URL+c.path, "v=0", c.headers...); !slices.Equal(w.Header.Values("Link"), c.want) {
				t.Errorf("%d %q", w.StatusCode, w.Header.Values("Link"))
			}
		})
	}
}
