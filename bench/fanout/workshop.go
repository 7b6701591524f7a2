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
	"sluice/media"
)

// workshop is the folder in which everything is built that a run needs.
type workshop struct {
	dir   string
	clips map[int]clip // by seconds of their GOP
}

// clip is a file for the source.
type clip struct {
	file  string
	sizes string // the file with the bytes of each picture
	sound int    // bytes of the mean packet of sound
}

// newWorkshop builds the programs, and the clips with GOPs of 1, 4 and 10 s as they are asked for.
func newWorkshop(ctx context.Context, dir string) (*workshop, error) {
	w := &workshop{dir: dir, clips: map[int]clip{}}
	for name, path := range map[string]string{
		"gateway": "./cmd/gateway", "source": "./bench/source", "reference": "./bench/reference", "floor": "./bench/floor",
	} {
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", w.path(name), path)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return nil, fmt.Errorf("build %s: %w", path, err)
		}
	}
	return w, nil
}

func (w *workshop) path(name string) string { return filepath.Join(w.dir, name) }

// clip is 20 s of moving and noisy picture, 720p30 in H.264 at 2 Mbit/s with a keyframe each gop seconds, and a tone in
// Opus at 64 kbit/s. Debian's ffmpeg makes it.
func (w *workshop) clip(gop int) (clip, error) {
	if c, ok := w.clips[gop]; ok {
		return c, nil
	}
	if gop < 1 || 20%gop != 0 {
		return clip{}, fmt.Errorf("a GOP of %d s does not fit into a clip of 20 s", gop)
	}
	c := clip{file: w.path(fmt.Sprintf("gop%d.mp4", gop))}
	frames := fmt.Sprint(30 * gop)
	encode := exec.Command("ffmpeg", "-hide_banner", "-loglevel", "error", "-y",
		"-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30:duration=20,noise=alls=6:allf=t,format=yuv420p",
		"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=20",
		"-c:v", "libx264", "-profile:v", "baseline", "-preset", "veryfast", "-b:v", "2000k", "-maxrate", "2400k", "-bufsize", "2000k",
		"-g", frames, "-keyint_min", frames, "-sc_threshold", "0", "-bf", "0",
		"-c:a", "libopus", "-b:a", "64k", "-vbr", "off", "-ac", "2", "-use_editlist", "0", c.file)
	if out, err := encode.CombinedOutput(); err != nil {
		return clip{}, fmt.Errorf("make the clip with ffmpeg: %w: %s", err, out)
	}
	parsed, err := camera.Load(c.file)
	if err != nil {
		return clip{}, err
	}
	c.sizes = c.file + ".sizes"
	for _, t := range parsed.Tracks {
		sizes, sum := sizesOf(t)
		if t.Kind == media.Audio {
			c.sound = sum / len(t.Units)
		} else if err := os.WriteFile(c.sizes, []byte(sizes), 0o600); err != nil {
			return clip{}, err
		}
	}
	w.clips[gop] = c
	return c, nil
}

// sizesOf lists the bytes of a track's units.
func sizesOf(t camera.Track) (list string, sum int) {
	var b strings.Builder
	for _, u := range t.Units {
		n := 0
		for _, d := range u.Data {
			n += len(d)
		}
		fmt.Fprintln(&b, n)
		sum += n
	}
	return b.String(), sum
}
