package e2e

import (
	"fmt"
	"image/jpeg"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/internal/camera"
	"sluice/internal/testworker"
	"sluice/media"
)

// made is what the API tells of an encoder.
type made struct {
	Rendition, Kind, Codec, Encoder, State, Error string
	PID, Restarts                                 int
	FirstFrameMs                                  float64 `json:"first_frame_ms"`
}

// startTranscoder runs a gateway with the GStreamer worker and room for as many encoders as the tests want.
func startTranscoder(t *testing.T, config string) *gatewayProcess {
	t.Helper()
	return startGateway(t, fmt.Sprintf("transcode.worker = %q\ntranscode.max_workers = 16\n%s", testworker.GST(t), config))
}

// motionJPEG are ffmpeg's arguments for pictures with the usual Huffman tables, the only ones that RTP has (RFC 2435, 4.1).
var motionJPEG = []string{"-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "5", "-huffman", "default"}

// stranger is a stream that Chromium takes in part or not at all, with the bar's picture. It says what it has to be
// made anew into: "" is passed on.
type stranger struct {
	name         string
	ending       string
	encoder      []string
	sound        media.Codec
	video, audio string
}

var strangers = []stranger{
	{"h265-aac", ".h265", h265As("yuv420p", "-s", "1280x720"), media.AAC, "h264", "opus"}, // J147
	{"b-frames", ".mp4", []string{"-c:v", "libx264", "-profile:v", "high", "-bf", "2", "-b_strategy", "0"}, "", "h264", ""},
	{"mjpeg", ".mjpeg", motionJPEG, "", "h264", ""},
	{"mpeg4", ".mp4", []string{"-c:v", "mpeg4", "-q:v", "4", "-bf", "0"}, "", "h264", ""},
	{"h264-aac", ".h264", []string{"-c:v", "libx264", "-profile:v", "baseline"}, media.AAC, "", "opus"},
	{"h264-lpcm", ".h264", []string{"-c:v", "libx264", "-profile:v", "baseline"}, media.LPCM, "", "opus"},
}

// TestTranscoded plays what no browser takes as it is: all pictures are decoded in Chromium, in the order of the clip,
// and the sound is heard.
//
// Proves F40 and J147 as seen by a browser.
func TestTranscoded(t *testing.T) {
	t.Parallel()
	playStrangers(t, strangers)
}

// playStrangers has Chromium play streams, one after the other.
func playStrangers(t *testing.T, all []stranger) {
	t.Helper()
	var config strings.Builder
	for _, s := range all {
		parts := []*camera.Clip{barClip(t, s.ending, s.encoder...)}
		if s.sound != "" {
			parts = append(parts, clip(t, s.sound))
		}
		fmt.Fprintf(&config, "streams.%s.source = %q\n", s.name, startCamera(t, camera.Options{Clip: camera.Join(parts...)}))
	}
	g := startTranscoder(t, config.String())
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) {
			g.awaitState(t, s.name, "ready", cameraLimit)
			p := openBrowser(t, chromium).open(t, g.page(s.name))
			first := p.awaitPicture(50)
			checkOrder(t, p.awaitShown(60))
			if s.sound != "" {
				p.awaitTone(testTone)
			}
			l := p.look()
			t.Logf("first picture after %s ms, of the encoder after %.0f; %d pictures decoded",
				first.StartedIn, g.firstFrame(t, s.name), l.FramesDecoded)
			g.checkMade(t, s.name, s.video, s.audio)
			p.screenshot("playing")
		})
	}
}

// firstFrame is how long the slowest encoder of a stream took from its start to its first frame, in milliseconds.
func (g *gatewayProcess) firstFrame(t *testing.T, stream string) float64 {
	t.Helper()
	slowest := 0.0
	for _, m := range g.stream(t, stream).Transcodes {
		slowest = max(slowest, m.FirstFrameMs)
	}
	return slowest
}

// checkMade wants one running encoder of a picture's codec and one of a sound's; "" wants none.
func (g *gatewayProcess) checkMade(t *testing.T, stream, video, audio string) {
	t.Helper()
	var all []made
	eventually(t, playLimit, func() string { // one that is given another load has no process for a moment
		all = g.stream(t, stream).Transcodes
		if slices.ContainsFunc(all, func(m made) bool { return m.State != "running" || m.PID == 0 }) {
			return fmt.Sprintf("not all encoders of %s run: %+v", stream, all)
		}
		return ""
	})
	found := map[string]string{}
	for _, m := range all {
		if m.Restarts != 0 || found[m.Kind] != "" {
			t.Errorf("an encoder of %s is not alone and well: %+v", stream, m)
		}
		found[m.Kind] = m.Codec
	}
	if found["video"] != video || found["audio"] != audio {
		t.Errorf("%s is made anew into %v, want %q and %q", stream, found, video, audio)
	}
}

