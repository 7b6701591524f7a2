package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/internal/camera"
	"sluice/internal/testworker"
	"sluice/media"
)

// examplesPage is the page whose examples are run.
const examplesPage = "../docs/pipelines.md"

// address is the camera's in the page.
const address = "rtsp://user:password@192.168.1.20:554/stream1"

// The headings of the page's examples.
const (
	patternExample   = "Test pattern with a clock and a tone"
	screenExample    = "The screen of an X display"
	srtExample       = "SRT"
	loopExample      = "A file, over and over"
	processExample   = "Name and time in the picture of a camera"
	recordingExample = "Record to fragmented MP4"
	hlsExample       = "HLS to a folder"
	v4l2Example      = "V4L2 camera (*untested*)"
	libcameraExample = "Camera of a Raspberry Pi (*untested*)"
	rtmpExample      = "RTMP (*untested*)"
)

var tomlBlock = regexp.MustCompile("(?ms)^```toml\n(.*?)^```")

// example returns the n-th block of TOML, from 0, below a heading of the page.
func example(t *testing.T, heading string, n int) string {
	t.Helper()
	page, err := os.ReadFile(examplesPage)
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n### "+heading+"\n")
	if !found {
		t.Fatalf("%s has no heading %q", examplesPage, heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	section, _, _ = strings.Cut(section, "\n### ")
	blocks := tomlBlock.FindAllStringSubmatch(section, -1)
	if n >= len(blocks) {
		t.Fatalf("%q has %d examples, want one more than %d", heading, len(blocks), n)
	}
	return blocks[n][1]
}

// startExample runs a gateway with an example of the page, in which only what cannot be the same on every machine is
// replaced: pairs of what has to stand in it, and what takes its place.
func startExample(t *testing.T, heading string, n int, replace ...string) *gatewayProcess {
	t.Helper()
	text := example(t, heading, n)
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			t.Fatalf("the example %q has no %q", heading, replace[i])
		}
		text = strings.ReplaceAll(text, replace[i], replace[i+1])
	}
	worker := fmt.Sprintf("worker = %q\nmax_workers = 16\n", testworker.GST(t))
	head, tail, found := strings.Cut(text, "[transcode]\n")
	if !found {
		head, tail = "", "\n"+text
	}
	return startGateway(t, "devices.worker = \"off\"\n"+head+"[transcode]\n"+worker+tail)
}

// checkPlays wants a number of pictures of a codec that can be decoded, in one row of packets, and sound if it is to be
// heard.
func (v *viewer) checkPlays(t *testing.T, codec media.Codec, frames int, sound bool) {
	t.Helper()
	v.awaitFrames(t, frames)
	if sound {
		v.awaitPackets(t, media.Audio, 60)
	}
	v.checkVideo(t, codec, frames)
	if sound {
		if volume := decodeSound(t, media.Opus, v.snapshot(media.Audio).packets); volume < -40 {
			t.Errorf("the sound has %.0f dB, want a tone", volume)
		}
	}
}

// TestExamplePattern shows bars with a clock that goes on, and lets a tone be heard.
func TestExamplePattern(t *testing.T) {
	t.Parallel()
	g := startExample(t, patternExample, 0)
	g.awaitState(t, "pattern", "ready", cameraLimit)
	v := g.watch(t, "pattern")
	v.checkPlays(t, media.H264, 75, true)
	all := v.grey(t, 1280, 720)
	first, last := all[0], all[len(all)-1]
	if first.differs(last, 0, 0, 400, 100) == 0 {
		t.Error("the clock stands still")
	}
	if n := first.differs(last, 0, 200, 600, 400); n > 0 {
		t.Errorf("%d points of the bars differ after two seconds", n)
	}
}

// TestExampleScreen shows the screen of an X server, whose left half a white window covers.
func TestExampleScreen(t *testing.T) {
	t.Parallel()
	display := startXvfb(t, "", "640x360").display
	start(t, "window", command("gst-launch-1.0", "-q", "videotestsrc", "pattern=white", "!", "video/x-raw,width=320,height=360,framerate=5/1", "!",
		"ximagesink", "display="+display))
	g := startExample(t, screenExample, 0, ":0", display)
	g.awaitState(t, "screen", "ready", cameraLimit)
	v := g.watch(t, "screen")
	v.checkPlays(t, media.H264, 50, false)
	eventually(t, playLimit, func() string { // the window may come later
		all := v.grey(t, 640, 360)
		last := all[len(all)-1]
		if left, right := last.mean(20, 20, 300, 340), last.mean(340, 20, 620, 340); left < 200 || right > 150 {
			return fmt.Sprintf("the window has a brightness of %d and the screen beside it of %d, want white and darker", left, right)
		}
		return ""
	})
}

