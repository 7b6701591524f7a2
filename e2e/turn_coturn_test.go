package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/internal/testworker"
)

// turnPage is the page whose turnserver.conf and configuration are run.
const turnPage = "../docs/turn.md"

// blockOf is the first block of a language on a page of docs/ that has some text in it.
func blockOf(t *testing.T, page, language, part string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllStringSubmatch(string(text), -1)
	for _, b := range blocks {
		if strings.Contains(b[1], part) {
			return b[1]
		}
	}
	t.Fatalf("%s has no block of %s with %q", page, language, part)
	return ""
}

// replaced is a text with other words in the places of some that have to stand there.
func replaced(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("there is no %q in\n%s", pairs[i], text)
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// startCoturn runs coturn on the internet with the configuration of the page.
func (w *world) startCoturn(certificate string) {
	w.t.Helper()
	dir := w.t.TempDir()
	conf := filepath.Join(dir, "turnserver.conf")
	text := replaced(w.t, blockOf(w.t, turnPage, "ini", "use-auth-secret"), "REPLACE-BY-THE-SECRET-OF-THE-GATEWAY", turnSecret,
		"/etc/coturn/fullchain.pem", certificate, "/etc/coturn/privkey.pem", certificate)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	p := start(w.t, "coturn", w.internet.command(testworker.Tool(w.t, "turnserver"), "-c", conf, "--verbose",
		"--pidfile", filepath.Join(dir, "pid"), "--userdb", filepath.Join(dir, "users")))
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("coturn says:\n%s", p.output)
		}
	})
	p.await(w.t, `UDP listener opened on.*`+stunHost, listenLimit)
	p.await(w.t, `TLS/TCP listener opened on.*`+stunHost+`:5349`, listenLimit)
	if regexp.MustCompile(`(?i)bad|unknown argument|unrecognized|ERROR`).MatchString(p.output.String()) {
		w.t.Errorf("coturn complains of its configuration:\n%s", p.output)
	}
}

// TestCoturn plays in Chromium and with pion by a coturn on the internet; it and the gateway are configured as the page
// says. A relay does not reach the gateway's own network.
//
// Proves G12, G13 and G16 as seen by a peer.
func TestCoturn(t *testing.T) {
	t.Parallel()
	testworker.Tool(t, "turnserver")
	if !inNamespaceWith(t, alone) {
		return
	}
	w := newWorld(t, oneToOne, symmetric, false)
	secure, keyHash := overTLS(t)
	w.startCoturn(regexp.MustCompile(`"(.*?)"`).FindStringSubmatch(secure)[1])
	config := replaced(t, blockOf(t, turnPage, "toml", `"external"`), "${TURN_SECRET}", turnSecret, "turn.example.org", stunHost)
	g := w.startGateway(gatewayOutside, behindNAT+config)
	b := openBrowser(t, trusting(keyHash))
	p := b.open(t, g.page("door")+"?relay=1")
	p.awaitPicture(25)
	for _, s := range g.sessions(t, "door") {
		if !strings.HasPrefix(s.RemoteAddress, "192.0.2.") && !strings.HasPrefix(s.RemoteAddress, "198.51.100.1:") {
			t.Errorf("a session comes from %s, want coturn", s.RemoteAddress)
		}
	}
	all := g.relaysOf(t, "door")
	for _, c := range []struct{ scheme, transport, relay string }{{"turn", "udp", "udp"}, {"turn", "tcp", "tcp"}, {"turns", "tcp", "tls"}} {
		b.checkRelayed(t, g, relayOf(t, all, c.scheme, c.transport), c.relay)
	}
	playOver(t, func() *viewer { return g.watchBy(t, "door", relayOnly(all...)) }, func(v *viewer) { checkRelayed(t, v.connection) })
	a := newAsker(t, relayOf(t, all, "turn", "udp"))
	for peer, want := range map[string]int{gatewayOutside + ":8189": 0, gatewayInside + ":8189": 403, "127.0.0.1:22": 403} {
		if allocated, permitted := a.allocate(), a.permit(peer); permitted != want {
			t.Errorf("a permission for %s: %d (allocation %d), want %d", peer, permitted, allocated, want)
		}
	}
}