// startBars runs a gateway with a stream "bars" that has to be made anew.
func startBars(t *testing.T) *gatewayProcess {
	t.Helper()
	url := startCamera(t, camera.Options{Clip: barClip(t, ".mjpeg", motionJPEG...)})
	g := startTranscoder(t, fmt.Sprintf("streams.bars.source = %q\n", url))
	g.awaitState(t, "bars", "ready", cameraLimit)
	return g
}

// TestOneEncoder has ten viewers share one worker process.
func TestOneEncoder(t *testing.T) {
	t.Parallel()
	g := startBars(t)
	g.watch(t, "bars").awaitFrames(t, 10)
	g.checkMade(t, "bars", "h264", "")
	pid := g.stream(t, "bars").Transcodes[0].PID
	var others []*viewer
	for range 9 {
		others = append(others, g.watch(t, "bars"))
	}
	for _, v := range others {
		v.awaitFrames(t, 40)
	}
	g.checkMade(t, "bars", "h264", "")
	if s := g.stream(t, "bars"); s.Viewers != 10 || s.Transcodes[0].PID != pid {
		t.Errorf("%d viewers watch what process %d makes, want 10 and still %d", s.Viewers, s.Transcodes[0].PID, pid)
	}
	if n := g.metric(t, "sluice_transcode_jobs"); n != 1 {
		t.Errorf("the metrics count %d encoders, want 1", n)
	}
	if n := g.metric(t, "sluice_worker_starts_total"); n < 1 {
		t.Errorf("the metrics count %d starts of workers", n)
	}
	for _, v := range others {
		v.close()
		v.checkVideo(t, media.H264, 40)
	}
}

// TestWorkerFaults kills and stops the encoder's process: the browser goes on in the same session, and soon, the best of
// some: a busy machine takes its time to start a process.
func TestWorkerFaults(t *testing.T) {
	const watchdog = 2 * time.Second // without output, until a worker is taken for hung
	for name, c := range map[string]struct {
		signal syscall.Signal
		limit  time.Duration
	}{
		"killed":  {syscall.SIGKILL, 2 * time.Second},
		"crashed": {syscall.SIGSEGV, 2 * time.Second},
		"stopped": {syscall.SIGSTOP, watchdog + 3*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			const faults = 3
			for range faults {
				if gapAt(t, c.signal) <= c.limit {
					return
				}
			}
			t.Errorf("no picture for more than %v, %d times", c.limit, faults)
		})
	}
}

// gapAt sends a signal to an encoder's process while a browser plays, and returns how long that shows no picture.
func gapAt(t *testing.T, signal syscall.Signal) time.Duration {
	t.Helper()
	g := startBars(t)
	p := openBrowser(t, chromium).open(t, g.page("bars"))
	p.awaitPicture(25)
	p.awaitShown(25)
	was := g.stream(t, "bars").Transcodes
	if len(was) != 1 || was[0].PID == 0 {
		t.Fatalf("the API names no worker: %+v", was)
	}
	_, now := p.shown()
	if err := syscall.Kill(was[0].PID, signal); err != nil {
		t.Fatal(err)
	}
	eventually(t, playLimit, func() string { // pictures from before may be shown for a while
		is := g.stream(t, "bars").Transcodes
		if len(is) != 1 || is[0].State != "running" || is[0].PID == was[0].PID || is[0].Restarts != was[0].Restarts+1 {
			return fmt.Sprintf("the API tells of %+v, want one worker with one restart more", is)
		}
		return ""
	})
	_, back := p.shown()
	p.awaitGap(back, 25, playLimit)
	gap := p.awaitGap(now, 50, playLimit)
	t.Logf("no picture for %v", gap.Round(time.Millisecond))
	p.checkSession(1)
	return gap
}

