package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/stun/v4"

	"sluice/internal/testworker"
	"sluice/media"
	"sluice/turn"
)

// relayUDP is the way to TURN over UDP, for who reaches it at 127.0.0.1.
func (g *gatewayProcess) relayUDP(t *testing.T) iceServer {
	t.Helper()
	return atLoopback(relayOf(t, g.relays(t), "turn", "udp"))
}

func atLoopback(s iceServer) iceServer {
	s.URLs = []string{strings.Replace(s.URLs[0], "localhost", "127.0.0.1", 1)}
	return s
}

// mediaPort is where the gateway takes media, HOST:PORT.
func (g *gatewayProcess) mediaPort(t *testing.T) string {
	t.Helper()
	return g.await(t, `msg=listening .* udp=(127\.0\.0\.1:\d+)`, listenLimit)
}

// as is s with credentials of other making.
func (s iceServer) as(secret, id string, ttl time.Duration) iceServer {
	s.Username, s.Credential = turn.Mint(secret, id, ttl, time.Now())
	return s
}

// TestRelayRefuses asks the TURN server of a running gateway for what it must not give.
//
// Proves J96, J97, J98 and J99 from the outside.
func TestRelayRefuses(t *testing.T) {
	t.Parallel()
	g := startGateway(t, embedded+publishConfig("studio"))
	good := g.relayUDP(t)
	named := func(username string) iceServer { return iceServer{good.URLs, username, good.Credential} }
	for name, s := range map[string]iceServer{
		"expired":          good.as(turnSecret, "somebody", -time.Minute),
		"forged":           good.as("another secret of the like", "somebody", time.Hour),
		"ten years ahead":  good.as(turnSecret, "somebody", 10*365*24*time.Hour),
		"of another":       named(good.as(turnSecret, "somebody", time.Hour).Username),
		"no expiry":        named("abc"),
		"not a number":     named("1e9:x"),
		"a negative time":  named("-1:x"),
		"a time too large": named("99999999999999999999:x"),
		"NUL":              named(good.Username + "\x00"),
	} {
		if code := newAsker(t, s).allocate(); code != http.StatusUnauthorized {
			t.Errorf("credentials that are %s: %d, want 401", name, code)
		}
	}
	elsewhere := newAsker(t, good)
	elsewhere.realm = "elsewhere"
	if code := elsewhere.allocate(); code != http.StatusUnauthorized {
		t.Errorf("another realm: %d, want 401", code)
	}
	if code := newAsker(t, good).ask(stun.MethodAllocate, overTCP); code != 442 {
		t.Errorf("a relay over TCP: %d, want 442", code)
	}
	g.checkPeers(t, good)
	g.checkQuota(t, good)
	_, text := g.get(t, "metrics")
	for _, reason := range []string{"unauthorized", "tcp_relay", "peer", "user_quota"} {
		if !regexp.MustCompile(`sluice_turn_refused_total\{reason="` + reason + `"\} [1-9]`).MatchString(text) {
			t.Errorf("the metrics count nothing of %s:\n%s", reason, text)
		}
	}
}

// checkPeers wants relays to reach the media port alone.
func (g *gatewayProcess) checkPeers(t *testing.T, s iceServer) {
	t.Helper()
	own, err := url.Parse(g.URL)
	if err != nil {
		t.Fatal(err)
	}
	a := newAsker(t, s)
	defer a.ask(stun.MethodRefresh, stun.RawAttribute{Type: stun.AttrLifetime, Value: make([]byte, 4)})
	if code := a.allocate(); code != 0 {
		t.Fatalf("an allocation: %d", code)
	}
	for _, peer := range []string{
		"127.0.0.1:" + own.Port(), "127.0.0.1:22", "0.0.0.0:" + own.Port(), "169.254.169.254:80", "10.0.0.1:80",
		foreign + ":8189", "192.0.2.1:9", "224.0.0.1:5000", "8.8.8.8:53",
	} {
		if permitted, bound := a.permit(peer), a.bind(peer); permitted != http.StatusForbidden || bound != http.StatusForbidden {
			t.Errorf("a permission for %s: %d, a channel: %d, want 403", peer, permitted, bound)
		}
	}
	if permitted, bound := a.permit(g.mediaPort(t)), a.bind(g.mediaPort(t)); permitted != 0 || bound != 0 {
		t.Errorf("the media port: %d and %d", permitted, bound)
	}
}

// checkQuota wants four relays for one holder of credentials, and no fewer for the next.
func (g *gatewayProcess) checkQuota(t *testing.T, s iceServer) {
	t.Helper()
	for n, want := range []int{0, 0, 0, 0, 486} {
		if code := newAsker(t, s).allocate(); code != want {
			t.Errorf("allocation %d: %d, want %d", n+1, code, want)
		}
	}
	if code := newAsker(t, g.relayUDP(t)).allocate(); code != 0 {
		t.Errorf("the first allocation of another: %d", code)
	}
}

// TestUnpermittedData sends to somebody who may be reached, first without the permission that takes.
//
// Proves J100 from the outside.
func TestUnpermittedData(t *testing.T) {
	t.Parallel()
	g := startGateway(t, embedded+"turn.allow_peers = [\"127.0.0.1\"]\n"+publishConfig("studio"))
	peer, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	a, at := newAsker(t, g.relayUDP(t)), peer.LocalAddr().String()
	if code := a.allocate(); code != 0 {
		t.Fatalf("an allocation: %d", code)
	}
	a.sendTo(at, []byte("too soon"))
	if code := a.permit(at); code != 0 {
		t.Fatalf("a permission: %d", code)
	}
	a.sendTo(at, []byte("in time"))
	buf := make([]byte, 100)
	_ = peer.SetReadDeadline(time.Now().Add(answerLimit))
	if n, _, err := peer.ReadFrom(buf); err != nil || string(buf[:n]) != "in time" {
		t.Errorf("the first that comes is %q, %v", buf[:n], err)
	}
}

