package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/internal/testmedia"
	"sluice/media"
)

const outage = 5 * time.Second

// From a camera's return to a picture. The first limit is the issue's, where viewers have kept their sessions: the
// gateway tries again within 1.2 s, a keyframe follows within one. A page that has no session yet lets the gateway
// hold its request for the camera.
const (
	returnLimit = 3 * time.Second
	comeLimit   = 3 * time.Second
)

// cameraAt serves the test stream with a keyframe each second at an address, or at a free one.
func cameraAt(t *testing.T, address string) (p *process, url string) {
	t.Helper()
	return gatewayCamera(t, testFile(t, "camera.h264", fileOf(media.H264)), "--listen", address)
}

func fileOf(codec media.Codec) []byte {
	_, data := testmedia.File(codec)
	return data
}

// hostOf is the host:port of a camera's URL.
func hostOf(url string) string {
	return strings.Split(strings.TrimPrefix(url, "rtsp://"), "/")[0]
}

// TestCameraReturns kills a camera for five seconds: the page says so, and plays again by itself.
//
// Proves E3, E4 and B11 as a user sees them.
func TestCameraReturns(t *testing.T) {
	t.Parallel()
	first, url := cameraAt(t, "127.0.0.1:0")
	g := startGateway(t, fmt.Sprintf("streams.door.source = %q\n", url))
	p := openBrowser(t, chromium).open(t, g.page("door"))
	v := g.watch(t, "door")
	before := p.awaitPicture(10)

	gone := time.Now()
	first.kill()
	p.awaitBanner("waiting", outage, "offline")
	p.screenshot("offline")
	time.Sleep(time.Until(gone.Add(outage)))
	down := p.look()
	cameraAt(t, hostOf(url))
	back := time.Now()
	after := p.await(playLimit, func(l look) string {
		if l.FramesDecoded <= down.FramesDecoded && l.Connections == down.Connections || l.State != "playing" || l.Banner != "" {
			return "it does not play again"
		}
		return ""
	})
	checkReturn(t, time.Since(back), returnLimit)
	if after.Born != before.Born {
		t.Error("the page was loaded anew")
	}
	packets := len(v.snapshot(media.Video).packets)
	v.awaitMore(t, media.Video, packets+30, packetLimit)
	v.close()
	checkPackets(t, media.Video, v.snapshot(media.Video).packets) // one timeline for the viewer, gapless
}

// TestCameraComesLater starts the gateway before its camera.
func TestCameraComesLater(t *testing.T) {
	t.Parallel()
	first, url := cameraAt(t, "127.0.0.1:0") // for an address
	first.kill()
	g := startGateway(t, fmt.Sprintf("streams.door.source = %q\n", url))
	p := openBrowser(t, chromium).open(t, g.page("door"))
	began := time.Now()
	l := p.awaitBanner("waiting", playLimit, "offline", "refuses the connection")
	time.Sleep(time.Until(began.Add(outage)))
	cameraAt(t, hostOf(url))
	back := time.Now()
	after := p.await(playLimit, func(l look) string {
		if l.FramesDecoded == 0 || l.State != "playing" || l.Banner != "" {
			return "it does not play"
		}
		return ""
	})
	checkReturn(t, time.Since(back), comeLimit)
	if after.Born != l.Born {
		t.Error("the page was loaded anew")
	}
}

func checkReturn(t *testing.T, took, limit time.Duration) {
	t.Helper()
	t.Logf("a picture %v after the camera's return", took.Round(10*time.Millisecond))
	if took > limit {
		t.Errorf("a picture came %v after the camera's return, want at most %v", took, limit)
	}
}
