package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/camera"
	"sluice/internal/testmedia"
	"sluice/media"
)

const (
	cameraLimit = 40 * time.Second // for a camera program to say where it serves
	serves      = `The camera serves (rtsps?://\S+)`

	// Another python3 may come first on the path, without Debian's bindings of GStreamer.
	python     = "/usr/bin/python3"
	gstProgram = "cameras/gst_camera.py"
)

// clip joins test streams into one camera's.
func clip(t testing.TB, codecs ...media.Codec) *camera.Clip {
	t.Helper()
	var parts []*camera.Clip
	for _, codec := range codecs {
		part, err := camera.Parse(testmedia.File(codec))
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part)
	}
	return camera.Join(parts...)
}

// startCamera runs a camera in this process until the end of the test and returns its URL.
func startCamera(t testing.TB, o camera.Options) string {
	t.Helper()
	url, _ := runCamera(t, o)
	return url
}

// runCamera is startCamera for a camera that may be stopped before the test ends; stop waits until it is gone.
func runCamera(t testing.TB, o camera.Options) (url string, stop func()) {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	c, err := camera.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context()) // which ends before the cleanups run
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := c.Serve(ctx); err != nil {
			t.Errorf("camera: %v", err)
		}
	})
	stop = func() {
		cancel()
		serving.Wait()
	}
	t.Cleanup(stop)
	return c.URL(), stop
}

// startCameraOf is startCamera for test streams of some codecs.
func startCameraOf(t testing.TB, codecs ...media.Codec) string {
	t.Helper()
	return startCamera(t, camera.Options{Clip: clip(t, codecs...)})
}

// gatewayCamera starts `gateway camera` with its arguments.
func gatewayCamera(t testing.TB, args ...string) (p *process, url string) {
	t.Helper()
	p = start(t, "gateway camera", command(program, append([]string{"camera"}, args...)...))
	return p, p.await(t, serves, cameraLimit)
}

// testFile writes a test stream into a file that `gateway camera` serves.
func testFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// gstCamera starts a camera of GStreamer's; cameras/gst_camera.py says what arguments there are.
func gstCamera(t testing.TB, args ...string) (p *process, url string) {
	t.Helper()
	p = start(t, "gst-rtsp-server", command(python, append([]string{gstProgram}, args...)...))
	return p, p.await(t, serves, cameraLimit)
}

// withUser puts user and password into a camera's URL.
func withUser(url, user, password string) string {
	return strings.Replace(url, "://", "://"+user+":"+password+"@", 1)
}
