package e2e

import (
	"fmt"
	"testing"
	"time"

	"sluice/internal/camera"
	"sluice/media"
)

// The rendition of TestRendition. Its source's picture is four times as large, and so noisy that bits are scarce.
const lowFPS, lowKbps = 10, 300

// TestRendition has the configuration add a rendition: it is made only while it is watched, once for all who choose it,
// in the size, at the rate and within the bits that it is to have. It runs alone: on a machine that has too much to do
// an encoder gives up pictures.
func TestRendition(t *testing.T) {
	noisy := barClip(t, ".h264", "-s", "640x352", "-vf", "noise=alls=30:allf=t", "-c:v", "libx264", "-profile:v", "baseline", "-preset", "veryfast", "-b:v", "3M")
	g := startTranscoder(t, fmt.Sprintf(`
transcode.linger = "10s"
[streams.bars]
source = %q
[streams.bars.renditions.low]
height = 176
fps = %d
max_bitrate_kbps = %d
`, startCamera(t, camera.Options{Clip: noisy}), lowFPS, lowKbps))
	g.awaitState(t, "bars", "ready", cameraLimit)
	p := openBrowser(t, chromium).open(t, g.page("bars"))
	p.awaitPicture(25)
	p.awaitSize(640, 352)
	g.checkMade(t, "bars", "", "")

	p.choose("low")
	p.awaitSize(320, 176)
	p.checkSession(1)
	p.checkRate(6 * time.Second)
	p.screenshot("low")
	g.checkMade(t, "bars", "h264", "")

	small := []*viewer{g.watch(t, "bars?maxwidth=400"), g.watch(t, "bars?maxbitrate=400")}
	for _, v := range small {
		v.awaitFrames(t, 20)
	}
	g.checkMade(t, "bars", "h264", "")
	if n := g.stream(t, "bars").Viewers; n != 3 {
		t.Errorf("%d viewers watch, want 3", n)
	}
	for _, v := range small {
		v.close()
		v.checkVideo(t, media.H264, 20)
		if w := v.widths(t); len(w) != 1 || w[0] != 320 {
			t.Errorf("a viewer who wants little gets pictures %v wide, want 320", w)
		}
	}

	p.choose("")
	p.awaitSize(640, 352)
	left := time.Now() // a moment after the switch, or some seconds where the machine is busy
	eventually(t, playLimit, func() string {
		if made := g.stream(t, "bars").Transcodes; len(made) > 0 {
			return fmt.Sprintf("it is made still: %+v", made)
		}
		return ""
	})
	if took := time.Since(left); took < time.Second {
		t.Errorf("the encoder ended %v after the last viewer had left, want it to linger", took)
	}
	p.checkSession(1)
}

// choose picks a rendition from the page's menu; "" leaves it to the gateway.
func (p *page) choose(rid string) {
	p.t.Helper()
	p.await(playLimit, func(look) string {
		var there bool
		p.evaluate(fmt.Sprintf(`(() => {
			const menu = document.getElementById('quality');
			menu.value = %q;
			menu.dispatchEvent(new Event('change'));
			return !menu.hidden && menu.value === %q;
		})()`, rid, rid), &there)
		if !there {
			return "the page's menu has no " + rid
		}
		return ""
	})
}

// checkRate looks how many pictures, and how many bits of them, come within some time. Fewer come while the machine is
// busy, and after that more.
func (p *page) checkRate(length time.Duration) {
	p.t.Helper()
	eventually(p.t, 5*length, func() string {
		began, first := time.Now(), p.look()
		time.Sleep(length)
		took, last := time.Since(began).Seconds(), p.look()
		fps := float64(last.FramesDecoded-first.FramesDecoded) / took
		kbps := float64(last.VideoBytes-first.VideoBytes) * 8 / 1000 / took
		p.t.Logf("%.1f pictures and %.0f kbit a second", fps, kbps)
		if fps > lowFPS*1.2 || kbps > lowKbps*1.25 || fps < lowFPS*0.7 || kbps < lowKbps/3 {
			return fmt.Sprintf("%.1f pictures and %.0f kbit come in a second, want %d and %d", fps, kbps, lowFPS, lowKbps)
		}
		return ""
	})
}