// TestRelayEndsWithItsSession uses credentials out of the answer to a viewer, until the viewer has gone.
func TestRelayEndsWithItsSession(t *testing.T) {
	t.Parallel()
	g := startGateway(t, embedded+"streams.door.source = \"demo:\"\n")
	g.awaitState(t, "door", "ready", cameraLimit)
	v, other := g.watch(t, "door"), g.watch(t, "door")
	a, b := newAsker(t, linkedRelay(t, v)), newAsker(t, linkedRelay(t, other))
	if one, two := a.allocate(), b.allocate(); one != 0 || two != 0 {
		t.Fatalf("allocations with the credentials of sessions: %d and %d", one, two)
	}
	if status := v.request(t, http.MethodDelete); status != http.StatusOK {
		t.Fatalf("DELETE: %d", status)
	}
	eventually(t, answerLimit, func() string {
		if code := newAsker(t, a.server).allocate(); code != http.StatusUnauthorized {
			return fmt.Sprintf("a new allocation after the session: %d, want 401", code)
		}
		return ""
	})
	if code := a.ask(stun.MethodRefresh); code != http.StatusUnauthorized {
		t.Errorf("a refresh after the session: %d, want 401", code)
	}
	if code := b.ask(stun.MethodRefresh); code != 0 {
		t.Errorf("a refresh of the session that goes on: %d", code)
	}
}

// linkedRelay is the way to TURN over UDP that the answer to a viewer names.
func linkedRelay(t *testing.T, v *viewer) iceServer {
	t.Helper()
	return atLoopback(relayOf(t, linkedServers(v.header), "turn", "udp"))
}

// TestRelayedStranger sends to the port of all media through a relay of its own: without a session's ICE credentials
// nothing is answered, and whoever watches does not notice.
//
// Proves J103 from the outside.
func TestRelayedStranger(t *testing.T) {
	t.Parallel()
	g := startGateway(t, embedded+"streams.door.source = \"demo:\"\n")
	g.awaitState(t, "door", "ready", cameraLimit)
	v := g.watch(t, "door")
	v.awaitFrames(t, 10)
	a, port := newAsker(t, g.relayUDP(t)), g.mediaPort(t)
	if allocated, permitted := a.allocate(), a.permit(port); allocated != 0 || permitted != 0 {
		t.Fatalf("allocation %d, permission %d", allocated, permitted)
	}
	packet, err := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 102, SSRC: 1}, Payload: make([]byte, 100)}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"a check with another password": v.check(t, "a password of somebody else's"),
		"a check of nobody":             stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.Fingerprint).Raw,
		"DTLS":                          append([]byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100}, make([]byte, 100)...),
		"RTP":                           packet,
	} {
		a.sendTo(port, data)
		if answer := a.relayed(200 * time.Millisecond); answer != nil {
			t.Errorf("%s is answered with %x", name, answer)
		}
	}
	v.awaitFramesMore(t, 25)
	a.sendTo(port, v.check(t, iceValue(v.answer, "pwd")))
	if a.relayed(answerLimit) == nil {
		t.Error("a check with the session's own credentials gets no answer")
	}
	g.awaitSessions(t, "door", 1)
	v.close()
	v.checkVideo(t, media.H264, 25)
}

// check is one of ICE's as the viewer makes it, with a password that may be wrong.
func (v *viewer) check(t *testing.T, password string) []byte {
	t.Helper()
	m, err := stun.Build(stun.TransactionID, stun.BindingRequest,
		stun.NewUsername(iceValue(v.answer, "ufrag")+":"+iceValue(v.connection.LocalDescription().SDP, "ufrag")),
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0, 0, 0, 1}},
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)},
		stun.NewShortTermIntegrity(password), stun.Fingerprint)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

// iceValue is ufrag or pwd of a description.
func iceValue(description, name string) string {
	_, rest, _ := strings.Cut(description, "a=ice-"+name+":")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// TestCoturnsClient asks with coturn's own client, whose credentials come from the API: it gets a relay, but not to the
// port of the API.
//
// Proves J97 as seen by a peer.
func TestCoturnsClient(t *testing.T) {
	t.Parallel()
	program := testworker.Tool(t, "turnutils_uclient")
	g := startGateway(t, embedded+publishConfig("studio"))
	own, err := url.Parse(g.URL)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		relay, option string
		forged        bool
		says          string
	}{
		"UDP":                {"udp", "-v", false, `error 403`},
		"TCP":                {"tcp", "-t", false, `error 403`},
		"another credential": {"udp", "-v", true, `Cannot complete Allocation`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := relayOf(t, g.relays(t), "turn", c.relay)
			if c.forged {
				s.Credential = "no credential"
			}
			at, err := url.Parse("//" + strings.TrimPrefix(s.URLs[0], "turn:"))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), answerLimit)
			defer cancel()
			out, _ := exec.CommandContext(ctx, program, "-v", c.option, "-u", s.Username, "-w", s.Credential, "-p", at.Port(),
				"-e", "127.0.0.1", "-r", own.Port(), "-c", "-n", "2", "127.0.0.1").CombinedOutput() // it fails
			if !regexp.MustCompile(c.says).Match(out) {
				t.Errorf("nothing matches %s in\n%s", c.says, out)
			}
		})
	}
}
