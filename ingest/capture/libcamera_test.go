//go:build linux

package capture

import (
	"os"
	"strings"
	"testing"

	"sluice/hub"
	"sluice/ingest"
	"sluice/media"
	"sluice/worker"
)

// Only libcamera makes pictures of a Raspberry Pi's own camera: where it is missing the user reads what to install, and
// gateway-capture does not try its luck with the raw device.
func TestLibcameraIsMissing(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		device string
		gst    string
		says   string
	}{
		"no plugin":              {"camera", program, `element "libcamerasrc" is not installed: apt install gstreamer1.0-libcamera`},
		"no plugin, libcamera's": {"camera?id=/base/axi/imx708@1a", program, "apt install gstreamer1.0-libcamera"},
		"no worker":              {"camera", "/nonexistent/gateway-gst", "this camera needs GStreamer with libcamera: gateway-gst is not at /nonexistent/gateway-gst: install gateway-gst"},
		"worker is off":          {"camera?id=/dev/video0", "off", "this camera needs GStreamer with libcamera: gateway-gst is switched off"},
	} {
		t.Run(name, func(t *testing.T) {
			capture, gst := pools(t, program, c.gst)
			s := source(t, c.device, capture, gst)
			s.machine = fakeMachine(t, pi5Files, nil, pi5Nodes)
			err := s.Run(t.Context(), func([]media.Track) (*hub.Publisher, error) {
				t.Error("something is published")
				return nil, worker.ErrClosed
			})
			if err == nil || !strings.Contains(err.Error(), c.says) || !ingest.IsPermanent(err) {
				t.Errorf("ended with %v (permanent: %v), want %q", err, ingest.IsPermanent(err), c.says)
			}
		})
	}
}
