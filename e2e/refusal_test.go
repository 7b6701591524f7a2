package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sluice/internal/testmedia"
)

// TestBFrames wants, where nothing can be made anew, the sentence that names the camera's setting, from
// the endpoint and on the page.
//
// Proves E45.
func TestBFrames(t *testing.T) {
	t.Parallel()
	name, data := testmedia.BFrames()
	_, url := gatewayCamera(t, testFile(t, name, data), "--listen", "127.0.0.1:0")
	g := startGateway(t, fmt.Sprintf("transcode.worker = \"off\"\nstreams.door.source = %q\n", url))
	eventually(t, cameraLimit, func() string {
		s := g.stream(t, "door")
		if len(s.Tracks) == 0 || !s.Tracks[0].BFrames {
			return fmt.Sprintf("the API knows of no B-frames: %+v", s)
		}
		return ""
	})
	_, refused := g.ask(t, "door")
	if refused == nil || refused.Status != http.StatusUnprocessableEntity {
		t.Fatalf("refused with %+v, want 422", refused)
	}
	for _, words := range []string{"B-frames", "camera's video settings"} {
		if !strings.Contains(refused.Detail, words) {
			t.Errorf("the detail %q does not say %q", refused.Detail, words)
		}
	}
	p := openBrowser(t, chromium).open(t, g.page("door"))
	p.awaitBanner("error", playLimit, refused.Detail)
	p.screenshot("b-frames")
}
