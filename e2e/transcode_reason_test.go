package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sluice/media"
)

// TestTranscodeNever refuses what a browser can't play, and says why to whoever asks, in the log and on the page.
func TestTranscodeNever(t *testing.T) {
	t.Parallel()
	g := startTranscoder(t, fmt.Sprintf("[streams.door]\nsource = %q\ntranscode = \"never\"\n", startCameraOf(t, media.H265, media.PCMA)))
	g.awaitState(t, "door", "ready", cameraLimit)
	_, refused := g.askAs(t, "door", without("H265"))
	if refused == nil || refused.Status != http.StatusUnprocessableEntity {
		t.Fatalf("refused with %+v, want 422", refused)
	}
	sentences := []string{"The camera sends H.265", `The stream has transcode = "never"`}
	for _, words := range sentences {
		if !strings.Contains(refused.Detail, words) {
			t.Errorf("the detail %q does not say %q", refused.Detail, words)
		}
	}
	g.checkLogged(t, refused.Detail)
	p := openBrowser(t, chromium).open(t, g.page("door"))
	p.awaitBanner("error", playLimit, sentences...)
	p.screenshot("refused")
	g.checkMade(t, "door", "", "")
}

// TestTranscodeReasons says why something is made anew in the API, in the log and on the page: because a viewer lacks
// the codec, and because the configuration wants it so.
func TestTranscodeReasons(t *testing.T) {
	t.Parallel()
	g := startTranscoder(t, fmt.Sprintf("streams.camera.source = %q\n[streams.always]\nsource = %q\ntranscode = \"always\"\n",
		startCameraOf(t, media.H265, media.AAC), startCameraOf(t, media.H264)))
	for stream, words := range map[string]string{"camera": "The camera sends H.265", "always": `transcode = "always"`} {
		t.Run(stream, func(t *testing.T) {
			g.awaitSize(t, stream) // which the reason tells, once it is known
			p := openBrowser(t, chromium).open(t, g.page(stream))
			p.awaitPicture(25)
			all := g.sessions(t, stream)
			if len(all) != 1 || len(all[0].Delivery) == 0 {
				t.Fatalf("the API tells of %+v, want one session with its delivery", all)
			}
			p.click("#info")
			said := false
			for _, d := range all[0].Delivery {
				if d.Transcoded {
					g.checkLogged(t, d.Reason)
					p.awaitText(playLimit, d.Reason)
				}
				said = said || d.Codec == "h264" && d.Transcoded && strings.Contains(d.Reason, words)
			}
			if !said {
				t.Errorf("the API does not say that the picture is made anew, for %q: %+v", words, all[0].Delivery)
			}
			p.screenshot("reason")
		})
	}
}

// awaitSize waits for the first keyframe of a stream.
func (g *gatewayProcess) awaitSize(t *testing.T, name string) {
	t.Helper()
	g.awaitState(t, name, "ready", cameraLimit)
	eventually(t, cameraLimit, func() string {
		for _, track := range g.stream(t, name).Tracks {
			if track.Width > 0 {
				return ""
			}
		}
		return "the size of the picture is not known"
	})
}

// checkLogged wants a sentence in the gateway's log, where its quotes are escaped.
func (g *gatewayProcess) checkLogged(t *testing.T, sentence string) {
	t.Helper()
	eventually(t, playLimit, func() string { // the answer may come before what was logged earlier
		if !strings.Contains(strings.ReplaceAll(g.output.String(), `\"`, `"`), sentence) {
			return fmt.Sprintf("the log does not say %q:\n%s", sentence, g.output)
		}
		return ""
	})
}
