package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"sluice/media"
)

// sink is what the API tells of a stream's sink.
func (g *gatewayProcess) sink(t *testing.T, stream string) made {
	t.Helper()
	for _, m := range g.stream(t, stream).Transcodes {
		if m.Kind == "sink" {
			return m
		}
	}
	return made{}
}

// awaitSink waits until a sink runs in another process than that of before, and returns its process.
func (g *gatewayProcess) awaitSink(t *testing.T, stream string, before int) (pid int) {
	t.Helper()
	eventually(t, cameraLimit, func() string {
		m := g.sink(t, stream)
		if pid = m.PID; m.State == "running" && pid != 0 && pid != before {
			return ""
		}
		return fmt.Sprintf("the sink is %+v", m)
	})
	return pid
}

// files waits until a pattern of paths is that of n files, and returns them in order.
func files(t *testing.T, pattern string, n int) (paths []string) {
	t.Helper()
	eventually(t, packetLimit, func() string {
		var err error
		if paths, err = filepath.Glob(pattern); err != nil || len(paths) < n {
			return fmt.Sprintf("there are %v, want %d files", paths, n)
		}
		return ""
	})
	return paths
}

// countFrames has ffprobe decode all of a file or playlist, and returns the frames of a kind: "v" or "a". What ffprobe
// complains of fails the test.
func countFrames(t *testing.T, path, kind string) int {
	t.Helper()
	out := tool(t, "ffprobe", "-v", "error", "-count_frames", "-select_streams", kind+":0", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", path)
	n, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(out, "\n", 2)[0]))
	if err != nil {
		t.Fatalf("ffprobe says %q of the %s of %s", out, kind, path)
	}
	return n
}

// countLeft is countFrames of a file whose writer was killed: half a picture at its end is no fault. It is 0 where the
// file can't be read.
func countLeft(path, kind string) int {
	out, _ := command("ffprobe", "-v", "quiet", "-count_frames", "-select_streams", kind+":0", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", path).Output()
	n, _ := strconv.Atoi(strings.TrimSpace(string(out)))
	return n
}

// awaitFramesIn waits until a file that grows has so many whole pictures.
func awaitFramesIn(t *testing.T, path string, n int) {
	t.Helper()
	eventually(t, packetLimit, func() string {
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			return "the file is empty"
		}
		out, _ := command("ffprobe", "-v", "quiet", "-count_packets", "-select_streams", "v:0", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", path).Output()
		if have, err := strconv.Atoi(strings.TrimSpace(string(out))); err != nil || have < n {
			return fmt.Sprintf("%q pictures are in the file, want %d", out, n)
		}
		return ""
	})
}

// TestExampleRecording reads a recording while it grows, after its worker was killed and after the gateway has ended;
// viewers see the stream meanwhile.
func TestExampleRecording(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	g := startExample(t, recordingExample, 0, address, startCameraOf(t, media.H264, media.AAC), "/var/lib/sluice", dir)
	pid := g.awaitSink(t, "front-door", 0)
	recordings := filepath.Join(dir, "front-door-*.mp4")
	first := files(t, recordings, 1)[0]
	awaitFramesIn(t, first, 50)
	g.watch(t, "front-door").checkPlays(t, media.H264, 50, true)

	awaitFramesIn(t, first, 101) // of which the last may be there in part
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	g.awaitSink(t, "front-door", pid)
	if video, audio := countLeft(first, "v"), countLeft(first, "a"); video < 100 || audio < 100 {
		t.Errorf("after SIGKILL %d pictures and %d frames of sound are left, want 100 at least", video, audio)
	}
	second := files(t, recordings, 2)[1]
	awaitFramesIn(t, second, 25)
	g.watch(t, "front-door").checkPlays(t, media.H264, 50, true)
	if s := g.stream(t, "front-door"); s.State != "ready" || s.Error != "" {
		t.Errorf("the stream is %s: %s", s.State, s.Error)
	}

	g.stop(t)
	if n := countFrames(t, second, "v"); n < 25 {
		t.Errorf("the last recording has %d pictures, want 25 at least", n)
	}
	tool(t, "ffmpeg", "-v", "error", "-i", second, "-f", "null", "-")
}

// TestExampleHLS plays the playlist, while viewers see the stream.
func TestExampleHLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	g := startExample(t, hlsExample, 0, address, startCameraOf(t, media.H264, media.AAC), "/srv/hls", dir)
	g.awaitSink(t, "front-door", 0)
	playlist := filepath.Join(dir, "front-door.m3u8")
	eventually(t, packetLimit, func() string {
		text, _ := os.ReadFile(playlist)
		if n := strings.Count(string(text), ".ts\n"); n < 3 {
			return fmt.Sprintf("%d segments are in the playlist, want 3", n)
		}
		return ""
	})
	g.watch(t, "front-door").checkPlays(t, media.H264, 50, true)
	g.stop(t)
	if video, audio := countFrames(t, playlist, "v"), countFrames(t, playlist, "a"); video < 100 || audio < 100 {
		t.Errorf("the playlist has %d pictures and %d frames of sound, want 100 at least of each", video, audio)
	}
}

// TestExampleNotAllowed leaves the line with allow_elements out: the source plays, and the API says what is missing.
//
// Proves I24 and J180 as seen by an operator.
func TestExampleNotAllowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	g := startExample(t, recordingExample, 0, address, startCameraOf(t, media.H264, media.AAC), "/var/lib/sluice", dir,
		`allow_elements = ["filesink"]`, "")
	eventually(t, cameraLimit, func() string {
		const want = `element "filesink" is not allowed: name it in transcode.allow_elements to permit it`
		if m := g.sink(t, "front-door"); m.State != "failed" || m.Error != want {
			return fmt.Sprintf("the sink is %+v", m)
		}
		return ""
	})
	g.watch(t, "front-door").checkPlays(t, media.H264, 25, true)
	if written, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(written) > 0 {
		t.Errorf("%v was written: %v", written, err)
	}
}
