package admin

import (
	"context"
	"net/http"

	"sluice/signalling/problem"
)

// Devices lists local devices. A Gateway that is one too serves them.
type Devices interface {
	// Devices returns the cameras, microphones and screens of this machine. The error's text is a sentence that says
	// why they can't be listed.
	Devices(ctx context.Context) ([]Device, error)
}

// Device is one local device as the API tells it.
type Device struct {
	Kind    string   `json:"kind"` // camera, microphone or screen
	Label   string   `json:"label"`
	ID      string   `json:"id,omitempty"`
	Formats []string `json:"formats"` // for people: "1280x720 30 fps MJPEG"
	Source  string   `json:"source"`  // what stands in the configuration for it
}

// Devices answers GET /api/v1/devices with an array, or 503 and what is missing.
func (a *API) Devices(w http.ResponseWriter, r *http.Request) {
	serve(w, r, func() {
		d, ok := a.gateway.(Devices)
		if !ok {
			noDevices(w, "This gateway captures no devices.")
			return
		}
		all, err := d.Devices(r.Context())
		if err != nil {
			noDevices(w, err.Error())
			return
		}
		for i := range all {
			all[i].Formats = notNil(all[i].Formats)
		}
		write(w, notNil(all))
	})
}

func noDevices(w http.ResponseWriter, why string) {
	problem.Write(w, problem.New(http.StatusServiceUnavailable, "no_devices", why))
}
