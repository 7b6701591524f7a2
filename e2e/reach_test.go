package e2e

import (
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"
)

// anybody lets everybody in, on all interfaces.
const anybody = `
http.listen = ":` + gatewayPort + `"
webrtc.listen_udp = "8189"
auth.mode = "internal"
auth.users = [{ name = "anonymous", allow = [{ actions = ["play", "admin", "metrics"], streams = ["*"] }] }]
`

// askSTUN has the gateway find its public address.
const askSTUN = "webrtc.public_address = \"stun\"\n" +
	"webrtc.ice_servers = [{ urls = [\"stun:" + stunHost + "\", \"stun:" + otherSTUNHost + ":3478\"] }]\n"

// reaches are networks between a gateway and a viewer.
var reaches = map[string]struct {
	gateway, viewer nat
	ipv6            bool
	udpBlocked      bool   // by the viewer's router
	config          string // of the gateway
	at              string // its host, as the viewer knows it
	stun            bool   // there are STUN servers, and the viewer asks one too
	announced       string // a candidate that must stand first; "": any
	unannounced     string // an address that must not be announced
	told            string // by the gateway, before the viewer comes
	reason          string // why the viewer goes the slow way; "": it goes the fast way
}{
	"no NAT": {at: gatewayInside},
	"gateway behind NAT 1 to 1": { // A55
		gateway: oneToOne, config: "webrtc.additional_hosts = [\"" + gatewayOutside + "\"]\n", at: gatewayOutside,
		announced: "udp 2130706431 " + gatewayOutside + " 8189 typ host",
	},
	"viewer behind masquerade":    {viewer: masquerade, at: gatewayInside},
	"viewer behind symmetric NAT": {viewer: symmetric, at: gatewayInside},
	"both behind masquerade": { // A59
		gateway: masquerade, viewer: masquerade, config: askSTUN, at: gatewayOutside, stun: true,
		announced: "udp 2130706431 " + gatewayOutside + " 8189 typ host",
		told:      "address=" + gatewayOutside + ":8189", reason: "public_address",
	},
	"gateway behind symmetric NAT": { // A59: our checks reach the viewer
		gateway: symmetric, config: askSTUN, at: gatewayOutside, stun: true,
		unannounced: gatewayOutside, told: "symmetric NAT", reason: "public_address",
	},
	"UDP blocked": { // D35
		viewer: masquerade, udpBlocked: true, config: "webrtc.listen_tcp = \"8189\"\n", at: gatewayInside,
	},
	"UDP blocked, slow way": {
		udpBlocked: true, config: "webrtc.listen_tcp = \"8189\"\nwebrtc.fast_path = false\n", at: gatewayInside, reason: "configured",
	},
	"gateway behind NAT 1 to 1, slow way": {
		gateway: oneToOne, viewer: masquerade, config: "webrtc.additional_hosts = [\"" + gatewayOutside + "\"]\nwebrtc.fast_path = false\n",
		at: gatewayOutside, announced: "udp 2130706431 " + gatewayOutside + " 8189 typ host", reason: "configured",
	},
	"IPv6 only, slow way":    {ipv6: true, config: "webrtc.fast_path = false\n", at: "[" + gatewayIPv6 + "]", reason: "configured"},
	"IPv6 only":              {ipv6: true, at: "[" + gatewayIPv6 + "]", announced: "udp 2130706431 " + gatewayIPv6 + " 8189 typ host"},
	"IPv6 only, UDP blocked": {ipv6: true, udpBlocked: true, config: "webrtc.listen_tcp = \"8189\"\n", at: "[" + gatewayIPv6 + "]"},
}

// TestReach plays through networks as they are between a gateway and a viewer.
//
// Proves A52, A53, A55, A59 and D35 in real networks.
func TestReach(t *testing.T) {
	t.Parallel()
	for name, c := range reaches {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !inNamespaceWith(t, alone) {
				return
			}
			w := newWorld(t, c.gateway, c.viewer, c.ipv6)
			if c.stun || c.viewer == symmetric {
				w.startSTUN()
			}
			if c.viewer == symmetric {
				w.checkSymmetric()
			}
			if c.udpBlocked {
				w.viewerRouter.blockUDP()
			}
			g := w.startGateway(c.at, c.config)
			if c.told != "" {
				g.await(t, c.told, listenLimit)
			}
			playOver(t, func() *viewer { return w.watch(g, c.stun) }, func(v *viewer) {
				v.checkAnnounced(t, c.announced, c.unannounced)
				v.checkProtocol(t, c.udpBlocked)
				g.checkWay(t, "door", c.reason)
			})
		})
	}
}

// startGateway runs a gateway that the viewer knows as a host.
func (w *world) startGateway(at, config string) *gatewayProcess {
	w.t.Helper()
	return w.startGatewayAs("http://"+at+":"+gatewayPort+"/", anybody+config)
}

// startGatewayAs runs a gateway with a whole configuration but for its stream, which the viewer knows by a URL.
func (w *world) startGatewayAs(url, config string) *gatewayProcess {
	w.t.Helper()
	path := writeConfig(w.t, "streams.door.source = \"demo:\"\n"+config)
	g := &gatewayProcess{process: start(w.t, "gateway", w.gateway.command(program, "--config", path)), URL: url}
	w.t.Cleanup(func() { g.stop(w.t) })
	g.await(w.t, `msg=listening`, listenLimit)
	eventually(w.t, cameraLimit, func() string { // a busy kernel may not know all ways yet
		r, err := client.Get(g.URL + "healthz")
		if err != nil {
			return err.Error()
		}
		_ = r.Body.Close()
		return ""
	})
	g.awaitState(w.t, "door", "ready", cameraLimit)
	return g
}

// watch plays the stream as a browser does that knows a STUN server, or none.
func (w *world) watch(g *gatewayProcess, stun bool) *viewer {
	w.t.Helper()
	c := webrtc.Configuration{}
	if stun {
		c.ICEServers = []webrtc.ICEServer{{URLs: []string{"stun:" + stunHost}}}
	}
	return g.watchBy(w.t, "door", c)
}

// checkProtocol looks at the pair over which media come: over TCP where nothing else gets through, else over UDP.
func (v *viewer) checkProtocol(t *testing.T, blocked bool) {
	t.Helper()
	want := webrtc.ICEProtocolUDP
	if blocked {
		want = webrtc.ICEProtocolTCP
	}
	pair, err := v.connection.GetReceivers()[0].Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil || pair.Remote.Protocol != want || pair.Local.Protocol != want {
		t.Errorf("media come over %v (%v), want %v", pair, err, want)
	}
}

// checkAnnounced looks at the gateway's candidates: the first, and an address that must not be among them.
func (v *viewer) checkAnnounced(t *testing.T, first, none string) {
	t.Helper()
	_, candidates, _ := strings.Cut(v.answer, "a=candidate:")
	line, _, _ := strings.Cut(candidates, "\r\n")
	if !strings.Contains(line, " udp ") || !strings.Contains(line, first) {
		t.Errorf("the first candidate is %q, want one of %q", line, first)
	}
	if none != "" && strings.Contains(candidates, " "+none+" ") {
		t.Errorf("%s is announced:\n%s", none, v.answer)
	}
	if !strings.Contains(v.answer, "a=end-of-candidates\r\n") { // A52
		t.Errorf("the answer has no end of candidates:\n%s", v.answer)
	}
}
