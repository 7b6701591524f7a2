package transcode

import (
	"context"
	"slices"
	"testing"
	"time"

	"sluice/internal/testworker"
	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
)

// The real worker tries out real encoders: on a machine without hardware these are the software ones.
func TestChooserWithWorker(t *testing.T) {
	p := worker.New(worker.Options{Name: "gateway-gst", Path: testworker.GST(t), CacheDir: t.TempDir(), Log: quiet()})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	for name, c := range map[string]struct {
		setting string
		codec   media.Codec
		want    []string
		err     string
	}{
		"H264":          {"", media.H264, []string{"x264enc", "openh264enc"}, ""},
		"openh264":      {"openh264enc", media.H264, []string{"openh264enc"}, ""},
		"VP8":           {"", media.VP8, []string{"vp8enc"}, ""},
		"not installed": {"nosuchenc", media.H264, []string{""}, `transcode.encoder names "nosuchenc", which can't be used: element "nosuchenc" is not installed`},
		// It exists in Debian and fails at run time for want of a chip.
		"fails": {"avenc_h264_omx", media.H264, []string{""}, "*"},
	} {
		t.Run(name, func(t *testing.T) {
			var e pipeline.Encoder
			var err error
			for tries := 0; tries == 0 || tries < 3 && err != nil && c.err == ""; tries++ { // a machine that stands still fails a trial
				chooser := NewChooser(pool{p}, ChooserOptions{Encoder: c.setting, Log: quiet()})
				began := time.Now()
				e, err = chooser.Encoder(ctx, c.codec)
				t.Logf("%s %v after %v", e.Element, err, time.Since(began))
			}
			if failed := err != nil; failed != (c.err != "") || c.err != "*" && failed && err.Error() != c.err {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if !slices.Contains(c.want, e.Element) || e.Hardware {
				t.Errorf("got %q, want one of %q", e.Element, c.want)
			}
		})
	}
}
