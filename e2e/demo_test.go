package e2e

import "testing"

// TestDemoPlays is what `make run` promises: the demo stream's page plays at once, with sound, and without a
// complaint of the browser.
func TestDemoPlays(t *testing.T) {
	t.Parallel()
	g := startGateway(t, `streams.demo.source = "demo:"`)
	p := openBrowser(t, chromium).open(t, g.page("demo"))

	p.awaitPicture(40)
	l := p.awaitSound()
	p.screenshot("playing")
	if l.Width != 1280 || l.Height != 720 {
		t.Errorf("the picture has %dx%d, want 1280x720", l.Width, l.Height)
	}
	if len(l.Complaints)+len(l.Violations) > 0 {
		t.Errorf("the browser complains: %q, content policy: %q", l.Complaints, l.Violations)
	}
	if l.Tracks != "video audio" || l.Banner != "" || l.Connections != 1 {
		t.Errorf("the page has tracks %q, banner %q and %d connections, want both tracks, none and 1", l.Tracks, l.Banner, l.Connections)
	}
	t.Logf("first picture after %s ms", l.StartedIn)
}

func TestIndexListsStreams(t *testing.T) {
	t.Parallel()
	camera := startCameraOf(t, "h264")
	g := startGateway(t, `
streams.door.source = "`+camera+`"
streams.gone.source = "rtsp://127.0.0.1:1/none"
streams.later = { source = "`+camera+`", on_demand = true }
`)
	g.awaitState(t, "door", "ready", cameraLimit)
	p := openBrowser(t, chromium).open(t, g.URL)
	l := p.awaitText(playLimit, "door", "H.264 320 × 180", "gone", "Offline", "refuses the connection", "later", "Idle")
	p.screenshot("index")
	if len(l.Complaints)+len(l.Violations) > 0 {
		t.Errorf("the browser complains: %q, content policy: %q", l.Complaints, l.Violations)
	}
}
