package e2e

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/internal/camera"
	"sluice/media"
)

// plugins are faults of elements between decoder and encoder.
var plugins = []struct {
	name, process string
	says          string // of the API, once the worker has ended
	restarts      int    // to wait for; 0: it is not started again
	plays         bool   // in between
}{
	{"errs", "identity error-after=100", "identity", 2, true}, // every four seconds
	{"ends", "identity eos-after=100", "ended", 2, true},
	{"hangs", "identity sleep-time=30000000", "no output", 1, false},
	{"eats", "videoscale method=nearest-neighbour ! video/x-raw,width=7680,height=4320 ! queue max-size-buffers=0 max-size-bytes=0 max-size-time=0 min-threshold-buffers=1000", "memory", 1, false},
	{"bursts", "videoscale ! video/x-raw,width=16384,height=16384", "16384", 0, false},
	{"lacks", "nosuchelement", `"nosuchelement" is not installed`, 0, false},
}

// TestPluginFaults has elements fail in all ways that they have, each beside a stream that is passed on: of that no
// packet is lost, and where the fault is one that may pass, who watches stays.
func TestPluginFaults(t *testing.T) {
	t.Parallel()
	for _, c := range plugins {
		t.Run(c.name, func(t *testing.T) {
			g := startTranscoder(t, fmt.Sprintf(`
streams.beside.source = %q
[streams.bars]
source = %q
process = %q
`, startCameraOf(t, media.H264, media.Opus), startCamera(t, camera.Options{Clip: barClip(t, ".mjpeg", motionJPEG...)}), c.process))
			g.awaitState(t, "bars", "ready", cameraLimit)
			g.awaitState(t, "beside", "ready", cameraLimit)
			other := g.watch(t, "beside")
			other.awaitFrames(t, 10)
			p := openBrowser(t, chromium).open(t, g.page("bars"))
			if c.plays {
				p.awaitPicture(25)
				p.shown()
			}
			p.checkFault(g, c.says, c.restarts)
			if c.plays {
				p.checkLongest(p.awaitShown(200), 5*time.Second)
				p.checkSession(1)
			}
			p.screenshot("fault")
			other.close()
			other.checkVideo(t, media.H264, 10)
			other.checkAudio(t, media.Opus)
		})
	}
}

// checkFault waits until the encoder of the stream "bars" has been started again some times, and has said why; then
// the page has kept its session. A fault that stays is told on the page.
func (p *page) checkFault(g *gatewayProcess, says string, restarts int) {
	p.t.Helper()
	if restarts == 0 {
		l := p.awaitBanner("error", playLimit, says)
		p.t.Logf("the page says %q", l.Banner)
		return
	}
	began, said := time.Now(), ""
	var now made
	eventually(p.t, 90*time.Second, func() string {
		for _, now = range g.stream(p.t, "bars").Transcodes {
			said = cmp.Or(now.Error, said)
		}
		if now.Restarts < restarts || !strings.Contains(said, says) {
			return fmt.Sprintf("it is %+v and has said %q, want %d restarts and %q", now, said, restarts, says)
		}
		return ""
	})
	p.t.Logf("after %v: %s", time.Since(began).Round(time.Millisecond), said)
	if l := p.look(); l.Connections != 1 {
		p.t.Errorf("the page has made %d connections, want 1", l.Connections)
	}
}
