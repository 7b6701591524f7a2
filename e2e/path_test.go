package e2e

import (
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/media"
)

// TestRelayedViewer watches from behind a TURN server of the viewer's own: to the gateway that is an address like any
// other.
//
// Proves A59 as seen by a browser.
func TestRelayedViewer(t *testing.T) {
	t.Parallel()
	g := startGateway(t, fmt.Sprintf("streams.door.source = %q\n", startCameraOf(t, media.H264, media.Opus)))
	g.awaitState(t, "door", "ready", cameraLimit)
	turn := startTURN(t)
	p := openBrowser(t, chromium).openPeer(t, g.whep("door"))
	p.start(map[string]any{"url": g.whep("door"), "role": "play", "configuration": map[string]any{
		"iceTransportPolicy": "relay",
		"iceServers":         []map[string]any{{"urls": []string{"turn:" + turn}, "username": turnUser, "credential": turnPassword}},
	}})
	p.awaitDecoded(50)
	p.awaitSounds()
	p.awaitStats(func(s pageStats) string {
		if !strings.HasPrefix(s.Route, "relay ") {
			return fmt.Sprintf("the media come by %q, want a relay", s.Route)
		}
		return ""
	})
	g.checkWay(t, "door", "")
}

const (
	turnUser     = "viewer"
	turnPassword = "relay"
)

// startTURN runs coturn on loopback, which it relays to.
func startTURN(t *testing.T) (address string) {
	t.Helper()
	dir := t.TempDir()
	address = freeAddress(t)
	_, port, _ := net.SplitHostPort(address) // an address has a port
	p := start(t, "coturn", command("turnserver", "-n", "--listening-ip", "127.0.0.1", "--listening-port", port, "--relay-ip", "127.0.0.1",
		"--lt-cred-mech", "--user", turnUser+":"+turnPassword, "--realm", "sluice", "--allow-loopback-peers", "--verbose", "--no-cli", "--no-tls", "--no-dtls",
		"--log-file", "stdout", "--pidfile", filepath.Join(dir, "pid"), "--userdb", filepath.Join(dir, "users")))
	p.await(t, `UDP listener opened on.*127\.0\.0\.1`, listenLimit)
	return address
}

var udpCandidate = regexp.MustCompile(`(?i)a=candidate:\S+ \d+ udp .*\r\n`)

func withoutUDP(answer string) string { return udpCandidate.ReplaceAllString(answer, "") }

// TestTCP watches where no UDP comes through, in Chromium and with pion, on both ways.
func TestTCP(t *testing.T) {
	t.Parallel()
	camera := startCameraOf(t, media.H264, media.Opus)
	for name, c := range map[string]struct{ config, reason string }{
		"fast": {"", ""},
		"slow": {"webrtc.fast_path = false\n", "configured"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := startGateway(t, fmt.Sprintf("webrtc.listen_tcp = \"0\"\n%sstreams.door.source = %q\n", c.config, camera))
			g.awaitState(t, "door", "ready", cameraLimit)
			p := openBrowser(t, chromium).openPeer(t, g.whep("door"))
			p.start(map[string]any{"url": g.whep("door"), "role": "play", "drop": "udp"})
			p.awaitDecoded(50)
			p.awaitSounds()
			p.awaitStats(func(s pageStats) string {
				if !strings.HasSuffix(s.Route, " tcp") {
					return fmt.Sprintf("the media come by %q, want TCP", s.Route)
				}
				return ""
			})
			v := g.watchAs(t, "door", viewerOptions{tcp: true, accept: withoutUDP})
			v.awaitFrames(t, 40)
			g.checkWay(t, "door", c.reason)
			v.close()
			v.checkVideo(t, media.H264, 40)
		})
	}
}

// awaitSounds waits for half a second of sound.
func (p *pagePeer) awaitSounds() {
	p.t.Helper()
	eventually(p.t, mediaLimit, func() string {
		if s := p.stats(); s.Sounds < 24_000 {
			return fmt.Sprintf("%d samples of sound have come: %+v", s.Sounds, s)
		}
		return ""
	})
}

// TestViewerVanishes watches until there is not a word from the viewers any more: a browser that is killed, and a
// viewer whose socket falls silent. They are gone within the time of consent; one who goes on watching is not.
//
// Proves A80 on the fast way.
func TestViewerVanishes(t *testing.T) {
	t.Parallel()
	const consent, grace = 10 * time.Second, 10 * time.Second // a busy machine may keep a viewer from its checks
	g := startGateway(t, fmt.Sprintf("webrtc.consent_timeout = %q\nstreams.door.source = %q\n", consent, startCameraOf(t, media.H264)))
	g.awaitState(t, "door", "ready", cameraLimit)
	shared.Lock()
	b, err := startBrowser(chromium)
	shared.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.driver.kill(); b.process.kill() })
	var page int
	if err := b.do(map[string]any{"do": "open", "url": g.page("door")}, &page); err != nil {
		t.Fatal(err)
	}
	stays, silent := g.watch(t, "door"), g.watch(t, "door")
	stays.awaitFrames(t, 20)
	silent.awaitFrames(t, 20)
	g.awaitSessions(t, "door", 3)
	g.checkWay(t, "door", "")

	b.process.kill()
	silent.socket.mute.Store(true)
	gone := time.Now()
	eventually(t, consent+grace, func() string {
		if n := len(g.sessions(t, "door")); n != 1 {
			return fmt.Sprintf("there are %d sessions, want the one who watches", n)
		}
		return ""
	})
	t.Logf("gone %v after the last sign of life", time.Since(gone).Round(100*time.Millisecond))
	stays.awaitFramesMore(t, 50)
	stays.close()
	stays.checkVideo(t, media.H264, 50)
}

// TestDeafViewer has a viewer that reads nothing more of what it is sent, beside one that does: that one misses no
// packet.
//
// Proves B14 on the fast way.
func TestDeafViewer(t *testing.T) {
	t.Parallel()
	g := startGateway(t, fmt.Sprintf("streams.door.source = %q\n", startCameraOf(t, media.H264)))
	g.awaitState(t, "door", "ready", cameraLimit)
	deaf, v := g.watch(t, "door"), g.watch(t, "door")
	deaf.awaitFrames(t, 10)
	deaf.socket.unread.Store(true)
	v.awaitFrames(t, 10)
	v.awaitFramesMore(t, 150)
	g.awaitSessions(t, "door", 2)
	v.close()
	v.checkVideo(t, media.H264, 150)
}
