package gateway

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"sluice/admin"
	"sluice/config"
	"sluice/ingest/capture"
	"sluice/worker/wire"
)

// devicePrefix begins a source that is a device.
const devicePrefix = "device:"

// DevicesOptions are what `gateway devices` is told.
type DevicesOptions struct {
	Config config.Config // where the workers are
	Log    *slog.Logger
}

// PrintDevices lists the cameras, microphones and screens of this machine on out, with their formats and with what to
// write into the configuration for each, and says which worker is missing.
func PrintDevices(ctx context.Context, out io.Writer, o DevicesOptions) error {
	o.Config.Transcode.Warm = 0
	w := newWorkers(o.Config, o.Log)
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- w.capture.Run(ctx) }()
	all, err := capture.List(ctx, w.capture, w.gst)
	cancel()
	if runErr := <-ended; err == nil {
		err = runErr
	}
	for _, d := range all {
		printDevice(out, d)
	}
	if len(all) == 0 && err == nil {
		fmt.Fprintln(out, "No camera, microphone or screen was found.")
	}
	if err == nil {
		printNotes(out, capture.Absent(all), w.gst.Err(), w.capture.Err())
	}
	return err
}

// printNotes tells why devices or workers are missing.
func printNotes(out io.Writer, absent []string, workers ...error) {
	for _, why := range absent {
		fmt.Fprintf(out, "\nNote: %s.\n", why)
	}
	for _, missing := range workers {
		if missing != nil {
			fmt.Fprintf(out, "\nNote: %v.\n", missing)
		}
	}
}

func printDevice(out io.Writer, d wire.DeviceInfo) {
	fmt.Fprintf(out, "%s  %s", d.Kind, d.Label)
	if d.ID != "" && d.ID != d.Label {
		fmt.Fprintf(out, "  (%s)", d.ID)
	}
	fmt.Fprintf(out, "\n    source = %q\n", devicePrefix+capture.Name(d))
	if len(d.Formats) > 0 {
		fmt.Fprint(out, wrap("    ", strings.Join(d.Formats, ", ")))
	}
}

// Devices implements admin.Devices: a list that may be some seconds old. What was found in spite of an error is shown.
func (v adminView) Devices(ctx context.Context) ([]admin.Device, error) {
	all, err := v.workers.devices.List(ctx)
	if err != nil && len(all) == 0 {
		return nil, err
	}
	list := make([]admin.Device, len(all))
	for i, d := range all {
		list[i] = admin.Device{Kind: d.Kind, Label: d.Label, ID: d.ID, Formats: d.Formats, Source: devicePrefix + capture.Name(d)}
	}
	return list, nil
}
