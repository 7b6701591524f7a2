package gateway

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"sluice/internal/camera"
)

// CameraOptions are what `gateway camera` is told on its command line.
type CameraOptions struct {
	File           string // "": the demo clip
	Listen         string // host:port
	User, Password string // "": no authentication
	Log            *slog.Logger
}

// Camera serves a clip over RTSP in a loop until ctx is done, and says on out where.
func Camera(ctx context.Context, out io.Writer, o CameraOptions) error {
	clip, err := camera.DemoClip()
	if o.File != "" {
		clip, err = camera.Load(o.File)
	}
	if err != nil {
		return err
	}
	c, err := camera.New(camera.Options{
		Clip: clip, Listen: o.Listen, User: o.User, Password: o.Password, Logger: o.Log,
	})
	if err != nil {
		return err
	}
	if err := c.Listen(); err != nil {
		return err
	}
	fmt.Fprintf(out, "The camera serves %s\n", c.URL())
	return c.Serve(ctx)
}
