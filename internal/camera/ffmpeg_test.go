package camera

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// A real decoder takes the demo, picture and sound, as it comes from the wire.
func TestFFmpegPlaysTheDemo(t *testing.T) {
	c, err := Demo(nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Serve(ctx) }()
	defer func() {
		cancel()
		<-done
	}()
	for _, transport := range []string{"tcp", "udp"} {
		fault := plays(t, c.URL(), transport)
		for range 3 { // a machine that stands still loses packets
			if fault == "" {
				break
			}
			t.Log(fault)
			fault = plays(t, c.URL(), transport)
		}
		if fault != "" {
			t.Error(fault)
		}
	}
}

// plays has ffmpeg play an URL for 3 s, and tells what is wrong with that.
func plays(t *testing.T, url, transport string) string {
	t.Helper()
	args := []string{"-v", "error", "-nostdin", "-rtsp_transport", transport, "-i", url, "-t", "3", "-map", "0:v", "-map", "0:a", "-f", "framecrc", "-"}
	if transport == "tcp" { // where nothing is lost, nothing is wrong either
		args = append([]string{"-xerror"}, args...)
	}
	cmd := exec.CommandContext(t.Context(), "ffmpeg", args...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return fmt.Sprintf("ffmpeg over %s: %v: %s", transport, err, &complaint)
	}
	video, audio := frames(string(out), "0"), frames(string(out), "1")
	if len(video) < 45 || len(audio) < 100 {
		return fmt.Sprintf("over %s: %d pictures and %d sounds", transport, len(video), len(audio))
	}
	return ""
}

// frames returns the different frames of one stream in ffmpeg's framecrc: a picture that stands still is one.
func frames(framecrc, stream string) map[string]bool {
	seen := map[string]bool{}
	for line := range strings.Lines(framecrc) {
		fields := strings.Split(strings.TrimSpace(line), ",")
		if len(fields) >= 6 && fields[0] == stream {
			seen[fields[5]] = true
		}
	}
	return seen
}
