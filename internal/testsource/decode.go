package testsource

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4/pkg/media/oggwriter"

	"sluice/media"
)

// Pictures are decoded to this many grey pixels each.
const (
	Width  = 64
	Height = 36
)

// Pictures decodes units of H264.
func Pictures(t testing.TB, units []*media.AccessUnit) [][]byte {
	t.Helper()
	var stream bytes.Buffer
	for _, u := range units {
		for _, nalu := range u.Data {
			stream.Write([]byte{0, 0, 0, 1})
			stream.Write(nalu)
		}
	}
	grey := ffmpeg(t, &stream, "-f", "h264", "-i", "-", "-fps_mode", "passthrough", "-vf", "scale=64:36", "-pix_fmt", "gray", "-f", "rawvideo", "-")
	var pictures [][]byte
	for ; len(grey) >= Width*Height; grey = grey[Width*Height:] {
		pictures = append(pictures, grey[:Width*Height])
	}
	return pictures
}

// Sound decodes units of Opus and returns how loud they are, 1 being a full square wave, and their pitch in Hz.
func Sound(t testing.TB, units []*media.AccessUnit) (loudness, pitch float64) {
	t.Helper()
	var stream bytes.Buffer
	w, err := oggwriter.NewWith(&stream, 48000, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i, u := range units {
		h := rtp.Header{SequenceNumber: uint16(i), Timestamp: uint32(i * 960)}
		if err := w.WriteRTP(&rtp.Packet{Header: h, Payload: u.Data[0]}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	samples := make([]int16, 0, len(units)*960)
	raw := ffmpeg(t, &stream, "-f", "ogg", "-i", "-", "-ac", "1", "-ar", "48000", "-f", "s16le", "-")
	for ; len(raw) >= 2; raw = raw[2:] {
		samples = append(samples, int16(binary.LittleEndian.Uint16(raw)))
	}
	return measure(samples)
}

// measure wants samples at 48 kHz. The pitch is that of a tone: half the rate at which it crosses zero.
func measure(samples []int16) (loudness, pitch float64) {
	sum, crossings := 0.0, 0
	for i, s := range samples {
		sum += float64(s) * float64(s)
		if i > 0 && (s >= 0) != (samples[i-1] >= 0) {
			crossings++
		}
	}
	n := float64(max(1, len(samples)))
	return math.Sqrt(sum/n) / math.MaxInt16, float64(crossings) / 2 / (n / 48000)
}

// ffmpeg is skipped over where it is missing; in CI that fails.
func ffmpeg(t testing.TB, in *bytes.Buffer, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("ffmpeg is missing: apt install ffmpeg")
		}
		t.Skip("ffmpeg is missing: apt install ffmpeg")
	}
	c := exec.CommandContext(t.Context(), "ffmpeg", append([]string{"-v", "error"}, args...)...)
	var stderr bytes.Buffer
	c.Stdin, c.Stderr = in, &stderr
	out, err := c.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("ffmpeg: %v: %s", err, &stderr)
	}
	return out
}
