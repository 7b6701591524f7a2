package e2e

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/camera"
	"sluice/media"
)

// A camera that sends a keyframe every ten seconds. A viewer comes between the third and the sixth of them, so that
// none is near.
const (
	longGOP   = 10 * time.Second
	middle    = 3 * time.Second
	middleEnd = 6 * time.Second
)

// instantLimit is from the request to the first picture. The issue wants 250 ms of a quiet machine; the next keyframe
// is four seconds away.
const instantLimit = 3 * time.Second

// longCamera has a keyframe every ten seconds, and tells when.
type longCamera struct {
	url  string
	stop func()

	mu        sync.Mutex
	keyframes int       // guarded by mu; so far
	at        time.Time // guarded by mu; of the last
}

// startLongCamera runs such a camera of a codec and Opus at an address.
func startLongCamera(t *testing.T, codec media.Codec, address string) *longCamera {
	t.Helper()
	picture, err := camera.Load(longGOPFile(t, codec))
	if err != nil {
		t.Fatal(err)
	}
	c := &longCamera{}
	c.url, c.stop = runCamera(t, camera.Options{Clip: camera.Join(picture, clip(t, media.Opus)), Listen: address, Sending: c.note})
	return c
}

// note is told of each unit before it is sent.
func (c *longCamera) note(track media.Track, u camera.Sent) {
	const ticks = uint32(longGOP / time.Second * 90000)
	if track.Kind == media.Video && u.Timestamp%ticks == 0 {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.keyframes++
		c.at = time.Now()
	}
}

func (c *longCamera) sent() (keyframes int, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keyframes, c.at
}

// awaitMiddle waits until a keyframe has been sent and the next one is far away. A camera that stood still leaves one out.
func (c *longCamera) awaitMiddle(t *testing.T) {
	t.Helper()
	before, _ := c.sent()
	eventually(t, 4*longGOP, func() string {
		n, at := c.sent()
		if since := time.Since(at); n == before || since < middle || since > middleEnd {
			return fmt.Sprintf("it is %v after keyframe %d", since, n)
		}
		return ""
	})
}

