// Package capture is the source that a local device is: a camera, a microphone or a screen, captured and encoded by a
// worker process. GStreamer's elements are used where they are installed, since they are cheaper and take what a
// camera has encoded itself; gateway-capture serves all other machines.
package capture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"sluice/ingest"
	"sluice/ingest/feed"
	"sluice/ingest/gst"
	"sluice/worker"
	"sluice/worker/wire"
)

var errLibcamera = errors.New("this camera needs GStreamer with libcamera")

// Options say which device to capture.
type Options struct {
	Device   string       // "camera?label=NAME", as Parse takes it; "device:" before it is ignored
	Capture  *worker.Pool // of gateway-capture
	GST      *worker.Pool // of gateway-gst
	Encoders gst.Encoders // for the latter
	// ReadTimeout without media means that the device is gone; 0: 10 s.
	ReadTimeout time.Duration
	Log         *slog.Logger
}

// Source captures one device. It implements ingest.Source; one Run at a time.
type Source struct {
	options Options     // fixed after New
	name    string      // fixed after New: of the device, as the options have it
	device  wire.Device // fixed after New
	machine machine     // fixed after New
	feed    *feed.Feed  // fixed after New

	lacking bool // owned by Run: GStreamer lacks an element for this device
}

// New makes a source that is not running yet. Its error is a *DeviceError.
func New(o Options) (*Source, error) {
	name := strings.TrimPrefix(o.Device, "device:")
	d, err := Parse(name)
	if err != nil {
		return nil, err
	}
	s := &Source{options: o, name: name, device: d, machine: thisMachine()}
	s.feed = feed.New(feed.Options{Start: s.start, Tracks: 1, Bitrate: gst.Bitrate, Log: o.Log})
	return s, nil
}

// Run captures the device until ctx is done, as feed.Feed.Run does; a device that was away is looked for again. It is
// ingest.Permanent that no worker is installed which could.
func (s *Source) Run(ctx context.Context, publish ingest.Publish) error {
	s.lacking = false
	if s.device.Kind == screen && s.device.ID == "" && s.machine.getenv("WAYLAND_DISPLAY") != "" {
		s.options.Log.Warn("in a Wayland session the screen shows X programs only, and else black: log in to an X11 session")
	}
	err := s.feed.Run(ctx, publish)
	var fault *wire.Fault
	if errors.As(err, &fault) && fault.Code == wire.FaultMissingElement && s.captureErr() == nil && ctx.Err() == nil {
		s.lacking = true
		s.options.Log.Info("gateway-capture takes over from GStreamer", "err", err)
		return s.feed.Run(ctx, publish)
	}
	return err
}

// start starts the worker that serves the device best.
func (s *Source) start(ctx context.Context) (feed.Worker, error) {
	gstErr, captureErr := s.options.GST.Err(), s.captureErr()
	switch {
	case gstErr != nil && errors.Is(captureErr, errLibcamera):
		return nil, ingest.Permanent(fmt.Errorf("%w: %w", captureErr, gstErr))
	case gstErr != nil && captureErr != nil:
		return nil, ingest.Permanent(fmt.Errorf("no worker can capture a device: %w; or else %w", captureErr, gstErr))
	}
	if gstErr == nil && !s.lacking {
		job, err := s.pipeline(ctx)
		if err == nil {
			return s.begin(ctx, s.options.GST, job)
		}
		if captureErr != nil || ctx.Err() != nil {
			return nil, err
		}
	}
	if captureErr != nil {
		return nil, captureErr
	}
	w, err := s.begin(ctx, s.options.Capture, wire.Job{Role: wire.RoleDevice, Device: &s.device, Sandboxed: true})
	if err != nil {
		return nil, err
	}
	return choosy{w}, nil
}

// choosy is a worker that has chosen the bitrate itself, by the kind of device too: under another it leaves out
// pictures.
type choosy struct{ feed.Worker }

// SetBitrate implements feed.Worker. It does nothing.
func (choosy) SetBitrate(uint8, int) {}

// captureErr tells why gateway-capture can't serve the device, which it would try to open as any camera.
func (s *Source) captureErr() error {
	if s.machine.needsLibcamera(s.device) {
		return errLibcamera
	}
	return s.options.Capture.Err()
}

// pipeline is the job that captures the device by GStreamer.
func (s *Source) pipeline(ctx context.Context) (wire.Job, error) {
	text, err := s.machine.pipeline(s.device)
	if err != nil {
		return wire.Job{}, err
	}
	return gst.Job(ctx, text, s.options.Encoders, nil)
}

func (s *Source) begin(ctx context.Context, pool *worker.Pool, job wire.Job) (feed.Worker, error) {
	spec := feed.Spec(job, s.options.ReadTimeout)
	spec.Log = s.options.Log
	p, err := pool.Start(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("capture the device: %w", err)
	}
	return &told{p, s}, nil
}

// told is a worker whose failures are told as those of the device.
type told struct {
	feed.Worker
	source *Source
}

// Next implements feed.Worker.
func (w *told) Next(ctx context.Context) (worker.Event, error) {
	e, err := w.Worker.Next(ctx)
	if err != nil && ctx.Err() == nil {
		err = w.source.machine.explain(w.source.name, w.source.device, err)
	}
	return e, err
}
