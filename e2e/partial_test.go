package e2e

import (
	"testing"

	"sluice/media"
)

// TestPartialStreams plays streams without sound, and streams without a picture, in both browsers.
//
// Proves B18.
func TestPartialStreams(t *testing.T) {
	t.Parallel()
	video, audio := startCameraOf(t, media.VP8), startCameraOf(t, media.Opus)
	g := startGateway(t, "streams.mute.source = \""+video+"\"\nstreams.radio.source = \""+audio+"\"\n")
	for _, s := range []string{"mute", "radio"} {
		g.awaitState(t, s, "ready", cameraLimit)
	}
	for _, k := range []kind{chromium, firefox} {
		t.Run(k.name+" without sound", func(t *testing.T) {
			t.Parallel()
			p := openBrowser(t, k).open(t, g.page("mute"))
			if l := p.awaitPicture(25); l.Tracks != "video" || l.Banner != "" {
				t.Errorf("the page has tracks %q and banner %q, want video alone", l.Tracks, l.Banner)
			}
		})
		t.Run(k.name+" without picture", func(t *testing.T) {
			t.Parallel()
			p := openBrowser(t, k).open(t, g.page("radio"))
			p.await(playLimit, func(l look) string {
				if l.State != "playing" || l.Tracks != "audio" || l.Paused || l.CurrentTime < 1 {
					return "the sound does not play: tracks " + l.Tracks
				}
				return ""
			})
			p.awaitSound()
			p.screenshot("sound-only")
		})
	}
}
