package e2e

import (
	"bytes"
	"encoding/binary"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4/pkg/media/oggwriter"

	"sluice/media"
)

// decodePictures has ffmpeg decode pictures and returns how many it made of them. Its complaints fail the test.
func decodePictures(t *testing.T, codec media.Codec, pictures [][][]byte) int {
	t.Helper()
	var file string
	var data []byte
	switch codec {
	case media.H264, media.H265:
		file, data = "."+string(codec), annexB(pictures)
	default:
		file, data = ".ivf", ivf(t, codec, pictures)
	}
	path := artefact(t, file)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out := tool(t, "ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", path)
	n, err := strconv.Atoi(strings.TrimSpace(out))
	if err != nil {
		t.Fatalf("ffprobe says %q of %s", out, path)
	}
	return n
}

// tool runs a program that has nothing to complain about and returns its output.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := command(name, args...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Errorf("%s %q: %v: %s", name, args, err, &complaints)
	}
	return string(out)
}

func annexB(pictures [][][]byte) []byte {
	var b []byte
	for _, parts := range pictures {
		for _, nalu := range parts {
			b = append(append(b, 0, 0, 0, 1), nalu...)
		}
	}
	return b
}

// ivf is the simplest file of VP8, VP9 and AV1: a header of 32 bytes, one of 12 before each picture.
func ivf(t *testing.T, codec media.Codec, pictures [][][]byte) []byte {
	t.Helper()
	le := binary.LittleEndian
	fourCC := map[media.Codec]string{media.VP8: "VP80", media.VP9: "VP90", media.AV1: "AV01"}[codec]
	b := append([]byte("DKIF\x00\x00\x20\x00"), fourCC...)
	b = le.AppendUint16(le.AppendUint16(b, 320), 180)
	b = le.AppendUint32(le.AppendUint32(b, 25), 1)
	b = le.AppendUint64(b, uint64(len(pictures)))
	for i, parts := range pictures {
		frame := parts[0]
		if codec == media.AV1 {
			var err error
			if frame, err = (av1.Bitstream(parts)).Marshal(); err != nil {
				t.Fatal(err)
			}
		}
		b = le.AppendUint64(le.AppendUint32(b, uint32(len(frame))), uint64(i))
		b = append(b, frame...)
	}
	return b
}

var meanVolume = regexp.MustCompile(`mean_volume: (-?[0-9.]+) dB`)

// decodeSound has ffmpeg decode the sound of packets and returns how loud it is, in dB of full scale.
func decodeSound(t *testing.T, codec media.Codec, packets []*rtp.Packet) float64 {
	t.Helper()
	path := artefact(t, "."+string(codec))
	input := map[media.Codec][]string{
		media.Opus: {"-f", "ogg"},
		media.PCMU: {"-f", "mulaw", "-ar", "8000"},
		media.PCMA: {"-f", "alaw", "-ar", "8000"},
		media.G722: {"-f", "g722"},
	}[codec]
	if codec == media.Opus {
		writeOgg(t, path, packets)
	} else {
		var b []byte
		for _, p := range packets {
			b = append(b, p.Payload...)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := command("ffmpeg", append(append([]string{"-hide_banner", "-nostdin"}, input...), "-i", path, "-af", "volumedetect", "-f", "null", "-")...)
	out, err := cmd.CombinedOutput()
	m := meanVolume.FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("ffmpeg cannot decode %s: %v: %s", path, err, out)
	}
	volume, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return volume
}

func writeOgg(t *testing.T, path string, packets []*rtp.Packet) {
	t.Helper()
	w, err := oggwriter.New(path, 48000, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if err := w.WriteRTP(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
