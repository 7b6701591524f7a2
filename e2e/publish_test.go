package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/media"
)

// publishConfig configures streams that somebody publishes.
func publishConfig(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "streams.%s.source = \"publish\"\n", name)
	}
	return b.String()
}

// TestPublishers has every real publisher send to the gateway, and watches with pion: all pictures can be decoded, the
// tone is heard, the size is the publisher's. Chromium watches two of them. Each leaves with a DELETE.
//
// Proves A1, A7, A21, A50, A52, A56, A58, A71, A81, B12, D1, D2, D3, D4, D5, D20 and D46 as seen by a peer.
func TestPublishers(t *testing.T) {
	t.Parallel()
	var names []string
	for _, p := range publishings {
		names = append(names, p.name)
	}
	g := startGateway(t, publishConfig(names...))
	for _, p := range publishings {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			g.checkPublisher(t, p)
		})
	}
}

func (g *gatewayProcess) checkPublisher(t *testing.T, p publishing) {
	t.Helper()
	const frames = 30
	who := p.start(t, g.whip(p.name))
	g.checkTracks(t, p, g.awaitState(t, p.name, "ready", answerLimit))
	v := g.watch(t, p.name)
	v.awaitFrames(t, frames+1)
	v.awaitPackets(t, media.Audio, 50)
	v.close()
	v.checkVideo(t, p.video, frames)
	v.checkAudio(t, p.audio)
	if slices.Contains([]string{"obs", "gst-vp8"}, p.name) {
		page := openBrowser(t, chromium).open(t, g.page(p.name))
		page.awaitPicture(25)
		page.awaitSound()
	}
	if status := who.stop(t); status != http.StatusOK {
		t.Errorf("DELETE is answered with %d, want 200", status)
	}
	g.awaitRole(t, p.name, "publish", 0)
}

// checkTracks compares what the API tells of a stream with what is published.
func (g *gatewayProcess) checkTracks(t *testing.T, p publishing, s stream) {
	t.Helper()
	var codecs []string
	for _, track := range s.Tracks {
		codecs = append(codecs, track.Codec)
		if track.Kind == "video" && p.width > 0 && (track.Width != p.width || track.Height != p.height) {
			t.Errorf("the picture has %dx%d, want %dx%d", track.Width, track.Height, p.width, p.height)
		}
	}
	slices.Sort(codecs)
	want := []string{string(p.video), string(p.audio)}
	slices.Sort(want)
	if !slices.Equal(codecs, want) {
		t.Errorf("the stream has %q, want %q", codecs, want)
	}
}

// awaitRole waits until a stream has a number of connected sessions in a role.
func (g *gatewayProcess) awaitRole(t testing.TB, stream, role string, n int) []sessionInfo {
	t.Helper()
	var found []sessionInfo
	eventually(t, playLimit, func() string {
		found = slices.DeleteFunc(g.sessions(t, stream), func(s sessionInfo) bool { return s.Role != role })
		connected := !slices.ContainsFunc(found, func(s sessionInfo) bool { return s.State != "connected" })
		if len(found) != n || !connected {
			return fmt.Sprintf("the sessions of %s are %+v, want %d to %s", stream, found, n, role)
		}
		return ""
	})
	return found
}

// TestTakeover has publishers of the same codec follow each other while a viewer watches: one takes over from another
// that is there still, one comes after a pause. The viewer keeps its session, and its packets have no gap.
//
// Proves A8, A14 and B11 as seen by peers.
func TestTakeover(t *testing.T) {
	t.Parallel()
	g := startGateway(t, publishConfig("studio"))
	first := startOBS(t, g.whip("studio")).(*peer)
	g.awaitState(t, "studio", "ready", answerLimit)
	v := g.watch(t, "studio")
	v.awaitFrames(t, 20)
	session := g.awaitRole(t, "studio", "play", 1)[0].ID

	second := peerOf("gst_peer.py", "h264")(t, g.whip("studio"))
	first.awaitState(t, answerLimit, "disconnected", "failed", "closed")
	v.awaitFramesMore(t, 30)
	if status := first.stop(t); status != http.StatusOK {
		t.Errorf("the publisher that was replaced deletes its session: %d, want 200", status)
	}
	v.awaitFramesMore(t, 10)

	second.stop(t)
	g.awaitRole(t, "studio", "publish", 0)
	third := publishWithPion(t, g.whip("studio"), pionOptions{})
	v.awaitFramesMore(t, 30)
	if now := g.awaitRole(t, "studio", "play", 1)[0].ID; now != session {
		t.Error("the viewer has another session than at first")
	}
	v.close()
	v.checkVideo(t, media.H264, 90)
	third.stop(t)
}

