package gst_test

import (
	"context"
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"sluice/ingest/gst"
	"sluice/internal/testsource"
	"sluice/internal/testworker"
	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
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
