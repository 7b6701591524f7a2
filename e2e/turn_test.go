package e2e

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pion/transport/v4/stdnet"
	"github.com/pion/webrtc/v4"
	"golang.org/x/net/proxy"

	"sluice/media"
)

// turnSecret makes the credentials of the tests' own TURN servers.
const turnSecret = "canary-secret-of-TURN-servers"

// firstRelay and lastRelay are the ports of relays, where the kernel takes none unasked.
const firstRelay, lastRelay = 20000, 29999

// embedded has the gateway be a TURN server on loopback, over UDP and TCP.
var embedded = fmt.Sprintf(`
turn.mode = "embedded"
turn.secret = %q
turn.listen_udp = "0"
turn.listen_tcp = "0"
turn.listen_tls = "0"
turn.relay_ports = "%d-%d"
`, turnSecret, firstRelay, lastRelay)

// overTLS has the gateway speak HTTPS, and TURN over TLS, also on the port of HTTPS. The key's hash is for trusting.
func overTLS(t *testing.T) (config, keyHash string) {
	t.Helper()
	file, _ := certificate(t)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	config = fmt.Sprintf("http.tls_cert = %[1]q\nhttp.tls_key = %[1]q\nturn.share_https = true\n", file)
	return config, base64.StdEncoding.EncodeToString(sum[:])
}

// trusting is Chromium that trusts one key, whoever it is said to belong to.
func trusting(keyHash string) kind {
	k := chromium
	k.name = "chromium that trusts " + strings.ReplaceAll(keyHash[:8], "/", "-")
	k.args = func(profile string) []string {
		return append([]string{"--ignore-certificate-errors-spki-list=" + keyHash}, chromium.args(profile)...)
	}
	return k
}

// iceServer is a STUN or TURN server as the API and Link headers tell of it.
type iceServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// relays asks the API for the ways to TURN, each a server of one URL.
func (g *gatewayProcess) relays(t *testing.T) []iceServer {
	t.Helper()
	var answer struct {
		Servers []iceServer `json:"ice_servers"`
	}
	g.fetch(t, "api/v1/ice", &answer)
	var all []iceServer
	for _, s := range answer.Servers {
		for _, u := range s.URLs {
			if strings.HasPrefix(u, "turn") {
				all = append(all, iceServer{[]string{u}, s.Username, s.Credential})
			}
		}
	}
	return all
}

// relaysOf asks a stream's endpoint for the same, as one may who may play it.
func (g *gatewayProcess) relaysOf(t *testing.T, stream string) []iceServer {
	t.Helper()
	all := slices.DeleteFunc(g.linked(t, stream), func(s iceServer) bool { return !strings.HasPrefix(s.URLs[0], "turn") })
	if len(all) == 0 {
		t.Fatal("the endpoint names no relays")
	}
	return all
}

// linked are the servers that a stream's endpoint names, in its order.
func (g *gatewayProcess) linked(t *testing.T, stream string) []iceServer {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, g.whep(stream), nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	return linkedServers(r.Header)
}

// linkedServers reads Link headers as OBS does: it joins them and splits at each comma and semicolon, quoted or not.
func linkedServers(h http.Header) []iceServer {
	var all []iceServer
	for link := range strings.SplitSeq(strings.Join(h.Values("Link"), ", "), ",") {
		words := strings.Split(link, ";")
		if !strings.Contains(link, `rel="ice-server"`) {
			continue
		}
		s := iceServer{URLs: []string{strings.Trim(strings.TrimSpace(words[0]), "<>")}}
		for _, word := range words[1:] {
			name, value, _ := strings.Cut(strings.TrimSpace(word), "=")
			switch value = strings.Trim(value, `"`); name {
			case "username":
				s.Username = value
			case "credential":
				s.Credential = value
			}
		}
		all = append(all, s)
	}
	return all
}

// relayOf is the first way to TURN of a scheme and transport.
func relayOf(t *testing.T, all []iceServer, scheme, transport string) iceServer {
	t.Helper()
	for _, s := range all {
		if strings.HasPrefix(s.URLs[0], scheme+":") && strings.HasSuffix(s.URLs[0], "?transport="+transport) {
			return s
		}
	}
	t.Fatalf("there is no %s over %s among %+v", scheme, transport, all)
	return iceServer{}
}

