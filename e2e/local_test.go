package e2e

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestOnlyThisMachine asks a gateway without users in ways that another machine, a page of another site or a proxy
// would: all are refused with a sentence.
//
// Proves J160.
func TestOnlyThisMachine(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	g := startGateway(t, `streams.demo.source = "demo:"`)
	for name, c := range map[string]struct {
		from, host, header string
		says               string // "": it is let in
	}{
		"this machine":        {},
		"localhost by name":   {host: "localhost:1"},
		"another address":     {from: foreign, says: "from another machine"},
		"another host name":   {host: "camera.example", says: "not addressed to localhost"},
		"looks like loopback": {host: "127.0.0.1.example", says: "not addressed to localhost"},
		"X-Forwarded-For":     {header: "X-Forwarded-For", says: "forwarded by a proxy"},
		"Forwarded":           {header: "Forwarded", says: "forwarded by a proxy"},
		"X-Real-IP":           {header: "X-Real-IP", says: "forwarded by a proxy"},
	} {
		for _, path := range []string{"", "demo/", "demo/whep", "api/v1/streams", "metrics", "healthz"} {
			status, body := g.getFrom(t, path, c.from, c.host, c.header)
			refused := status == http.StatusForbidden && strings.Contains(body, c.says) && strings.Contains(body, "auth.mode")
			if c.says == "" && status >= 300 || c.says != "" && !refused {
				t.Errorf("%s: GET /%s: %d %s", name, path, status, body)
			}
		}
	}
}

// getFrom fetches a path from an address of this machine, with another Host and one more header.
func (g *gatewayProcess) getFrom(t *testing.T, path, from, host, header string) (int, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(g.URL, "localhost", "127.0.0.1", 1)+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Host = host
	if header != "" {
		q.Header.Set(header, "192.0.2.7")
	}
	dialer := net.Dialer{}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialer.DialContext}}
	r, err := c.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(body)
}