// TestWithoutWorker wants a sentence that says what is missing, and what to do, from the endpoint, on the page and for
// the snapshot; what passes through is played all the same.
func TestWithoutWorker(t *testing.T) {
	t.Parallel()
	bars, door := startCameraOf(t, media.MJPEG), startCameraOf(t, media.H264)
	for name, c := range map[string]struct{ config, says string }{
		"off":          {"transcode.worker = \"off\"\n", "transcode.worker"},
		"another path": {"transcode.worker = \"/nonexistent/gateway-gst\"\n", "gateway-gst is not at /nonexistent/gateway-gst: install the package sluice-gst"},
		"nowhere":      {"", "gateway-gst is not installed: install the package sluice-gst"}, // neither beside the gateway nor in PATH
	} {
		t.Run(name, func(t *testing.T) {
			if path, err := exec.LookPath("gateway-gst"); err == nil && c.config == "" {
				t.Skipf("%s is installed", path)
			}
			g := startGateway(t, fmt.Sprintf("%sstreams.bars.source = %q\nstreams.door.source = %q\n", c.config, bars, door))
			g.awaitState(t, "bars", "ready", cameraLimit)
			g.awaitState(t, "door", "ready", cameraLimit)
			g.checkLacks(t, "The camera sends Motion JPEG", c.says)
			if status, body := g.get(t, "door/snapshot.jpg"); status != http.StatusServiceUnavailable || !strings.Contains(body, c.says) {
				t.Errorf("the snapshot is answered with %d %s, want 503 and the reason", status, body)
			}
			openBrowser(t, chromium).open(t, g.page("door")).awaitPicture(25)
		})
	}
}

// checkLacks wants the stream "bars" to be refused in words that the page shows as well.
func (g *gatewayProcess) checkLacks(t *testing.T, sentence ...string) {
	t.Helper()
	_, refused := g.ask(t, "bars")
	if refused == nil || refused.Status != http.StatusUnprocessableEntity {
		t.Fatalf("refused with %+v, want 422", refused)
	}
	for _, words := range sentence {
		if !strings.Contains(refused.Detail, words) {
			t.Errorf("the detail %q does not say %q", refused.Detail, words)
		}
	}
	p := openBrowser(t, chromium).open(t, g.page("bars"))
	p.awaitBanner("error", playLimit, sentence...)
	p.screenshot("refused")
}

// TestPipelineSource plays a pipeline of the configuration, whose raw picture is encoded without a word about it.
func TestPipelineSource(t *testing.T) {
	t.Parallel()
	g := startTranscoder(t, `streams.ball.source = "gst:videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=180,framerate=25/1"`)
	g.awaitState(t, "ball", "ready", cameraLimit)
	p := openBrowser(t, chromium).open(t, g.page("ball"))
	p.awaitPicture(50)
	if l := p.look(); l.Width != 320 || l.Height != 180 {
		t.Errorf("the picture has %dx%d, want 320x180", l.Width, l.Height)
	}
	p.screenshot("playing")
}

// TestSnapshot wants a picture of a camera's, whatever it sends.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	codecs := []media.Codec{media.H264, media.H265, media.VP8, media.VP9, media.AV1, media.MPEG4Video}
	var config strings.Builder
	for _, codec := range codecs {
		fmt.Fprintf(&config, "streams.%s.source = %q\n", codec, startCameraOf(t, codec))
	}
	g := startTranscoder(t, config.String())
	for _, codec := range codecs {
		g.awaitState(t, string(codec), "ready", cameraLimit)
		var body string
		eventually(t, playLimit, func() string {
			status := 0
			if status, body = g.get(t, string(codec)+"/snapshot.jpg"); status != http.StatusOK {
				return fmt.Sprintf("%s: %d %s", codec, status, body)
			}
			return ""
		})
		checkJPEG(t, codec, body)
	}
}

// checkJPEG wants a picture of the test streams' size that has bright and dark points.
func checkJPEG(t *testing.T, codec media.Codec, data string) {
	t.Helper()
	picture, err := jpeg.Decode(strings.NewReader(data))
	if err != nil {
		t.Errorf("%s: no JPEG: %v", codec, err)
		return
	}
	size := picture.Bounds()
	if size.Dx() != 320 || size.Dy() != 180 {
		t.Errorf("%s: the snapshot has %v, want 320x180", codec, size)
	}
	bright, dark := 0, 0
	for y := range size.Dy() {
		for x := range size.Dx() {
			switch _, green, _, _ := picture.At(x, y).RGBA(); {
			case green > 0xB000:
				bright++
			case green < 0x5000:
				dark++
			}
		}
	}
	if bright < 1000 || dark < 1000 {
		t.Errorf("%s: the snapshot has %d bright and %d dark points, want a test picture", codec, bright, dark)
	}
}
