package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/media"
)

// TestRelayInBrowsers plays in browsers that use nothing but the gateway's own TURN server: on the player page, which
// chooses among all ways to it, and over each way alone.
//
// Proves A23, G7, G13 and G16 as seen by a browser.
func TestRelayInBrowsers(t *testing.T) {
	t.Parallel()
	camera := fmt.Sprintf("streams.door.source = %q\n", startCameraOf(t, media.VP8, media.Opus))
	secure, keyHash := overTLS(t)
	g := startGateway(t, secure+embedded+camera)
	g.awaitState(t, "door", "ready", cameraLimit)
	b := openBrowser(t, trusting(keyHash))
	p := b.open(t, g.page("door")+"?relay=1")
	p.awaitPicture(25)
	p.awaitSound()
	g.checkFromRelay(t, "door", 1)
	g.checkWay(t, "door", "")

	all := g.relays(t)
	for name, c := range map[string]struct {
		server iceServer
		relay  string // in the browser's words
	}{
		"UDP":   {relayOf(t, all, "turn", "udp"), "udp"},
		"TCP":   {relayOf(t, all, "turn", "tcp"), "tcp"},
		"TLS":   {relayOf(t, all, "turns", "tcp"), "tls"},
		"HTTPS": {all[len(all)-1], "tls"},
	} {
		t.Run(name, func(t *testing.T) {
			up, down := g.relayedBytes(t, "up"), g.relayedBytes(t, "down")
			b.checkRelayed(t, g, c.server, c.relay)
			if up, down := g.relayedBytes(t, "up")-up, g.relayedBytes(t, "down")-down; up < 1_000 || down < 20_000 {
				t.Errorf("%d bytes are relayed to the gateway and %d from it, want what the media take", up, down)
			}
		})
	}
	g.checkOrder(t, "stun: turn:udp turn:tcp turns:tcp turns:tcp")
	g.checkFromRelay(t, "door", 1)
	g.checkNoTURNSecret(t, all)
}

// checkRelayed plays through one way to a relay.
func (b *browser) checkRelayed(t *testing.T, g *gatewayProcess, server iceServer, relay string) {
	t.Helper()
	p := &pagePeer{b.open(t, g.URL)}
	p.start(map[string]any{"url": g.whep("door"), "role": "play", "configuration": map[string]any{
		"iceTransportPolicy": "relay", "iceServers": []iceServer{server},
	}})
	p.awaitDecoded(50)
	if s := p.stats(); s.Route != "relay udp" || s.Relay != relay {
		t.Errorf("by %s the media come by %q and to it over %q, want a relay over %q", server.URLs[0], s.Route, s.Relay, relay)
	}
	p.stop(t)
}

// relayedBytes is what the metrics count of one direction.
func (g *gatewayProcess) relayedBytes(t *testing.T, direction string) int {
	t.Helper()
	_, text := g.get(t, "metrics")
	_, rest, _ := strings.Cut(text, `sluice_turn_relayed_bytes_total{direction="`+direction+`"} `)
	value, _, found := strings.Cut(rest, "\n")
	n, err := strconv.ParseFloat(value, 64)
	if !found || err != nil {
		t.Fatalf("the metrics do not tell of bytes %s: %s", direction, text)
	}
	return int(n)
}

// checkOrder wants the ways to STUN and TURN in the order in which a viewer should try them.
func (g *gatewayProcess) checkOrder(t *testing.T, want string) {
	t.Helper()
	var got []string
	for _, s := range g.linked(t, "door") {
		scheme, rest, _ := strings.Cut(s.URLs[0], ":")
		_, transport, _ := strings.Cut(rest, "?transport=")
		got = append(got, scheme+":"+transport)
	}
	if order := strings.Join(got, " "); order != want {
		t.Errorf("the headers name %s, want %s", order, want)
	}
}

// TestRelayInFirefox does the same in Firefox, over UDP and TCP.
//
// Proves G16 as seen by another browser.
func TestRelayInFirefox(t *testing.T) {
	t.Parallel()
	g := startGateway(t, embedded+fmt.Sprintf("streams.door.source = %q\n", startCameraOf(t, media.VP8, media.Opus)))
	g.awaitState(t, "door", "ready", cameraLimit)
	p := openBrowser(t, firefox).open(t, g.page("door")+"?relay=1")
	p.awaitPicture(25)
	g.checkFromRelay(t, "door", 1)
}

// TestUntrustedTURN asks for relays over TLS in a browser that does not trust the certificate: it takes none, and says
// no more than that it did not get through. Over TCP it gets one.
func TestUntrustedTURN(t *testing.T) {
	t.Parallel()
	secure, _ := overTLS(t)
	g := startGateway(t, secure+embedded+"streams.door.source = \"demo:\"\n")
	p := openBrowser(t, chromium).open(t, "about:blank")
	for scheme, want := range map[string]string{"turn": "relay", "turns": "701"} {
		server := relayOf(t, g.relaysOf(t, "door"), scheme, "tcp")
		var got []string
		p.evaluate("("+gathering+")("+jsonOf(t, server)+")", &got)
		// There is one for each network of the browser, which may not reach the gateway from all of them.
		if !slices.Contains(got, want) || want != "relay" && slices.Contains(got, "relay") {
			t.Errorf("%s: the browser tells of %q, want %q", scheme, got, want)
		}
	}
}

// gathering is a function that tells which candidates, and which errors, come of one server.
const gathering = `async (server) => {
	const connection = new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: 'relay' });
	const found = [];
	const complete = new Promise((resolve) => {
		connection.onicegatheringstatechange = () => connection.iceGatheringState === 'complete' && resolve();
	});
	connection.onicecandidate = ({ candidate }) => candidate?.candidate && found.push(candidate.type);
	connection.onicecandidateerror = ({ errorCode }) => found.push(String(errorCode));
	connection.createDataChannel('any');
	await connection.setLocalDescription();
	await complete;
	connection.close();
	return found;
}`
