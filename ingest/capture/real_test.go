package capture

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/ingest"
	"sluice/internal/testsource"
	"sluice/internal/testworker"
	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
)

// encoders are those that every test machine has.
type encoders struct{}

func (encoders) Encoder(_ context.Context, c media.Codec) (pipeline.Encoder, error) {
	if c == media.Opus {
		return pipeline.FindEncoder("opusenc", c), nil
	}
	return pipeline.FindEncoder("x264enc", c), nil
}

// pools runs a pool of each worker until the test ends; "off" is none.
func pools(t *testing.T, capturePath, gstPath string, environ ...string) (capture, gst *worker.Pool) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var ended []chan struct{}
	run := func(name, path string) *worker.Pool {
		p := worker.New(worker.Options{
			Name: name, Path: path, Install: "install " + name, CacheDir: t.TempDir(), Environ: environ, Log: slog.New(slog.DiscardHandler),
		})
		done := make(chan struct{})
		ended = append(ended, done)
		go func() {
			defer close(done)
			if err := p.Run(ctx); err != nil {
				t.Errorf("the pool ended with %v", err)
			}
		}()
		return p
	}
	capture, gst = run(captureName, capturePath), run("gateway-gst", gstPath)
	t.Cleanup(func() {
		cancel()
		for _, done := range ended {
			<-done
		}
	})
	return capture, gst
}