// TestExampleSRT has ffmpeg call, leave and call again.
func TestExampleSRT(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	g := startExample(t, srtExample, 0, "9000", port)
	clip := filepath.Join(t.TempDir(), "call.ts")
	makeClip(t, clip, "testsrc2=s=320x180:r=25", 30)
	for round := range 2 {
		caller := start(t, "ffmpeg", command("ffmpeg", "-v", "error", "-nostdin", "-re", "-i", clip, "-c", "copy", "-f", "mpegts", "srt://127.0.0.1:"+port+"?mode=caller&connect_timeout=20000"))
		g.awaitState(t, "field", "ready", cameraLimit)
		g.watch(t, "field").checkPlays(t, media.H264, 75, true)
		caller.kill()
		if round == 0 {
			eventually(t, cameraLimit, func() string {
				if s := g.stream(t, "field"); s.State == "ready" {
					return "the stream is ready though nobody sends"
				}
				return ""
			})
		}
	}
}

// TestExampleLoop counts the pictures of a file that is played over and over.
func TestExampleLoop(t *testing.T) {
	t.Parallel()
	for n, c := range []struct {
		name, ending string
		gap          time.Duration
	}{
		{"without a gap", ".ts", 200 * time.Millisecond},
		{"by ending", ".mp4", 2 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "holiday"+c.ending)
			makeBars(t, path)
			g := startExample(t, loopExample, n, "/var/lib/sluice/holiday"+c.ending, path)
			g.awaitState(t, "holiday", "ready", cameraLimit)
			const tries = 3
			for range tries {
				if longestInLoop(t, g) <= c.gap {
					return
				}
			}
			t.Errorf("the pictures stop for more than %v, %d times", c.gap, tries)
		})
	}
}

// longestInLoop watches a file go round twice, and returns the longest time from one picture to the next: on a machine
// that stands still meanwhile, the next round begins late.
func longestInLoop(t *testing.T, g *gatewayProcess) time.Duration {
	t.Helper()
	v := g.watch(t, "holiday")
	v.awaitFrames(t, 3*barPictures)
	v.close()
	packets := v.snapshot(media.Video).packets
	checkPackets(t, media.Video, packets)
	var numbers []int
	for _, p := range v.grey(t, 320, 176) {
		numbers = append(numbers, p.bar())
	}
	checkRounds(t, numbers, 2)
	longest := longestStep(packets)
	t.Logf("the longest time from one picture to the next is %v", longest)
	return longest
}

// TestExampleProcess wants words over a grey picture, and grey beside them.
func TestExampleProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "grey.h264")
	tool(t, "ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=0x808080:s=640x360:r=25", "-frames:v", "50", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-profile:v", "baseline", "-g", "25", path)
	grey, err := camera.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	g := startExample(t, processExample, 0, address, startCamera(t, camera.Options{Clip: grey}))
	g.awaitState(t, "front-door", "ready", cameraLimit)
	v := g.watch(t, "front-door")
	v.checkPlays(t, media.H264, 50, false)
	all := v.grey(t, 640, 360)
	last := all[len(all)-1]
	for name, bright := range map[string]int{
		"the time, below left":  last.brighter(200, 0, 260, 320, 360),
		"the name, above right": last.brighter(200, 320, 0, 640, 100),
	} {
		if bright < 100 {
			t.Errorf("%s: %d bright points, want words", name, bright)
		}
	}
	if n := last.brighter(160, 0, 110, 640, 250); n > 0 {
		t.Errorf("%d bright points between the words, want grey", n)
	}
	g.checkMade(t, "front-door", "h264", "")
}

// TestExampleUntested sees that the worker understands what nothing here can play, and says what is missing.
func TestExampleUntested(t *testing.T) {
	t.Parallel()
	for heading, c := range map[string]struct{ stream, from, to, says string }{
		v4l2Example:      {"usb", "/dev/video0", "/dev/video99", "the pipeline failed: v4l2src: Cannot identify device"},
		libcameraExample: {"pi", "", "", `element "libcamerasrc" is not installed: apt install gstreamer1.0-libcamera`},
		rtmpExample:      {"remote", "192.0.2.20", "127.0.0.1:1", "the pipeline failed: rtmp2src: "},
	} {
		t.Run(c.stream, func(t *testing.T) {
			g := startExample(t, heading, 0, c.from, c.to)
			eventually(t, cameraLimit, func() string {
				if s := g.stream(t, c.stream); !strings.Contains(s.Error, c.says) {
					return fmt.Sprintf("it says %q, want %q", s.Error, c.says)
				}
				return ""
			})
		})
	}
}
