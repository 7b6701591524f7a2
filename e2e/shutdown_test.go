package e2e

import (
	"fmt"
	"testing"
	"time"

	"sluice/media"
)

// TestGatewayRestarts ends a gateway while cameras send and viewers watch: it leaves in time and says goodbye, and the
// pages play again once it is back.
func TestGatewayRestarts(t *testing.T) {
	t.Parallel()
	url := startCameraOf(t, media.VP8, media.Opus)
	config := fmt.Sprintf("webrtc.listen_udp = \"0\"\nstreams.door.source = %q\nstreams.gone.source = \"rtsp://127.0.0.1:1/\"\n", url)
	config = fmt.Sprintf("http.listen = %q\n%s", freeAddress(t), config)
	g := startGatewayAs(t, config)
	g.awaitState(t, "door", "ready", cameraLimit)
	pages := []*page{
		openBrowser(t, chromium).open(t, g.page("door")),
		openBrowser(t, firefox).open(t, g.page("door")),
	}
	v := g.watch(t, "door")
	v.awaitFrames(t, 5)
	before := make([]look, len(pages))
	for i, p := range pages {
		before[i] = p.awaitPicture(10)
	}

	if took := g.stop(t); took > shutdownLimit {
		t.Errorf("the gateway ended after %v, want %v at most", took, shutdownLimit)
	}
	left := time.Now()
	for _, p := range pages {
		p.await(playLimit, func(l look) string {
			if l.State == "playing" || l.Banner == "" {
				return "the page does not notice that the gateway has gone"
			}
			return ""
		})
		t.Logf("%s noticed %v later", p.browser.kind.name, time.Since(left).Round(10*time.Millisecond))
	}
	select {
	case <-v.closed:
	case <-time.After(farewellLimit):
		t.Error("pion's viewer is not told that the gateway has gone")
	}
	pages[0].awaitBanner("error", playLimit, "The gateway cannot be reached")
	pages[0].screenshot("gateway-gone")

	again := startGatewayAs(t, config)
	for i, p := range pages {
		l := p.awaitPicture(5)
		if l.Born != before[i].Born {
			t.Errorf("%s loaded the page anew", p.browser.kind.name)
		}
	}
	if took := again.stop(t); took > shutdownLimit {
		t.Errorf("the gateway ended after %v, want %v at most", took, shutdownLimit)
	}
}
