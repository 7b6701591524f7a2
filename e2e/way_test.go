package e2e

import (
	"fmt"
	"strings"
	"testing"

	"sluice/media"
)

// checkWay wants viewers of a stream, all of whom go the fast way, or the slow one for a reason.
func (g *gatewayProcess) checkWay(t *testing.T, stream, reason string) {
	t.Helper()
	way := "fast"
	if reason != "" {
		way = "slow"
	}
	all := g.sessions(t, stream)
	if len(all) == 0 {
		t.Error("nobody watches")
	}
	for _, s := range all {
		if s.Role == "play" && (s.Way != way || s.WayReason != reason) {
			t.Errorf("a viewer goes the way %q for the reason %q, want %q and %q", s.Way, s.WayReason, way, reason)
		}
	}
}

// TestWays plays a camera in browsers and with pion as the gateway is configured for all viewers.
//
// Proves A59 and B12 from the outside, and that a browser's media are encrypted with AES-GCM.
func TestWays(t *testing.T) {
	t.Parallel()
	camera := startCameraOf(t, media.VP8, media.Opus)
	for name, c := range map[string]struct{ config, reason string }{
		"fast":    {"", ""},
		"GSO off": {"webrtc.gso = \"off\"\n", ""},
		"slow":    {"webrtc.fast_path = false\n", "configured"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := startGateway(t, fmt.Sprintf("%sstreams.door.source = %q\n", c.config, camera))
			g.awaitState(t, "door", "ready", cameraLimit)
			for _, k := range []kind{chromium, firefox} {
				t.Run(k.name, func(t *testing.T) {
					t.Parallel()
					p := openBrowser(t, k).open(t, g.page("door"))
					p.awaitPicture(25)
					p.awaitSound()
					g.checkWay(t, "door", c.reason)
				})
			}
			t.Run("cipher", func(t *testing.T) {
				t.Parallel()
				p := openBrowser(t, chromium).openPeer(t, g.whep("door"))
				p.start(map[string]any{"url": g.whep("door"), "role": "play"})
				p.awaitDecoded(10)
				p.awaitStats(func(s pageStats) string {
					if s.Cipher != "SRTP_AEAD_AES_128_GCM" {
						return fmt.Sprintf("Chromium says that SRTP is encrypted with %q", s.Cipher)
					}
					return ""
				})
			})
			t.Run("pion", func(t *testing.T) {
				t.Parallel()
				v := g.watch(t, "door")
				v.awaitFrames(t, 40)
				v.awaitPackets(t, media.Audio, 50)
				g.checkWay(t, "door", c.reason)
				v.close()
				v.checkVideo(t, media.VP8, 40)
				v.checkAudio(t, media.Opus)
			})
		})
	}
}

// TestSlowOffers plays a camera to viewers whose offers only a PeerConnection can answer.
//
// Proves A59 as seen by a peer.
func TestSlowOffers(t *testing.T) {
	t.Parallel()
	camera := startCameraOf(t, media.H264, media.Opus)
	for reason, o := range map[string]viewerOptions{
		"ice_lite":     {lite: true},
		"dtls_passive": {mangle: passive},
		"data_channel": {data: true},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			g := startGateway(t, fmt.Sprintf("streams.door.source = %q\n", camera))
			g.awaitState(t, "door", "ready", cameraLimit)
			v := g.watchAs(t, "door", o)
			v.awaitFrames(t, 30)
			g.checkWay(t, "door", reason)
			if _, text := g.get(t, "metrics"); !strings.Contains(text, `sluice_viewers{reason="`+reason+`",way="slow"} 1`) {
				t.Errorf("the metrics do not count the viewer:\n%s", text)
			}
			v.close()
			v.checkVideo(t, media.H264, 30)
		})
	}
}
