package gst_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/ingest"
	"sluice/ingest/gst"
	"sluice/internal/testsource"
	"sluice/internal/testworker"
	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
	"sluice/worker/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// encoders are those that every test machine has.
type encoders struct{}

func (encoders) Encoder(_ context.Context, c media.Codec) (pipeline.Encoder, error) {
	if c == media.Opus {
		return pipeline.FindEncoder("opusenc", c), nil
	}
	return pipeline.FindEncoder("x264enc", c), nil
}

// pool runs a pool of GStreamer workers until the test ends.
func pool(t *testing.T, path string) *worker.Pool {
	t.Helper()
	p := worker.New(worker.Options{
		Name: "gateway-gst", Path: path, Key: "transcode.worker", Install: "install the package sluice-gst",
		CacheDir: t.TempDir(), Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := p.Run(ctx); err != nil {
			t.Errorf("the pool ended with %v", err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return p
}

func source(t *testing.T, p *worker.Pool, text string, allow ...string) *gst.Source {
	t.Helper()
	s, err := gst.New(gst.Options{
		Pipeline: text, Workers: p, Encoders: encoders{}, Allow: allow, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A raw test picture and a raw test sound are encoded, published as what they are, and can be decoded.
func TestRawPictureAndSound(t *testing.T) {
	p := pool(t, testworker.GST(t))
	r := testsource.Start(t, source(t, p, `gst: videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1 ! identity
		audiotestsrc is-live=true freq=480 volume=0.5 ! audioconvert`))
	tracks := r.Tracks(t, 2)
	if v := tracks[0]; v.Codec != media.H264 || v.Width != 320 || v.Height != 240 || !v.Profile.Known || v.BFrames {
		t.Errorf("the picture is %+v", v)
	}
	if a := tracks[1]; a.Codec != media.Opus || a.ClockRate != 48000 {
		t.Errorf("the sound is %+v", a)
	}
	units := r.Units(t, "video", 30)
	if n := len(testsource.Pictures(t, units)); n != 30 {
		t.Errorf("%d of 30 pictures are decoded", n)
	}
	if loudness, pitch := testsource.Sound(t, r.Units(t, "audio", 50)); loudness < 0.1 || pitch < 470 || pitch > 490 {
		t.Errorf("the sound has %.0f Hz at %.2f, want 480 Hz", pitch, loudness)
	}
	if n := r.Publications(); n != 1 {
		t.Errorf("published %d times", n)
	}
}

// lacking is a machine on which no encoder works.
type lacking struct{ encoders }

func (l lacking) Encoder(ctx context.Context, c media.Codec) (pipeline.Encoder, error) {
	if c == media.H264 {
		return pipeline.Encoder{}, errors.New("no encoder of h264 works")
	}
	return l.encoders.Encoder(ctx, c)
}

// A pipeline that encodes by itself needs no encoder of ours; of any other it is told why there is none.
func TestWithoutEncoders(t *testing.T) {
	p := pool(t, testworker.GST(t))
	run := func(text string) *testsource.Running {
		s, err := gst.New(gst.Options{Pipeline: text, Workers: p, Encoders: lacking{}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return testsource.Start(t, s)
	}
	coded := run("videotestsrc is-live=true ! x264enc tune=zerolatency speed-preset=ultrafast ! h264parse")
	coded.Units(t, "video", 5)
	err := run("videotestsrc is-live=true ! identity").Failure(t)
	if err == nil || !strings.Contains(err.Error(), "there is no encoder for it: no encoder of h264 works") {
		t.Errorf("failed with %v", err)
	}
}

// A raw picture has the bitrate of its size.
func TestBitrate(t *testing.T) {
	for name, c := range map[string]struct {
		caps wire.Caps
		want int
	}{
		"720p":            {wire.Caps{Width: 1280, Height: 720, FPSNum: 30, FPSDen: 1}, 2350_000},
		"NTSC":            {wire.Caps{Width: 1280, Height: 720, FPSNum: 30000, FPSDen: 1001}, 2350_000},
		"no rate":         {wire.Caps{Width: 1280, Height: 720}, 2350_000},
		"1080p":           {wire.Caps{Width: 1920, Height: 1080, FPSNum: 25, FPSDen: 1}, 4406_000},
		"a still picture": {wire.Caps{Width: 320, Height: 240, FPSNum: 1, FPSDen: 5}, 200_000},
	} {
		if got := gst.Bitrate(c.caps); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// J180, J181, J182: what is wrong with a pipeline is told at once, and whether a retry can mend it.
func TestFaults(t *testing.T) {
	p := pool(t, testworker.GST(t))
	for name, c := range map[string]struct {
		text      string
		permanent bool
		says      string // part of the error
	}{
		"no such element":   {"nosuchsrc", true, "nosuchsrc"},
		"no such property":  {"videotestsrc foo=1", true, "foo"},
		"refused":           {"filesrc location=/etc/passwd ! fakesink", true, "transcode.allow_elements"},
		"no output":         {"videotestsrc ! fakesink", true, "no output"},
		"fails when played": {"v4l2src device=/dev/video99 ! identity", false, "/dev/video99"},
		"ends at once":      {"videotestsrc num-buffers=0 ! identity", false, "ended"},
	} {
		t.Run(name, func(t *testing.T) {
			err := testsource.Start(t, source(t, p, c.text)).Failure(t)
			if err == nil || !strings.Contains(err.Error(), c.says) || ingest.IsPermanent(err) != c.permanent {
				t.Errorf("failed with %v (permanent: %v), want one that says %q (%v)", err, ingest.IsPermanent(err), c.says, c.permanent)
			}
		})
	}
}

// J182: the worker is killed, and its stream goes on under the same publisher.
func TestKilledWorker(t *testing.T) {
	p := pool(t, testworker.GST(t))
	r := testsource.Start(t, source(t, p, "videotestsrc is-live=true ! identity"))
	r.Units(t, "video", 10)
	before := r.Units(t, "video", 1)[0]
	kill(t)
	units := r.Units(t, "video", 30)
	if gap := units[0].Arrived.Sub(before.Arrived); gap > 20*time.Second {
		t.Errorf("the picture stood for %v", gap)
	}
	if n := len(testsource.Pictures(t, units)); n != 30 {
		t.Errorf("%d of 30 pictures are decoded after the restart", n)
	}
	if n := r.Publications(); n != 1 {
		t.Errorf("published %d times", n)
	}
	if err := r.Stop(t); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

// kill kills the worker that is our own child.
func kill(t *testing.T) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for _, file := range tasks {
		children, _ := os.ReadFile(file)
		for _, pid := range strings.Fields(string(children)) {
			exe, _ := os.Readlink("/proc/" + pid + "/exe")
			if filepath.Base(exe) != "gateway-gst" {
				continue
			}
			if err := syscall.Kill(number(t, pid), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			killed++
		}
	}
	if killed != 1 {
		t.Fatalf("%d workers were killed", killed)
	}
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A pipeline that ends is begun again, and stays one publication.
func TestLoop(t *testing.T) {
	p := pool(t, testworker.GST(t))
	r := testsource.Start(t, source(t, p, "videotestsrc is-live=true num-buffers=45 ! identity"))
	first := r.Units(t, "video", 1)[0]
	units := r.Units(t, "video", 100)
	if n := len(testsource.Pictures(t, units)); n != 100 {
		t.Errorf("%d of 100 pictures are decoded", n)
	}
	if took := units[99].Arrived.Sub(first.Arrived); took > testsource.Patience {
		t.Errorf("100 pictures took %v", took)
	}
	if n := r.Publications(); n != 1 {
		t.Errorf("published %d times", n)
	}
}

// Wishes for keyframes are fulfilled by the encoder, which makes one in six seconds by itself.
func TestKeyframe(t *testing.T) {
	p := pool(t, testworker.GST(t))
	r := testsource.Start(t, source(t, p, "videotestsrc is-live=true ! video/x-raw,framerate=10/1 ! identity"))
	r.Units(t, "video", 1)
	var took []time.Duration
	for range 5 {
		began := time.Now()
		r.Units(t, "video", 1)
		took = append(took, time.Since(began))
	}
	if slices.Sort(took); took[2] > 1500*time.Millisecond { // the machine may stand still for some of them
		t.Errorf("keyframes came after %v", took)
	}
}

// A worker that is not there is a permanent error that says what to install.
func TestNotInstalled(t *testing.T) {
	p := pool(t, filepath.Join(t.TempDir(), "gateway-gst"))
	err := testsource.Start(t, source(t, p, "videotestsrc")).Failure(t)
	if !ingest.IsPermanent(err) || !strings.Contains(err.Error(), "install the package sluice-gst") {
		t.Errorf("failed with %v", err)
	}
}

func TestEmptyPipeline(t *testing.T) {
	for _, text := range []string{"", "gst:", "gst: \n\t"} {
		if _, err := gst.New(gst.Options{Pipeline: text}); err == nil || !strings.Contains(err.Error(), "empty") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
