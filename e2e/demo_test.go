package e2e

import (
	"fmt"
	"testing"

	"sluice/media"
)

// TestDemoPlays is what `make run` promises: the demo stream's page plays at once, with sound, and without a
// complaint of the browser.
func TestDemoPlays(t *testing.T) {
	t.Parallel()
	g := startGateway(t, `streams.demo.source = "demo:"`)
	p := openBrowser(t, chromium).open(t, g.page("demo"))

	p.awaitPicture(40)
	p.awaitSound()
	l := p.await(playLimit, func(l look) string { // the page counts twice a second what the browser has got
		if l.Tracks != "video audio" {
			return fmt.Sprintf("the page has tracks %q, want both", l.Tracks)
		}
		return ""
	})
	p.screenshot("playing")
	if l.Width != 1280 || l.Height != 720 {
		t.Errorf("the picture has %dx%d, want 1280x720", l.Width, l.Height)
	}
	if len(l.Complaints)+len(l.Violations) > 0 {
		t.Errorf("the browser complains: %q, content policy: %q", l.Complaints, l.Violations)
	}
	if l.Banner != "" || l.Connections != 1 {
		t.Errorf("the page has the banner %q and %d connections, want none and 1", l.Banner, l.Connections)
	}
	t.Logf("first picture after %s ms", l.StartedIn)
}

// TestIndexShowsPictures wants on the list of streams what the camera sees: bars, none of them black.
func TestIndexShowsPictures(t *testing.T) {
	t.Parallel()
	g := startTranscoder(t, fmt.Sprintf("streams.door.source = %q\nstreams.gone.source = \"rtsp://127.0.0.1:1/none\"\n", startCameraOf(t, media.H265)))
	g.awaitState(t, "door", "ready", cameraLimit)
	p := openBrowser(t, chromium).open(t, g.URL)
	var posters []poster
	p.await(playLimit, func(look) string {
		if p.evaluate(postersScript, &posters); len(posters) != 1 || posters[0].Width == 0 {
			return fmt.Sprintf("the page shows the pictures %+v, want one", posters)
		}
		return ""
	})
	if s := posters[0]; s.Link != "/door/" || s.Width != 320 || s.Height != 180 || s.Shown < 100 || s.Bright < 0.05 || s.Dark < 0.05 {
		t.Errorf("the page shows %+v, want the camera's 320x180, bright and dark", s)
	}
	p.screenshot("posters")
}

// poster is a picture on the list of streams.
type poster struct {
	Link          string
	Width, Height int     // of the picture itself
	Shown         float64 // pixels of the page that it is wide
	Bright, Dark  float64 // share of its points
}

// postersScript are the pictures to be seen on the list of streams.
const postersScript = `[...document.querySelectorAll('.card-poster')].filter((image) => !image.hidden && image.complete).map((image) => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [32, 18];
  const brush = canvas.getContext('2d');
  brush.drawImage(image, 0, 0, 32, 18);
  const { data } = brush.getImageData(0, 0, 32, 18);
  const green = [...data].filter((_, i) => i % 4 === 1);
  const share = (fits) => green.filter(fits).length / green.length;
  return {
    link: image.closest('a').getAttribute('href'), width: image.naturalWidth, height: image.naturalHeight,
    shown: image.getBoundingClientRect().width, bright: share((g) => g > 170), dark: share((g) => g < 85),
  };
})`

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
