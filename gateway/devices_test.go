package gateway

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"sluice/config"
	"sluice/internal/testworker"
	"sluice/worker"
	"sluice/worker/wire"
)

// Without any worker the command says what to install; with one it lists what there is, and names the other.
func TestPrintDevices(t *testing.T) {
	for _, c := range []struct {
		name    string
		capture func(t *testing.T) string
		fails   func(error) bool
		prints  string
	}{
		{"off", func(*testing.T) string { return "off" }, is[*worker.OffError], ""},
		{"missing", func(t *testing.T) string { return filepath.Join(t.TempDir(), "x") }, is[*worker.NotInstalledError], ""},
		{
			"gateway-capture", func(t *testing.T) string { return testworker.Capture(t) }, func(err error) bool { return err == nil },
			"Note: gateway-gst is switched off by transcode.worker.",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			conf := config.Default()
			conf.Transcode.Worker, conf.Devices.Worker = "off", c.capture(t)
			var out bytes.Buffer
			err := PrintDevices(t.Context(), &out, DevicesOptions{Config: conf, Log: slog.New(slog.DiscardHandler)})
			if !c.fails(err) || !strings.Contains(out.String(), c.prints) {
				t.Errorf("printed %q and failed with %v", out.String(), err)
			}
		})
	}
}

// Without a display the command says how to name one.
func TestPrintDevicesWithoutDisplay(t *testing.T) {
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	conf := config.Default()
	conf.Transcode.Worker, conf.Devices.Worker = "off", testworker.Capture(t)
	var out bytes.Buffer
	err := PrintDevices(t.Context(), &out, DevicesOptions{Config: conf, Log: slog.New(slog.DiscardHandler)})
	if err != nil || !strings.Contains(out.String(), "Note: DISPLAY is not set: ") {
		t.Errorf("printed %q and failed with %v", out.String(), err)
	}
}

// is reports whether an error is, or wraps, one of type E.
func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

func TestPrintDevice(t *testing.T) {
	var out bytes.Buffer
	printDevice(&out, wire.DeviceInfo{
		Kind: "camera", Label: "HD Webcam", ID: "/dev/video0", Formats: []string{"640x480 30 fps YUYV", "H264"},
	})
	printDevice(&out, wire.DeviceInfo{Kind: "screen", Label: "Screen :0", ID: ":0"})
	want := `camera  HD Webcam  (/dev/video0)
    source = "device:camera?label=HD+Webcam"
    640x480 30 fps YUYV, H264
screen  Screen :0  (:0)
    source = "device:screen?id=%3A0"
`
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", &out, want)
	}
}
