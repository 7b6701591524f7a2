//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"sluice/internal/camera"
	"sluice/internal/testmedia"
	"sluice/media"
)

// workshop is the folder in which everything is built that a run needs.
type workshop struct {
	dir   string
	clips map[string]*camera.Clip // pictures by name
}

// recipe is how ffmpeg makes a clip.
type recipe struct {
	size    string
	encoder string // its options, with blanks between
}

// gop is the seconds from one keyframe to the next of every clip whose codec has them.
const gop = 2

const (
	x264 = "-c:v libx264 -preset veryfast -g 60 -keyint_min 60 -sc_threshold 0 -b:v 2500k -maxrate 3000k -bufsize 2500k "
	x265 = "-c:v libx265 -preset superfast -tag:v hvc1 -x265-params bframes=0:keyint=60:min-keyint=60:scenecut=0:log-level=error "
)

// recipes are the clips. Motion JPEG has the usual Huffman tables, the only ones that RTP has (RFC 2435, section 4.1).
func recipes() map[string]recipe {
	return map[string]recipe{
		"h264":     {"1280x720", x264 + "-profile:v baseline -bf 0"},
		"b-frames": {"1280x720", x264 + "-profile:v high -bf 2 -b_strategy 0"},
		"h265":     {"1280x720", x265 + "-b:v 2000k"},
		"h265-hd":  {"1920x1080", x265 + "-b:v 4000k"},
		"mjpeg":    {"1280x720", "-c:v mjpeg -pix_fmt yuvj420p -q:v 8 -huffman default"},
		"mpeg4":    {"1280x720", "-c:v mpeg4 -b:v 4000k -g 60 -bf 0"},
	}
}

// newWorkshop builds the programs, and has a gateway find out once which encoders work, as a real one has long since.
func newWorkshop(ctx context.Context, dir string) (*workshop, error) {
	w := &workshop{dir: dir, clips: map[string]*camera.Clip{}}
	for _, build := range []struct{ name, cgo, tags string }{{"gateway", "0", ""}, {"gateway-gst", "1", "gstreamer"}} {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags", build.tags, "-o", w.path(build.name), "./cmd/"+build.name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED="+build.cgo)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("build %s: %w", build.name, err)
		}
	}
	if err := os.Mkdir(w.path("cache"), 0o755); err != nil {
		return nil, err
	}
	return w, nil
}

func (w *workshop) path(name string) string { return filepath.Join(w.dir, name) }

// clipFile makes a clip of 4 s, moving and noisy, at 30 pictures a second.
func (w *workshop) clipFile(ctx context.Context, name string) (string, error) {
	file, r := w.path(name+".mp4"), recipes()[name]
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	args := []string{
		"-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi",
		"-i", "testsrc2=size=" + r.size + ":rate=30:duration=4,noise=alls=6:allf=t,format=yuv420p",
	}
	args = append(append(args, strings.Fields(r.encoder)...), "-use_editlist", "0", file)
	if out, err := exec.CommandContext(ctx, "ffmpeg", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("make the clip %s with ffmpeg: %w: %s", name, err, out)
	}
	return file, nil
}

// clip is one of the recipes, with sound beside it unless that is "".
func (w *workshop) clip(ctx context.Context, name string, sound media.Codec) (*camera.Clip, error) {
	c := w.clips[name]
	if c == nil {
		file, err := w.clipFile(ctx, name)
		if err != nil {
			return nil, err
		}
		if c, err = camera.Load(file); err != nil {
			return nil, err
		}
		w.clips[name] = c
	}
	if sound == "" {
		return c, nil
	}
	s, err := camera.Parse(testmedia.File(sound))
	if err != nil {
		return nil, err
	}
	return camera.Join(c, s), nil
}