// relayOnly is a browser that uses nothing but TURN.
func relayOnly(servers ...iceServer) webrtc.Configuration {
	c := webrtc.Configuration{ICETransportPolicy: webrtc.ICETransportPolicyRelay}
	for _, s := range servers {
		c.ICEServers = append(c.ICEServers, webrtc.ICEServer{URLs: s.URLs, Username: s.Username, Credential: s.Credential})
	}
	return c
}

// viaTLS dials turns: servers with whatever certificate they have, and all others without TLS.
type viaTLS struct{ secure []string }

// tlsDialer is viaTLS for the servers of a configuration.
func tlsDialer(c webrtc.Configuration) proxy.Dialer {
	var d viaTLS
	for _, s := range c.ICEServers {
		for _, u := range s.URLs {
			if address, ok := strings.CutPrefix(u, "turns:"); ok {
				address, _, _ = strings.Cut(address, "?")
				d.secure = append(d.secure, address)
			}
		}
	}
	return d
}

func (d viaTLS) Dial(network, address string) (net.Conn, error) {
	if slices.Contains(d.secure, address) {
		return tls.Dial(network, address, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the tests' own certificate
	}
	return net.Dial(network, address)
}

// watchBy plays a stream with pion, which finds its way as c says.
func (g *gatewayProcess) watchBy(t *testing.T, stream string, c webrtc.Configuration) *viewer {
	t.Helper()
	machine, err := stdnet.NewNet()
	if err != nil {
		t.Fatal(err)
	}
	v := &viewer{closed: make(chan struct{}), received: make(map[media.Kind]*reception)}
	settings, codecs := webrtc.SettingEngine{}, &webrtc.MediaEngine{}
	settings.SetNet(roomyNet{machine})
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetICEProxyDialer(tlsDialer(c))
	settings.SetNetworkTypes([]webrtc.NetworkType{
		webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6,
	})
	if err = codecs.RegisterDefaultCodecs(); err == nil {
		v.connection, err = webrtc.NewAPI(webrtc.WithMediaEngine(codecs), webrtc.WithSettingEngine(settings)).NewPeerConnection(c)
	}
	if err != nil {
		t.Fatal(err)
	}
	v.follow(t)
	offer := v.offer(t)
	eventually(t, packetLimit, func() string { // for a keyframe too, which comes after the stream is ready
		var refused *problem
		if v.answer, refused = v.post(t, g.whep(stream), offer); refused == nil {
			return ""
		}
		if refused.Status != http.StatusConflict {
			t.Fatalf("%+v", *refused)
		}
		return refused.Detail
	})
	answer := v.answer
	if err := v.connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatalf("the answer is not understood: %v:\n%s", err, answer)
	}
	return v
}

// checkRelayed wants a viewer, or publisher, that goes through a relay as it sees it.
func checkRelayed(t *testing.T, c *webrtc.PeerConnection) {
	t.Helper()
	reports := c.GetStats()
	for _, r := range reports {
		if pair, ok := r.(webrtc.ICECandidatePairStats); ok && pair.Nominated {
			local, _ := reports[pair.LocalCandidateID].(webrtc.ICECandidateStats)
			if local.CandidateType != webrtc.ICECandidateTypeRelay {
				t.Errorf("the way begins at a candidate of type %s, want relay", local.CandidateType)
			}
			return
		}
	}
	t.Error("no way is chosen")
}

// checkFromRelay wants sessions of a stream that all come from a relay of ours, and n of them at least.
func (g *gatewayProcess) checkFromRelay(t *testing.T, stream string, n int) {
	t.Helper()
	all := g.sessions(t, stream)
	if len(all) < n {
		t.Errorf("there are %d sessions, want %d", len(all), n)
	}
	for _, s := range all {
		from, err := netip.ParseAddrPort(s.RemoteAddress)
		if err != nil || from.Port() < firstRelay || from.Port() > lastRelay {
			t.Errorf("a session comes from %s, want a port from %d to %d", s.RemoteAddress, firstRelay, lastRelay)
		}
	}
}

// checkNoTURNSecret wants the secret, and the credentials that are made of it, nowhere in the log.
func (g *gatewayProcess) checkNoTURNSecret(t *testing.T, servers []iceServer) {
	t.Helper()
	log := g.output.String()
	if strings.Contains(log, turnSecret) {
		t.Error("the log tells the secret")
	}
	for _, s := range servers {
		if strings.Contains(log, s.Credential) {
			t.Errorf("the log tells the credential of %s", s.URLs[0])
		}
	}
}
