package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"sluice/media"
)

// TestPlayers plays cameras with real players other than browsers; each counts what it has decoded.
//
// Proves A8, A71, A81, B1, D21, D46 and F3 as seen by a peer.
func TestPlayers(t *testing.T) {
	t.Parallel()
	g := startGateway(t, fmt.Sprintf("streams.h264.source = %q\nstreams.vp8.source = %q\n",
		startCameraOf(t, media.H264, media.Opus), startCameraOf(t, media.VP8, media.Opus)))
	for _, codec := range []string{"h264", "vp8"} {
		g.awaitState(t, codec, "ready", cameraLimit)
		for name, args := range map[string][]string{
			"gst_peer.py":    {"play", g.whep(codec), "--video", codec},
			"aiortc_peer.py": {"play", g.whep(codec)},
		} {
			t.Run(name+" "+codec, func(t *testing.T) {
				t.Parallel()
				checkPlayer(t, startPeer(t, name, args...))
			})
		}
	}
}

// checkPlayer wants a second of picture and sound decoded, at the test stream's size.
func checkPlayer(t *testing.T, p *peer) {
	t.Helper()
	p.awaitPictures(t, 25, 40)
	if l := p.last("size"); l.Width != 320 || l.Height != 180 {
		t.Errorf("the picture has %dx%d, want 320x180", l.Width, l.Height)
	}
	if status := p.stop(t); status != http.StatusOK {
		t.Errorf("DELETE is answered with %d", status)
	}
}
