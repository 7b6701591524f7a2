package e2e

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
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
				p := startPeer(t, name, args...)
				if name == "gst_peer.py" {
					p.awaitTold(t, "patched", answerLimit, func(told) bool { return true })
				}
				g.checkPlayer(t, codec, "", p)
				trickled := p.all("patched")
				if trickles := name == "gst_peer.py"; trickles != (len(trickled) > 0) {
					t.Errorf("it has told of candidates %d times", len(trickled))
				}
				for _, l := range trickled {
					if l.Status != http.StatusNoContent {
						t.Errorf("a PATCH with candidates is answered with %d, want 204", l.Status)
					}
				}
			})
		}
	}
	t.Run("libdatachannel", func(t *testing.T) {
		t.Parallel()
		file := artefact(t, ".h264")
		p := startPeer(t, "libdatachannel_peer.mjs", "play", g.whep("h264"), "--video", file)
		p.awaitPictures(t, 25, 40)
		g.checkWay(t, "h264", "")
		if status := p.stop(t); status != http.StatusOK {
			t.Errorf("DELETE is answered with %d", status)
		}
		out := tool(t, "ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", file)
		if n, err := strconv.Atoi(strings.TrimSpace(out)); err != nil || n < 25 {
			t.Errorf("ffprobe decodes %q pictures, want 25 at least", out)
		}
	})
}

// checkPlayer wants a second of picture and sound decoded, at the test stream's size, over the fast way if there
// is no reason against it.
func (g *gatewayProcess) checkPlayer(t *testing.T, stream, slow string, p *peer) {
	t.Helper()
	p.awaitPictures(t, 25, 40)
	g.checkWay(t, stream, slow)
	if l := p.last("size"); l.Width != 320 || l.Height != 180 {
		t.Errorf("the picture has %dx%d, want 320x180", l.Width, l.Height)
	}
	if status := p.stop(t); status != http.StatusOK {
		t.Errorf("DELETE is answered with %d", status)
	}
}
