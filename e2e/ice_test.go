package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/media"
)

// TestRestart restarts ICE from a page while it publishes, and while it plays: the media go on over the new way.
//
// Proves A21, A71, A73 and A75 as seen by a browser.
func TestRestart(t *testing.T) {
	t.Parallel()
	g := startGateway(t, publishConfig("studio")+fmt.Sprintf("streams.door.source = %q\n", startCameraOf(t, media.H264, media.Opus)))
	g.awaitState(t, "door", "ready", cameraLimit)

	t.Run("publishing", func(t *testing.T) {
		t.Parallel()
		p := openBrowser(t, chromium).openPeer(t, g.whip("studio"))
		p.start(map[string]any{"url": g.whip("studio"), "role": "publish", "codec": "vp8"})
		g.awaitState(t, "studio", "ready", answerLimit)
		v := g.watch(t, "studio")
		v.awaitFrames(t, 10)
		before := g.awaitRole(t, "studio", "publish", 1)[0]
		p.restart()
		g.awaitMoved(t, before)
		v.awaitFramesMore(t, 50)
		v.close()
		v.checkVideo(t, media.VP8, 50)
	})
	t.Run("playing", func(t *testing.T) {
		t.Parallel()
		p := openBrowser(t, chromium).openPeer(t, g.whep("door"))
		p.start(map[string]any{"url": g.whep("door"), "role": "play"})
		p.awaitDecoded(20)
		before := g.awaitRole(t, "door", "play", 1)[0]
		p.restart()
		g.awaitMoved(t, before)
		p.awaitDecoded(p.stats().Decoded + 50)
		g.checkWay(t, "door", "")
		statuses := p.stats().Statuses
		trickled := statuses[:len(statuses)-1] // the last is that of the restart, which has been looked at
		if len(trickled) == 0 || slices.ContainsFunc(trickled, func(s int) bool { return s != http.StatusNoContent }) {
			t.Errorf("the PATCHes with candidates are answered with %v, want 204", trickled)
		}
	})
}

// restart restarts ICE and waits until the connection stands again, with other credentials than before.
func (p *pagePeer) restart() {
	p.t.Helper()
	var r struct {
		Status                 int
		Detail, ETag, Fragment string
	}
	p.call("restart", nil, &r)
	if r.Status != http.StatusOK || !strings.Contains(r.Fragment, "a=ice-ufrag:") || !strings.HasPrefix(r.ETag, `"`) {
		p.t.Fatalf("an ICE restart is answered with %+v", r)
	}
	eventually(p.t, answerLimit, func() string {
		if s := p.stats(); s.State != "connected" || s.ICE != "connected" && s.ICE != "completed" {
			return fmt.Sprintf("the connection is %+v after the restart", s)
		}
		return ""
	})
}

// awaitMoved waits until a session, alone in its role, is the same at another address: media go over the old way until the
// new one stands.
func (g *gatewayProcess) awaitMoved(t *testing.T, before sessionInfo) {
	t.Helper()
	eventually(t, answerLimit, func() string {
		now := g.awaitRole(t, before.Stream, before.Role, 1)[0]
		if now.ID != before.ID || now.RemoteAddress == before.RemoteAddress {
			return fmt.Sprintf("the session was %+v and is %+v, want the same at another address", before, now)
		}
		return ""
	})
}

func (p *pagePeer) awaitDecoded(n int) {
	p.t.Helper()
	eventually(p.t, answerLimit+mediaLimit, func() string {
		if s := p.stats(); s.Decoded < n {
			return fmt.Sprintf("%d pictures are decoded, want %d: %+v", s.Decoded, n, s)
		}
		return ""
	})
}

// TestBandwidth lets Chromium's estimator see how its packets arrive: what it allows itself grows.
// That is not much more than a picture makes use of, so this one takes all that it may have.
func TestBandwidth(t *testing.T) {
	t.Parallel()
	const start = 300_000 // bit/s, of Chromium's estimator
	g := startGateway(t, publishConfig("studio"))
	p := openBrowser(t, chromium).openPeer(t, g.whip("studio"))
	_, answer := p.start(map[string]any{"url": g.whip("studio"), "role": "publish", "codec": "vp8", "snows": true})
	if !strings.Contains(answer, "transport-cc") {
		t.Errorf("the answer has no transport-cc:\n%s", answer)
	}
	eventually(t, answerLimit+mediaLimit, func() string {
		if s := p.stats(); s.Bandwidth < 2*start || s.Reports == 0 {
			return fmt.Sprintf("the page knows of its way %+v, want twice %d bit/s and a receiver report", s, start)
		}
		return ""
	})
}

// odd are offers as other programs make them, which pion then keeps to.
var odd = map[string]func(string) string{
	// D10: ffmpeg 8 has the DTLS server itself, tells no candidate, and names a section that is not there.
	"ffmpeg 8": func(offer string) string {
		return strings.Replace(passive(withoutCandidates(offer)), "a=group:BUNDLE 0", "a=group:BUNDLE 0 1", 1)
	},
	// D11: newer ones can be DTLS client.
	"ffmpeg, DTLS client": func(offer string) string {
		return strings.Replace(withoutCandidates(offer), "a=setup:actpass", "a=setup:active", 1)
	},
	"no candidates": withoutCandidates,
	// A77: lines that end in LF alone.
	"LF": func(offer string) string { return strings.ReplaceAll(offer, "\r\n", "\n") },
}

var candidateLine = regexp.MustCompile(`a=(candidate:.*|end-of-candidates)\r\n`)

func withoutCandidates(offer string) string { return candidateLine.ReplaceAllString(offer, "") }

func passive(offer string) string {
	return strings.Replace(offer, "a=setup:actpass", "a=setup:passive", 1)
}

// TestOddOffers publishes with offers as ffmpeg makes them.
//
// Proves A33, A37, A81, D10, D11 and D13 as seen by a peer.
func TestOddOffers(t *testing.T) {
	t.Parallel()
	for name, mangle := range odd {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := startGateway(t, publishConfig("studio"))
			p := publishWithPion(t, g.whip("studio"), pionOptions{mangle: mangle})
			g.awaitState(t, "studio", "ready", answerLimit)
			v := g.watch(t, "studio")
			v.awaitFrames(t, 30)
			v.close()
			v.checkVideo(t, media.H264, 30)
			if status := p.stop(t); status != http.StatusOK {
				t.Errorf("DELETE is answered with %d, want 200", status)
			}
		})
	}
}

// TestDeafPublisher answers no more STUN once media flow, as ffmpeg does: it is kept as long as they flow, and gone
// soon after.
//
// Proves A80.
func TestDeafPublisher(t *testing.T) {
	t.Parallel()
	const consent = 10 * time.Second
	g := startGateway(t, "webrtc.consent_timeout = \"10s\"\n"+publishConfig("studio"))
	p := publishWithPion(t, g.whip("studio"), pionOptions{})
	g.awaitState(t, "studio", "ready", answerLimit)
	v := g.watch(t, "studio")
	p.socket.deaf.Store(true)
	time.Sleep(consent + 3*time.Second) // a publisher that is deaf and sends is kept for longer than that
	v.awaitFramesMore(t, 20)
	p.silent.Store(true)
	p.socket.mute.Store(true)
	silent := time.Now()
	eventually(t, consent+10*time.Second, func() string {
		if all := g.sessions(t, "studio"); len(all) != 1 || all[0].Role != "play" {
			return fmt.Sprintf("the sessions are %+v, want the viewer's alone", all)
		}
		return ""
	})
	t.Logf("gone %v after the last sign of life", time.Since(silent).Round(100*time.Millisecond))
}
