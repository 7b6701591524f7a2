package gateway

import (
	"context"
	"sync"

	"sluice/ingest"
	"sluice/ingest/rtsp"
	"sluice/internal/camera"
)

// demoSource is the built-in camera, pulled over real RTSP so that the demo goes the way that a camera goes.
type demoSource struct{ options rtsp.Options }

// Run starts a camera on a free port of this machine and pulls from it.
func (d *demoSource) Run(ctx context.Context, publish ingest.Publish) error {
	c, err := camera.Demo(nil)
	if err != nil {
		return err
	}
	o := d.options
	o.URL = c.URL()
	source, err := rtsp.New(o)
	if err != nil {
		c.Close()
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var served sync.WaitGroup
	served.Go(func() {
		defer cancel()
		_ = c.Serve(ctx) // if it ends, so does the source, which then says what it saw
	})
	err = source.Run(ctx, publish)
	cancel()
	served.Wait()
	return err
}
