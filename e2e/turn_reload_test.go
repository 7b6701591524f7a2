package e2e

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"sluice/media"
	"sluice/turn"
)

// otherSecret is what turnSecret is changed to.
const otherSecret = "another-secret-of-TURN-servers"

// TestTURNSecretChanges changes the secret of a running gateway: what is given out from then on is made of the new one,
// and what is relayed already goes on, but no longer than until it would have to be refreshed.
//
// Proves G4 for a secret that changes.
func TestTURNSecretChanges(t *testing.T) {
	t.Parallel()
	g, change := startChangeable(t, embedded+"streams.door.source = \"demo:\"\n")
	g.awaitState(t, "door", "ready", cameraLimit)
	before := g.relayUDP(t)
	v := g.watchBy(t, "door", relayOnly(before))
	v.awaitFrames(t, 10)
	a := newAsker(t, before)
	if code := a.allocate(); code != 0 {
		t.Fatalf("an allocation: %d", code)
	}
	change()
	if code := newAsker(t, before).allocate(); code != http.StatusUnauthorized {
		t.Errorf("a new allocation with the old secret: %d, want 401", code)
	}
	if code := a.ask(stun.MethodRefresh); code != http.StatusUnauthorized {
		t.Errorf("a refresh with the old secret: %d, want 401", code)
	}
	after := g.watchBy(t, "door", relayOnly(g.relayUDP(t)))
	after.awaitFrames(t, 25)
	v.awaitFramesMore(t, 25)
	g.checkFromRelay(t, "door", 2)
	for _, v := range []*viewer{v, after} {
		v.close()
		v.checkVideo(t, media.H264, 25)
	}
}

// TestExternalSecretChanges does the same where the TURN server is another, which has to get the new secret too.
//
// Proves G12 for a secret that changes.
func TestExternalSecretChanges(t *testing.T) {
	t.Parallel()
	g, change := startChangeable(t, "turn.mode = \"external\"\nturn.secret = \""+turnSecret+"\"\nturn.urls = [\"turn:turn.example.org:3478?transport=udp\"]\n"+
		publishConfig("studio"))
	checkMadeOf(t, g.relays(t), turnSecret)
	change()
	checkMadeOf(t, g.relays(t), otherSecret)
}

// startChangeable runs a gateway whose secret of TURN may be changed.
func startChangeable(t *testing.T, config string) (g *gatewayProcess, change func()) {
	t.Helper()
	path := writeConfig(t, globals+config)
	g = &gatewayProcess{process: start(t, "gateway", command(program, "--config", path))}
	t.Cleanup(func() { g.stop(t) })
	g.URL = g.await(t, `Open (http://\S+) in a browser`, listenLimit)
	return g, func() {
		t.Helper()
		text := strings.Replace(globals+config, turnSecret, otherSecret, 1)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(g.cmd.Process.Pid, syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		g.await(t, `msg="the configuration was reloaded".*turn\.secret`, listenLimit)
	}
}

// checkMadeOf wants credentials that are made of a secret, and good for the hour that is the default.
func checkMadeOf(t *testing.T, all []iceServer, secret string) {
	t.Helper()
	for _, s := range all {
		expiry, id, _ := strings.Cut(s.Username, ":")
		seconds, err := strconv.ParseInt(expiry, 10, 64)
		end := time.Unix(seconds, 0)
		if left := time.Until(end); err != nil || left < 59*time.Minute || left > time.Hour {
			t.Errorf("%s is good for %v, want an hour", s.Username, left)
		}
		if _, want := turn.Mint(secret, id, 0, end); s.Credential != want {
			t.Errorf("the credential of %q is %q, want %q", s.Username, s.Credential, want)
		}
	}
	if len(all) == 0 {
		t.Error("there are no relays")
	}
}
