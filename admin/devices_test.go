package admin_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/admin"
)

// desk is a gateway with devices, or one that tells err.
type desk struct {
	fake
	devices []admin.Device
	err     error
}

func (d desk) Devices(context.Context) ([]admin.Device, error) { return d.devices, d.err }

func TestDevices(t *testing.T) {
	webcam := admin.Device{
		Kind: "camera", Label: "Webcam", ID: "/dev/video0", Formats: []string{"640x480 30 fps MJPEG"}, Source: "device:camera?label=Webcam",
	}
	screen := admin.Device{Kind: "screen", Label: "Screen :0", ID: ":0", Source: "device:screen"}
	for _, c := range []struct {
		name, method string
		gateway      admin.Gateway
		status       int
		body         string
	}{
		{
			"two", "GET",
			desk{devices: []admin.Device{webcam, screen}},
			200,
			`[{"kind":"camera","label":"Webcam","id":"/dev/video0","formats":["640x480 30 fps MJPEG"],"source":"device:camera?label=Webcam"},` +
				`{"kind":"screen","label":"Screen :0","id":":0","formats":[],"source":"device:screen"}]`,
		},
		{"none", "GET", desk{}, 200, "[]"},
		{"other method", "POST", desk{}, 405, ""},
		{
			"no worker", "GET",
			desk{err: errors.New("gateway-capture is not installed")},
			503,
			`{"type":"urn:sluice:problem:no_devices","title":"Service Unavailable","status":503,"detail":"gateway-capture is not installed"}`,
		},
		{
			"a gateway without", "GET",
			fake{},
			503,
			`{"type":"urn:sluice:problem:no_devices","title":"Service Unavailable","status":503,"detail":"This gateway captures no devices."}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			admin.New(c.gateway).Devices(w, httptest.NewRequest(c.method, "/api/v1/devices", nil))
			if body := strings.TrimSpace(w.Body.String()); w.Code != c.status || c.body != "" && body != c.body {
				t.Errorf("%d\n%s\nwant %d\n%s", w.Code, body, c.status, c.body)
			}
		})
	}
}
