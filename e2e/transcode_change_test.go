package e2e

import (
	"fmt"
	"testing"
	"time"

	"sluice/internal/camera"
)

// TestChangingPicture has a camera change the size of its picture every two seconds, without a word about it, while it
// is made anew: the browser shows both sizes, in order, in one session.
func TestChangingPicture(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ending  string
		encoder []string
	}{
		"h265":  {".h265", h265As("yuv420p")},
		"mjpeg": {".mjpeg", motionJPEG},
	} {
		t.Run(name, func(t *testing.T) {
			clip := changingClip(t, c.ending, c.encoder, "-s", "640x352")
			g := startTranscoder(t, fmt.Sprintf("streams.bars.source = %q\n", startCamera(t, camera.Options{Clip: clip})))
			g.awaitState(t, "bars", "ready", cameraLimit)
			p := openBrowser(t, chromium).open(t, g.page("bars"))
			p.awaitPicture(10)
			p.shown()
			for range 2 {
				p.awaitSize(320, 176)
				p.awaitSize(640, 352)
			}
			all, _ := p.shown()
			checkOrder(t, all)
			p.checkSession(1)
			p.checkLongest(all, 3*time.Second)
			if made := g.stream(t, "bars").Transcodes; len(made) != 1 || made[0].State != "running" || made[0].Restarts != 0 {
				t.Errorf("the API tells of %+v, want one encoder that runs well", made)
			}
		})
	}
}

// awaitSize waits until the browser shows pictures of a size.
func (p *page) awaitSize(width, height int) {
	p.t.Helper()
	p.await(playLimit, func(l look) string {
		if l.Width != width || l.Height != height {
			return fmt.Sprintf("the picture has %dx%d, want %dx%d", l.Width, l.Height, width, height)
		}
		return ""
	})
}

// checkSession wants the page to play over its n-th connection.
func (p *page) checkSession(n int) {
	p.t.Helper()
	l := p.await(playLimit, func(l look) string { // which it says up to half a second after the picture is there
		if l.State != "playing" {
			return "the page is " + l.State
		}
		return ""
	})
	if l.Connections != n {
		p.t.Errorf("the page plays over its connection %d, want number %d", l.Connections, n)
	}
}

// checkLongest wants no longer time between two pictures shown.
func (p *page) checkLongest(all []shownPicture, limit time.Duration) {
	p.t.Helper()
	gap := longest(all)
	p.t.Logf("no picture for %v at most", gap.Round(time.Millisecond))
	if gap > limit {
		p.t.Errorf("no picture for %v, want %v at most", gap, limit)
	}
}

// longest is the longest time between two pictures shown.
func longest(all []shownPicture) time.Duration {
	gap := 0.0
	for i := range all[1:] {
		gap = max(gap, all[i+1].At-all[i].At)
	}
	return time.Duration(gap * float64(time.Millisecond))
}

// TestTranscodedReturns takes the camera away while its picture is made anew, and brings it back: the browser goes on in
// the same session.
func TestTranscodedReturns(t *testing.T) {
	t.Parallel()
	o := camera.Options{Clip: barClip(t, ".h265", h265As("yuv420p")...), Listen: freeAddress(t)}
	source, stop := runCamera(t, o)
	g := startTranscoder(t, fmt.Sprintf("streams.bars.source = %q\n", source))
	g.awaitState(t, "bars", "ready", cameraLimit)
	p := openBrowser(t, chromium).open(t, g.page("bars"))
	p.awaitPicture(25)
	p.awaitShown(10)

	stop()
	eventually(t, playLimit, func() string {
		if s := g.stream(t, "bars"); s.State == "ready" {
			return "the stream is still ready"
		}
		return ""
	})
	_, now := p.shown()
	startCamera(t, o)
	gap := p.awaitGap(now, 50, playLimit)
	t.Logf("no picture for %v", gap.Round(time.Millisecond))
	p.checkSession(1)
	g.checkMade(t, "bars", "h264", "")
}
