package gateway

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"sluice/config"
	"sluice/ingest/capture"
	"sluice/negotiation"
	"sluice/transcode"
	"sluice/worker"
)

// workers are the processes beside this one, and what makes pictures and sound anew with them.
type workers struct {
	gst        *worker.Pool // run by the transcoder
	capture    *worker.Pool
	devices    *capture.Lister // of both
	transcoder *transcode.Service
}

func newWorkers(c config.Config, log *slog.Logger) *workers {
	w := &workers{
		gst: worker.New(worker.Options{
			Name: "gateway-gst", Path: c.Transcode.Worker, Key: "transcode.worker",
			Install: "install the package sluice-gst, or build bin/gateway-gst by `make workers`",
			Warm:    c.Transcode.Warm, WarmElements: warmElements(), Log: log,
		}),
		capture: worker.New(worker.Options{
			Name: "gateway-capture", Path: c.Devices.Worker, Key: "devices.worker",
			Install: "install the package sluice-capture, or build bin/gateway-capture by `make workers`", Log: log,
		}),
	}
	w.devices = capture.NewLister(w.capture, w.gst)
	w.transcoder = transcode.New(transcode.Options{
		Workers: w.gst, Encoder: c.Transcode.Encoder, MaxWorkers: c.Transcode.MaxWorkers, Linger: c.Transcode.Linger,
		AllowElements: c.Transcode.AllowElements, CacheDir: cacheDir(), Log: log,
	})
	return w
}

// warmElements are what most cameras need, loaded before the first viewer comes.
func warmElements() []string {
	return []string{
		"h264parse", "h265parse", "avdec_h264", "avdec_h265", "videoconvert", "videoscale", "x264enc", "appsrc", "appsink",
	}
}

// cacheDir is where the chosen encoders are remembered; "": nowhere, since the user has no such place.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "sluice")
}

// run keeps workers ready until ctx is done, and returns when the last process is gone.
func (w *workers) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return w.transcoder.Run(ctx) })
	group.Go(func() error { return w.capture.Run(ctx) })
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// newTranscoder makes what makes a stream's pictures and sound anew.
func (g *Gateway) newTranscoder(e *entry) *transcode.Stream {
	o := transcode.StreamOptions{
		Mode: negotiation.Transcode(e.config.Transcode), Process: e.config.Process, Sink: e.config.SinkPipeline(),
		Log: g.log.With("stream", e.name),
	}
	for _, name := range slices.Sorted(maps.Keys(e.config.Renditions)) {
		r := e.config.Renditions[name]
		o.Renditions = append(o.Renditions, transcode.Rendition{
			Name: name, Height: r.Height, FPS: r.FPS, MaxBitrateKbps: r.MaxBitrateKbps,
		})
	}
	return g.workers.transcoder.Stream(e.stream, o)
}