// awaitFramesMore waits for a number of pictures more than have come so far.
func (v *viewer) awaitFramesMore(t *testing.T, n int) {
	t.Helper()
	have := 0
	for _, p := range v.snapshot(media.Video).packets {
		if p.Marker {
			have++
		}
	}
	v.awaitFrames(t, have+n)
}

// TestConflict has a second publisher come to a stream that keeps its first one.
//
// Proves A14 for on_conflict = "reject".
func TestConflict(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "streams.studio = { source = \"publish\", on_conflict = \"reject\" }\n")
	publishWithPion(t, g.whip("studio"), pionOptions{})
	g.awaitState(t, "studio", "ready", answerLimit)
	second := startOBS(t, g.whip("studio")).(*peer)
	l := second.awaitTold(t, "refused", answerLimit, func(told) bool { return true })
	if l.Status != http.StatusConflict || !strings.Contains(l.Detail, "publisher_conflict") {
		t.Errorf("the second publisher gets %d: %s", l.Status, l.Detail)
	}
	if second.exit(answerLimit) != 2 {
		t.Error("the second publisher goes on")
	}
}

// TestShutdownTellsPublishers ends a gateway under a publisher, who knows at once. GStreamer's webrtcbin would not tell:
// it has no state for a DTLS that was closed.
//
// Proves D6 and I33.
func TestShutdownTellsPublishers(t *testing.T) {
	t.Parallel()
	g := startGateway(t, publishConfig("obs"))
	obs := startOBS(t, g.whip("obs")).(*peer)
	g.awaitState(t, "obs", "ready", answerLimit)
	took := g.stop(t)
	t.Logf("the gateway ended within %v", took.Round(time.Millisecond))
	obs.awaitState(t, farewellLimit, "disconnected", "failed", "closed")
}

// TestKeyframeWishes counts what reaches a publisher of the wishes of many impatient viewers, and that nobody
// bothers one whom nobody watches.
//
// Proves B12 and J122.
func TestKeyframeWishes(t *testing.T) {
	t.Parallel()
	const viewers, watching = 8, 4 * time.Second
	g := startGateway(t, publishConfig("studio"))
	p := publishWithPion(t, g.whip("studio"), pionOptions{})
	g.awaitState(t, "studio", "ready", answerLimit)
	time.Sleep(time.Second) // for wishes from before the first keyframe
	alone := p.keyframeRequests(t)
	time.Sleep(2 * time.Second) // in which nothing may come
	if n := p.keyframeRequests(t) - alone; n > 0 || alone > 3 {
		t.Errorf("nobody watches, and the publisher got %d and %d wishes for a keyframe", alone, n)
	}

	for range viewers {
		g.watch(t, "studio").insist(t)
	}
	before, began := p.keyframeRequests(t), time.Now()
	time.Sleep(watching)                                                          // the span in which wishes are counted
	n, most := p.keyframeRequests(t)-before, int(2*time.Since(began).Seconds())+4 // some may have been under way
	if n == 0 || n > most {
		t.Errorf("%d wishes for a keyframe reached the publisher within %v, want 1 to %d", n, watching, most)
	}
}

// insist asks for a keyframe again and again until the test ends.
func (v *viewer) insist(t *testing.T) {
	t.Helper()
	v.awaitFrames(t, 1)
	pli := pliFor(v.snapshot(media.Video).packets[0].SSRC)
	v.readers.Go(func() {
		pace := time.NewTicker(5 * time.Millisecond)
		defer pace.Stop()
		for v.connection.WriteRTCP(pli) == nil {
			select {
			case <-pace.C:
			case <-v.closed:
				return
			}
		}
	})
}
