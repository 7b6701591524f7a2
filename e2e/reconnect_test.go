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
	camera, url := cameraAt(t, freeAddress(t))
	g := startGateway(t, fmt.Sprintf("streams.door.source = %q\n", url))
	p := openBrowser(t, chromium).open(t, g.page("door"))
	v := g.watch(t, "door")
	before := p.awaitPicture(10)
	checkReturn(t, returnLimit, func() time.Duration {
		gone := time.Now()
		camera.kill()
		p.awaitBanner("waiting", playLimit, "offline")
		p.screenshot("offline")
		time.Sleep(time.Until(gone.Add(outage))) // the outage is as long as it says
		down := p.look()
		camera, _ = cameraAt(t, hostOf(url))
		back := time.Now()
		after := p.await(playLimit, func(l look) string {
			if l.FramesDecoded <= down.FramesDecoded && l.Connections == down.Connections || l.State != "playing" || l.Banner != "" {
				return "it does not play again"
			}
			return ""
		})
		if after.Born != before.Born {
			t.Error("the page was loaded anew")
		}
		return time.Since(back)
	})
	packets := len(v.snapshot(media.Video).packets)
	v.awaitMore(t, media.Video, packets+30, packetLimit)
	v.close()
	checkPackets(t, media.Video, v.snapshot(media.Video).packets) // one timeline for the viewer, gapless
}

// TestCameraComesLater starts the gateway before its camera.
func TestCameraComesLater(t *testing.T) {
	t.Parallel()
	checkReturn(t, comeLimit, func() (took time.Duration) {
		t.Run("outage", func(t *testing.T) { took = awaitLateCamera(t) }) // closes its page
		return took
	})
}

// awaitLateCamera tells how long after its camera a page plays.
func awaitLateCamera(t *testing.T) time.Duration {
	t.Helper()
	address := freeAddress(t)
	url := "rtsp://" + address + "/stream"
	g := startGateway(t, fmt.Sprintf("streams.door.source = %q\n", url))
	p := openBrowser(t, chromium).open(t, g.page("door"))
	began := time.Now()
	l := p.awaitBanner("waiting", playLimit, "offline", "refuses the connection")
	time.Sleep(time.Until(began.Add(outage)))
	_, at := cameraAt(t, address)
	back := time.Now()
	if at != url {
		t.Fatalf("the camera is at %s, want %s", at, url)
	}
	after := p.await(playLimit, func(l look) string {
		if l.FramesDecoded == 0 || l.State != "playing" || l.Banner != "" {
			return "it does not play"
		}
		return ""
	})
	took := time.Since(back)
	if after.Born != l.Born {
		t.Error("the page was loaded anew")
	}
	return took
}

// checkReturn wants the picture to come back within a limit, the best of some: a busy machine may hold it up.
func checkReturn(t *testing.T, limit time.Duration, outage func() time.Duration) {
	t.Helper()
	const outages = 5
	for range outages {
		took := outage()
		t.Logf("a picture %v after the camera's return", took.Round(10*time.Millisecond))
		if took <= limit {
			return
		}
	}
	t.Errorf("a picture came later than %v after the camera's return, %d times", limit, outages)
}