func source(t *testing.T, device string, capture, gst *worker.Pool) *Source {
	t.Helper()
	s, err := New(Options{
		Device: device, Capture: capture, GST: gst, Encoders: encoders{}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// workers are the two ways to a device.
var workers = map[string]func(t *testing.T) (capture, gst *worker.Pool){
	"gateway-capture": func(t *testing.T) (capture, gst *worker.Pool) { return pools(t, testworker.Capture(t), "off") },
	"gateway-gst":     func(t *testing.T) (capture, gst *worker.Pool) { return pools(t, "off", testworker.GST(t)) },
}

// xvfb is an X server with a picture in it.
type xvfb struct {
	display string
	server  *exec.Cmd
}

// startXvfb starts an X server on display, or on a free one if that is "".
func startXvfb(t *testing.T, display string) *xvfb {
	t.Helper()
	if _, err := exec.LookPath("Xvfb"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("Xvfb is missing: apt install xvfb")
		}
		t.Skip("Xvfb is missing: apt install xvfb")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-displayfd", "3", "-screen", "0", "639x361x24", "-wr", "-nolisten", "tcp", "-noreset"}
	if display != "" {
		args = append([]string{display}, args...)
	}
	x := &xvfb{server: exec.Command("Xvfb", args...)}
	x.server.ExtraFiles = []*os.File{w}
	if err := x.server.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(x.kill)
	line, err := bufio.NewReader(r).ReadString('\n')
	r.Close()
	if err != nil {
		t.Fatalf("Xvfb does not start: %v", err)
	}
	x.display = ":" + strings.TrimSpace(line)
	return x
}

// kill may be called twice.
func (x *xvfb) kill() {
	_ = x.server.Process.Kill()
	_ = x.server.Wait()
}

// The screen of an X server is captured by either worker, can be decoded, and shows what is on it, which is white.
// Its size is odd, as 4:2:0 can't be.
func TestScreen(t *testing.T) {
	for name, start := range workers {
		t.Run(name, func(t *testing.T) {
			x := startXvfb(t, "")
			capture, gst := start(t)
			r := testsource.Start(t, source(t, "device:screen?fps=15&id="+x.display, capture, gst))
			v := r.Tracks(t, 1)[0]
			if v.Codec != media.H264 || v.Width/2*2 != v.Width || v.Width < 638 || v.Height < 360 || v.Height > 362 || !v.Profile.Known {
				t.Errorf("the picture is %+v", v)
			}
			if p := v.Profile.ProfileLevelID; p[0] != 66 || p[1]&0x40 == 0 {
				t.Errorf("the profile is %x, want constrained baseline", p)
			}
			pictures := testsource.Pictures(t, r.Units(t, "video", 15))
			if len(pictures) != 15 || pictures[14][testsource.Width*testsource.Height/2] < 220 {
				t.Errorf("%d of 15 pictures are decoded, the last with brightness %d, want white", len(pictures), pictures[len(pictures)-1][testsource.Width*testsource.Height/2])
			}
		})
	}
}

// Test pictures and sound of either worker can be decoded.
func TestTestDevices(t *testing.T) {
	for name, start := range workers {
		t.Run(name, func(t *testing.T) {
			capture, gst := start(t)
			r := testsource.Start(t, source(t, "videotest?width=320&height=240&fps=20", capture, gst))
			if v := r.Tracks(t, 1)[0]; v.Width != 320 || v.Height != 240 || v.Codec != media.H264 {
				t.Errorf("the picture is %+v", v)
			}
			units := r.Units(t, "video", 40)
			if n := len(testsource.Pictures(t, units)); n != 40 {
				t.Errorf("%d of 40 pictures are decoded", n)
			}
			if d := media.Duration(step(units), 90000); d < 40*time.Millisecond || d > 60*time.Millisecond {
				t.Errorf("pictures of 20 a second are %v apart", d)
			}
			prompt := time.Hour
			for _, u := range units {
				prompt = min(prompt, u.Arrived.Sub(media.Instant(u.PTS, 90000)))
			}
			if prompt < 0 || prompt > time.Second {
				t.Errorf("the promptest picture came %v after it was taken", prompt)
			}

			r = testsource.Start(t, source(t, "audiotest", capture, gst))
			if a := r.Tracks(t, 1)[0]; a.Codec != media.Opus || a.ClockRate != 48000 {
				t.Errorf("the sound is %+v", a)
			}
			units = r.Units(t, "audio", 100)
			if loudness, pitch := testsource.Sound(t, units); loudness < 0.05 || pitch < 465 || pitch > 495 {
				t.Errorf("the sound has %.0f Hz at %.2f, want 480 Hz", pitch, loudness)
			}
			if d := step(units); d < 955 || d > 965 {
				t.Errorf("packets of 20 ms are %d samples apart", d)
			}
		})
	}
}

// step is the time from one unit to the next. What a machine that stands still for a moment makes of some does not count.
func step(units []*media.AccessUnit) int64 {
	var all []int64
	for i := range units[1:] {
		all = append(all, units[i+1].PTS-units[i].PTS)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// Where GStreamer lacks the element for a device, gateway-capture takes over.
func TestTakeOver(t *testing.T) {
	capture, gst := pools(t, testworker.Capture(t), testworker.GST(t), "GST_PLUGIN_SYSTEM_PATH=/nonexistent")
	r := testsource.Start(t, source(t, "videotest?width=320&height=240", capture, gst))
	if n := len(testsource.Pictures(t, r.Units(t, "video", 5))); n != 5 {
		t.Errorf("%d of 5 pictures are decoded", n)
	}
}

// A screen that goes away and comes back, as a device that is pulled out and put in again, recovers by itself, under
// the same publisher if that takes no longer than a few seconds.
func TestDeviceComesBack(t *testing.T) {
	for name, start := range workers {
		t.Run(name, func(t *testing.T) {
			x := startXvfb(t, "")
			capture, gst := start(t)
			r := testsource.Start(t, source(t, "screen?id="+x.display, capture, gst))
			r.Units(t, "video", 5)
			x.kill()
			lost := time.Now()
			startXvfb(t, x.display)
			units := r.Units(t, "video", 10)
			if n := len(testsource.Pictures(t, units)); n != 10 {
				t.Errorf("%d of 10 pictures are decoded", n)
			}
			if n := r.Publications(); n != 1 && units[0].Arrived.Sub(lost) < 4*time.Second {
				t.Errorf("published %d times", n)
			}
		})
	}
}

// What is wrong is told in words, and whether a retry mends it.
func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		device    string
		start     func(t *testing.T) (capture, gst *worker.Pool)
		permanent bool
		says      []string
	}{
		"no worker": {"screen", func(t *testing.T) (capture, gst *worker.Pool) {
			return pools(t, filepath.Join(t.TempDir(), "x"), "off")
		}, true, []string{"install gateway-capture", "gateway-gst is switched off"}},
		"no camera":           {"camera?label=Nobody's", workers["gateway-capture"], false, []string{"no camera"}},
		"no camera, gst":      {"camera?id=/dev/video99", workers["gateway-gst"], false, []string{"no camera"}},
		"no microphone":       {"microphone", workers["gateway-capture"], false, []string{"microphone", "plug one in"}},
		"no microphone, gst":  {"microphone", workers["gateway-gst"], false, []string{"microphone"}},
		"no such display":     {"screen?id=:9999", workers["gateway-capture"], false, []string{`no X server has the display ":9999"`}},
		"no such display gst": {"screen?id=:9999", workers["gateway-gst"], false, []string{`no X server has the display ":9999"`}},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(c.device, camera) && len(thisMachine().cameras()) > 0 || c.device == microphone && len(thisMachine().cards()) > 0 {
				t.Skip("this machine has a device")
			}
			capture, gst := c.start(t)
			err := testsource.Start(t, source(t, c.device, capture, gst)).Failure(t)
			for _, part := range c.says {
				if err == nil || !strings.Contains(err.Error(), part) || ingest.IsPermanent(err) != c.permanent {
					t.Errorf("failed with %v (permanent: %v), want one that says %q (%v)", err, ingest.IsPermanent(err), part, c.permanent)
				}
			}
		})
	}
}

// The worker's wishes for keyframes reach gateway-capture's encoder.
func TestKeyframe(t *testing.T) {
	capture, gst := workers["gateway-capture"](t)
	r := testsource.Start(t, source(t, "videotest?fps=30", capture, gst))
	r.Units(t, "video", 1)
	var took []time.Duration
	for range 5 {
		began := time.Now()
		r.Units(t, "video", 1)
		took = append(took, time.Since(began))
	}
	if slices.Sort(took); took[2] > 1600*time.Millisecond { // the machine may stand still for some of them
		t.Errorf("keyframes came after %v; by themselves one comes each 2 s", took)
	}
}

// Both ways list the screen, once.
func TestList(t *testing.T) {
	x := startXvfb(t, "")
	t.Setenv("DISPLAY", x.display)
	for name, start := range workers {
		t.Run(name, func(t *testing.T) {
			checkList(t, start, x.display)
		})
	}
	t.Run("both", func(t *testing.T) {
		checkList(t, func(t *testing.T) (capture, gst *worker.Pool) {
			return pools(t, testworker.Capture(t), testworker.GST(t))
		}, x.display)
	})
	t.Run("none", func(t *testing.T) {
		capture, gst := pools(t, "off", "off")
		if all, err := List(t.Context(), capture, gst); all != nil || !errors.As(err, new(*worker.OffError)) {
			t.Errorf("listed %v, %v", all, err)
		}
	})
}

func checkList(t *testing.T, start func(t *testing.T) (capture, gst *worker.Pool), display string) {
	t.Helper()
	capture, gst := start(t)
	all, err := List(t.Context(), capture, gst)
	screens := 0
	for _, d := range all {
		if d.Kind == screen && d.ID == display && strings.HasSuffix(d.Label, display) {
			screens++
		}
		if _, err := Parse(Name(d)); err != nil {
			t.Error(err)
		}
	}
	if err != nil || screens != 1 {
		t.Errorf("listed %s, %v, want one screen %s", fmt.Sprint(all), err, display)
	}
}
