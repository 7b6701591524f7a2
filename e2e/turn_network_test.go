package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"
)

// relayHere has the gateway be a TURN server on the ports that are usual.
var relayHere = fmt.Sprintf("turn.mode = \"embedded\"\nturn.secret = %q\nturn.relay_ports = \"%d-%d\"\n", turnSecret, firstRelay, lastRelay)

// behindNAT has the gateway announce its public address.
const behindNAT = "webrtc.additional_hosts = [\"" + gatewayOutside + "\"]\n"

// relayReaches are networks between a gateway and a viewer that take a relay, or a viewer that wants one.
var relayReaches = map[string]struct {
	gateway, viewer nat
	blocked         func(*host) // by the viewer's router
	config          string
	at              string // the gateway's host
	relayOnly       bool   // the viewer uses nothing else
	scheme          string // of the only server that the viewer knows; "": it knows all
	transport       string // likewise
}{
	"UDP blocked":           {viewer: masquerade, blocked: (*host).blockUDP, at: gatewayInside}, // D35
	"UDP blocked, TURN/TCP": {viewer: masquerade, blocked: (*host).blockUDP, at: gatewayInside, scheme: "turn", transport: "tcp"},
	"UDP blocked, TURN/TLS": {viewer: masquerade, blocked: (*host).blockUDP, at: gatewayInside, scheme: "turns", transport: "tcp"},
	"gateway behind NAT 1 to 1, viewer behind symmetric NAT": {
		gateway: oneToOne, viewer: symmetric, at: gatewayOutside, relayOnly: true, scheme: "turn", transport: "udp",
		config: behindNAT + "turn.relay_address = \"" + gatewayOutside + "\"\n",
	},
	"the same without relay_address": { // media never leave the gateway's host between relay and port
		gateway: oneToOne, viewer: symmetric, at: gatewayOutside, relayOnly: true, scheme: "turn", transport: "udp", config: behindNAT,
	},
	"gateway behind NAT 1 to 1, slow way": {
		gateway: oneToOne, viewer: symmetric, at: gatewayOutside, relayOnly: true, scheme: "turn", transport: "tcp",
		config: behindNAT + "webrtc.fast_path = false\n",
	},
}

// TestReachByRelay plays through networks that let a viewer reach nothing but the gateway's TURN server.
//
// Proves D35, G7, G10 and G16 in real networks.
func TestReachByRelay(t *testing.T) {
	t.Parallel()
	for name, c := range relayReaches {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !inNamespaceWith(t, alone) {
				return
			}
			w := newWorld(t, c.gateway, c.viewer, false)
			if c.blocked != nil {
				c.blocked(w.viewerRouter)
			}
			secure, _ := overTLS(t)
			g := w.startGatewayAs("https://"+c.at+":"+gatewayPort+"/", anybody+secure+relayHere+c.config)
			servers := g.relaysOf(t, "door")
			if c.scheme != "" {
				servers = []iceServer{relayOf(t, servers, c.scheme, c.transport)}
			}
			configuration := relayOnly(servers...)
			if !c.relayOnly {
				configuration.ICETransportPolicy = webrtc.ICETransportPolicyAll
			}
			playOver(t, func() *viewer { return g.watchBy(t, "door", configuration) }, func(v *viewer) {
				checkRelayed(t, v.connection)
				g.checkFromRelay(t, "door", 1)
			})
		})
	}
}

// blockAllButHTTPS has a router pass nothing but what goes to port 443, over TCP, and its answers.
func (h *host) blockAllButHTTPS() {
	h.t.Helper()
	h.filter(`table inet block {
	chain through { type filter hook forward priority filter; iifname lan meta l4proto != tcp drop; iifname lan tcp dport != 443 drop; }
}`)
}

// TestReachByHTTPSAlone plays on the player page where nothing but one port is open, as in a hotel: page, signalling and
// media all come by it.
//
// Proves D35, G7 and G10 as seen by a browser.
func TestReachByHTTPSAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		gateway, viewer nat
		ipv6            bool
		config, at      string
	}{
		"NATs":      {gateway: oneToOne, viewer: masquerade, config: behindNAT, at: gatewayOutside},
		"IPv6 only": {ipv6: true, at: "[" + gatewayIPv6 + "]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !inNamespaceWith(t, alone) {
				return
			}
			w := newWorld(t, c.gateway, c.viewer, c.ipv6)
			w.viewerRouter.blockAllButHTTPS()
			secure, keyHash := overTLS(t)
			config := strings.Replace(anybody, ":"+gatewayPort, ":443", 1) + secure + relayHere + c.config
			g := w.startGatewayAs("https://"+c.at+"/", config)
			p := openBrowser(t, trusting(keyHash)).open(t, g.page("door"))
			p.awaitPicture(25)
			g.checkFromRelay(t, "door", 1)
		})
	}
}
