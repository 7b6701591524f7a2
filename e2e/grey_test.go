package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"sluice/media"
)

// greyPicture is the brightness of a picture's points.
type greyPicture struct {
	width int
	luma  []byte
}

// grey has ffmpeg decode the H264 that has come, which has a size.
func (v *viewer) grey(t *testing.T, width, height int) []greyPicture {
	t.Helper()
	in := v.snapshot(media.Video)
	path := artefact(t, "-grey.h264")
	if err := os.WriteFile(path, annexB(pictures(t, media.H264, in.packets)), 0o600); err != nil {
		t.Fatal(err)
	}
	out := tool(t, "ffmpeg", "-v", "error", "-i", path, "-vf", "extractplanes=y", "-fps_mode", "passthrough", "-f", "rawvideo", "-")
	size := width * height
	if len(out) == 0 || len(out)%size != 0 {
		t.Fatalf("%d bytes come out, want a multiple of %dx%d", len(out), width, height)
	}
	var all []greyPicture
	for i := 0; i < len(out); i += size {
		all = append(all, greyPicture{width, []byte(out[i : i+size])})
	}
	return all
}

// each calls f with the brightness of each point from x0, y0 up to, and without, x1, y1.
func (p greyPicture) each(x0, y0, x1, y1 int, f func(at int, luma byte)) {
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			f(y*p.width+x, p.luma[y*p.width+x])
		}
	}
}

// brighter counts the points of a part that are brighter than a limit.
func (p greyPicture) brighter(limit byte, x0, y0, x1, y1 int) (n int) {
	p.each(x0, y0, x1, y1, func(_ int, luma byte) {
		if luma > limit {
			n++
		}
	})
	return n
}

// mean is the brightness of a part.
func (p greyPicture) mean(x0, y0, x1, y1 int) int {
	sum := 0
	p.each(x0, y0, x1, y1, func(_ int, luma byte) { sum += int(luma) })
	return sum / ((x1 - x0) * (y1 - y0))
}

// differs counts the points of a part that are much brighter or darker in another picture.
func (p greyPicture) differs(other greyPicture, x0, y0, x1, y1 int) (n int) {
	p.each(x0, y0, x1, y1, func(at int, luma byte) {
		if d := int(luma) - int(other.luma[at]); d > 60 || d < -60 {
			n++
		}
	})
	return n
}

// barSource is ffmpeg's text for pictures that tell their number, by the place of a white bar on black: six columns
// further right in each.
var barSource = fmt.Sprintf("color=black:s=320x176:r=25[ground];color=white:s=12x176:r=25[bar];[ground][bar]overlay=x=6*n:y=0,trim=end_frame=%d", barPictures)

// bar is the number of a picture of barSource; -1 if it has no bar.
func (p greyPicture) bar() int {
	for x := range p.width {
		if p.luma[88*p.width+x] > 128 {
			return (x+3)/6 - 1 // ffmpeg counts the first picture as 1
		}
	}
	return -1
}

// checkRounds wants each number to be the one before plus one, or the first after the last, and that at least so often.
func checkRounds(t *testing.T, numbers []int, rounds int) {
	t.Helper()
	wrapped := 0
	for i, n := range numbers[1:] {
		switch before := numbers[i]; {
		case n == 0 && before == barPictures-1:
			wrapped++
		case n != before+1:
			t.Errorf("picture %d is number %d after %d", i+1, n, before)
		}
	}
	if wrapped < rounds {
		t.Errorf("it went round %d times, want %d: %v", wrapped, rounds, numbers)
	}
}

// longestStep is the longest time from one picture to the next, by the packets' timestamps.
func longestStep(packets []*rtp.Packet) time.Duration {
	var longest uint32
	for i, p := range packets[1:] {
		longest = max(longest, p.Timestamp-packets[i].Timestamp)
	}
	return time.Duration(longest) * time.Second / 90000
}

// makeClip has ffmpeg write a file of baseline H264, and of a tone in AAC, for so many seconds.
func makeClip(t *testing.T, path, picture string, seconds int) {
	t.Helper()
	ffmpeg(t, "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=440:r=48000", "-t", fmt.Sprint(seconds),
		"-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-g", "25", "-c:a", "aac", path)
}

// makeBars has ffmpeg write one round of barSource.
func makeBars(t *testing.T, path string) {
	t.Helper()
	ffmpeg(t, "-f", "lavfi", "-i", barSource, "-pix_fmt", "yuv420p", "-g", "25", "-c:v", "libx264", "-profile:v", "baseline", path)
}

func ffmpeg(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.Command("ffmpeg", append([]string{"-v", "error", "-nostdin", "-y"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg %s: %v: %s", strings.Join(args, " "), err, out)
	}
}