// encoders are ffmpeg's for pictures that need not wait for others.
var encoders = map[media.Codec]struct{ ending, options string }{
	media.H264: {".h264", "-c:v libx264 -preset veryfast -profile:v baseline -bf 0 -sc_threshold 0"},
	media.H265: {".h265", "-f hevc -c:v libx265 -preset ultrafast -x265-params scenecut=0:bframes=0:open-gop=0:keyint=250:min-keyint=250:log-level=error"},
	media.VP8:  {".ivf", "-c:v libvpx -deadline realtime -cpu-used 8 -auto-alt-ref 0 -b:v 300k"},
	media.VP9:  {".ivf", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -auto-alt-ref 0 -lag-in-frames 0 -b:v 300k"},
	media.AV1:  {".ivf", "-c:v libaom-av1 -usage realtime -cpu-used 8 -lag-in-frames 0 -b:v 300k"},
}

// longGOPFile makes ten seconds of moving pictures with one keyframe.
func longGOPFile(t *testing.T, codec media.Codec) string {
	t.Helper()
	e := encoders[codec]
	path := filepath.Join(t.TempDir(), string(codec)+e.ending)
	args := []string{"-hide_banner", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=10", "-pix_fmt", "yuv420p", "-g", "250"}
	tool(t, "ffmpeg", append(append(args, strings.Fields(e.options)...), path)...)
	return path
}

// TestInstantPicture joins a camera in the middle of a GOP of ten seconds: the picture is there at once, moves on, and
// is in step with the sound.
//
// Proves F24 and B12 as seen by a browser and by a peer.
func TestInstantPicture(t *testing.T) {
	t.Parallel()
	for _, codec := range []media.Codec{media.H264, media.H265, media.VP8, media.VP9, media.AV1} {
		t.Run(string(codec), func(t *testing.T) {
			t.Parallel()
			c := startLongCamera(t, codec, "")
			g := startGateway(t, fmt.Sprintf("streams.door.source = %q\n", c.url))
			g.awaitState(t, "door", "ready", cameraLimit)
			g.checkInstant(t, c, codec)
			if codec != media.H265 {
				g.checkInstantPage(t, c)
			}
		})
	}
}

// checkSoon wants a join to take no longer than the limit, the best of some: a busy machine may hold one up, and no
// keyframe is near enough to help.
func (c *longCamera) checkSoon(t *testing.T, join func() time.Duration) {
	t.Helper()
	const joins = 3
	for range joins {
		c.awaitMiddle(t)
		took := join()
		t.Logf("the first picture comes after %v", took.Round(time.Millisecond))
		if took <= instantLimit {
			return
		}
	}
	t.Errorf("the first picture comes after more than %v, %d times", instantLimit, joins)
}

// checkInstant wants the picture at once, and all of it.
func (g *gatewayProcess) checkInstant(t *testing.T, c *longCamera, codec media.Codec) {
	t.Helper()
	var v *viewer
	c.checkSoon(t, func() time.Duration {
		began := time.Now()
		v = g.watch(t, "door")
		v.awaitFrames(t, 1)
		return time.Since(began)
	})
	const cached = int(middle/time.Second) * 25
	v.awaitFrames(t, cached+25)
	v.awaitPackets(t, media.Audio, 50)
	g.checkWay(t, "door", "")
	v.close()
	v.checkVideo(t, codec, cached+25)
	v.checkAudio(t, media.Opus)
}

// checkInstantPage joins with Chromium.
func (g *gatewayProcess) checkInstantPage(t *testing.T, c *longCamera) {
	t.Helper()
	const tries = 5
	p := openBrowser(t, chromium).openPeer(t, g.whep("door"))
	for try := 1; ; try++ {
		c.checkSoon(t, func() time.Duration {
			p.start(map[string]any{"url": g.whep("door"), "role": "play"})
			return p.awaitShown()
		})
		time.Sleep(time.Second) // the burst that a viewer begins with is not looked at
		freezes := p.freezes()
		if freezes == "" {
			break
		}
		if try == tries {
			t.Error(freezes)
			break
		}
		t.Log(freezes)
	}
	p.awaitSync()
}

// awaitShown waits for the first picture to be shown, and tells how long that took.
func (p *pagePeer) awaitShown() time.Duration {
	p.t.Helper()
	var s pageStats
	eventually(p.t, mediaLimit, func() string {
		if s = p.stats(); s.Shown == 0 {
			return fmt.Sprintf("no picture is shown: %+v", s)
		}
		return ""
	})
	return time.Duration(s.Shown * float64(time.Millisecond))
}

// freezes watches for five seconds, and says how the picture froze; "" if it did not. A page that stands still shows no
// picture meanwhile. A busy machine makes it freeze at times, a gateway that sends wrongly each time that somebody joins.
func (p *pagePeer) freezes() string {
	p.t.Helper()
	const most = 500 // milliseconds
	before := p.stats().Decoded
	p.call("watch", nil, nil)
	time.Sleep(5 * time.Second) // the span that is watched
	s := p.stats()
	if s.Gap <= most+s.Stall && s.Decoded-before >= 5*25/2 {
		return ""
	}
	return fmt.Sprintf("no picture for %.0f ms, while the page itself stood still for %.0f ms: %+v", s.Gap, s.Stall, s)
}

// awaitSync waits until the page knows how picture and sound come, and wants them in step.
func (p *pagePeer) awaitSync() {
	p.t.Helper()
	const most = 200 // milliseconds
	eventually(p.t, mediaLimit, func() string {
		switch s := p.stats(); {
		case s.Drift == nil:
			return "it is not known how picture and sound come"
		case math.Abs(*s.Drift) > most:
			return fmt.Sprintf("the picture comes %.0f ms ahead of the sound", *s.Drift)
		}
		return ""
	})
}

// TestStartAtKeyframe joins a stream whose viewers are to wait for the next keyframe.
//
// Proves F24 for streams with start = "keyframe".
func TestStartAtKeyframe(t *testing.T) {
	t.Parallel()
	c := startLongCamera(t, media.H264, "")
	g := startGateway(t, fmt.Sprintf("streams.door = { source = %q, start = \"keyframe\" }\n", c.url))
	g.awaitState(t, "door", "ready", cameraLimit)
	c.awaitMiddle(t)
	before, _ := c.sent()
	v := g.watch(t, "door")
	v.awaitPackets(t, media.Audio, 10)
	v.awaitFrames(t, 1)
	if after, _ := c.sent(); after == before {
		t.Error("the picture did not wait for a keyframe")
	}
	v.awaitFrames(t, 25)
	v.close()
	v.checkVideo(t, media.H264, 25)
}

// TestInstantPictureReturns kills a camera and starts it again: who comes then gets the picture at once, as before, and
// who has stayed goes on.
//
// Proves F24 and B11 for a camera that comes back.
func TestInstantPictureReturns(t *testing.T) {
	t.Parallel()
	first := startLongCamera(t, media.H264, freeAddress(t))
	g := startGateway(t, fmt.Sprintf("streams.door.source = %q\n", first.url))
	g.awaitState(t, "door", "ready", cameraLimit)
	stays := g.watch(t, "door")
	stays.awaitFrames(t, 1)
	first.stop()
	eventually(t, cameraLimit, func() string {
		if g.stream(t, "door").State == "ready" {
			return "the stream does not notice that its camera is gone"
		}
		return ""
	})
	second := startLongCamera(t, media.H264, hostOf(first.url))
	g.awaitState(t, "door", "ready", cameraLimit)
	g.checkInstant(t, second, media.H264)
	stays.awaitFramesMore(t, 25)
	stays.close()
	stays.checkVideo(t, media.H264, 25)
}
