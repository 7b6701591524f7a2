package camera

import (
	_ "embed"
	"fmt"
	"log/slog"
)

// demoMP4 is made by scripts/make-demo-clip: 1280x720 at 30 fps in H264 constrained baseline with a GOP of one
// second, and Opus in stereo; both are 10 s long, and loop without a seam.
//
//go:embed demo.mp4
var demoMP4 []byte

// DemoClip returns the clip of the demo camera. It refers to the program's own pages, so it costs little memory.
func DemoClip() (*Clip, error) {
	clip, err := Parse("demo.mp4", demoMP4)
	if err != nil {
		return nil, fmt.Errorf("read the demo clip: %w", err)
	}
	return clip, nil
}

// Demo returns a camera that serves the demo clip to this machine alone. It listens already: its URL is known,
// and Serve or Close is due. log may be nil.
func Demo(log *slog.Logger) (*Camera, error) {
	clip, err := DemoClip()
	if err != nil {
		return nil, err
	}
	c, err := New(Options{Clip: clip, Listen: "127.0.0.1:0", Logger: log})
	if err != nil {
		return nil, err
	}
	if err := c.Listen(); err != nil {
		return nil, err
	}
	return c, nil
}
