package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sluice/media"
)

// nobody is the user that VLC runs as where the tests are root, whom VLC refuses.
const nobody = 65534

// vlcCamera starts VLC as an RTSP camera, which sends over UDP only, and returns its URL.
func vlcCamera(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	file := longFile(t, dir)
	// VLC cannot be asked for a free port.
	address := freeAddress(t)
	url := "rtsp://" + address + "/live"
	cmd := command("cvlc", "--intf", "dummy", "--no-sout-audio", "--sout", "#rtp{sdp="+url+"}", file)
	cmd.Env = append(cmd.Env, "HOME="+dir)
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	vlc := start(t, "vlc", cmd)
	eventually(t, cameraLimit, func() string {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return fmt.Sprintf("VLC does not listen: %v: %s", err, vlc.output)
		}
		_ = c.Close()
		return ""
	})
	return url
}

// longFile makes three minutes of the test stream: VLC falls silent when it loops.
func longFile(t *testing.T, dir string) string {
	t.Helper()
	raw := testFile(t, "long.h264", bytes.Repeat(fileOf(media.H264), 90))
	long := filepath.Join(dir, "long.mp4")
	tool(t, "ffmpeg", "-v", "fatal", "-nostdin", "-framerate", "25", "-i", raw, "-c", "copy", long)
	return long
}

// TestVLC plays a camera that answers 461 to TCP: auto falls back to UDP, tcp says what to change.
//
// Proves E1 and J143.
func TestVLC(t *testing.T) {
	t.Parallel()
	url := vlcCamera(t)
	g := startGateway(t, fmt.Sprintf("streams.auto.source = %q\nstreams.tcp = { source = %q, transport = \"tcp\" }\n", url, url))

	g.awaitState(t, "auto", "ready", cameraLimit)
	v := g.watch(t, "auto")
	v.awaitFrames(t, 30)
	v.close()
	whole := pictures(t, media.H264, v.snapshot(media.Video).packets)
	checkFirst(t, media.H264, whole[0])
	if got := decodePictures(t, media.H264, whole); got < 30 {
		t.Errorf("ffmpeg made %d pictures of %d", got, len(whole))
	}
	eventually(t, cameraLimit, func() string {
		if s := g.stream(t, "tcp"); !strings.Contains(s.Error, `transport = "auto"`) {
			return fmt.Sprintf("stream tcp is %s: %q", s.State, s.Error)
		}
		return ""
	})
}
