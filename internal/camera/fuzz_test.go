package camera

import (
	"testing"

	"sluice/internal/testmedia"
	"sluice/media"
)

// small keeps the head of a file, so that the fuzzer is quick.
func small(b []byte) []byte { return b[:min(len(b), 4096)] }

func checkParsed(t *testing.T, name string, data []byte) {
	if clip, err := Parse(name, data); err == nil {
		checkTimes(t, clip)
	}
}

func FuzzMP4(f *testing.F) {
	for _, codec := range []media.Codec{media.AAC, media.Opus} {
		_, data := testmedia.File(codec)
		f.Add(data)
	}
	_, data := testmedia.BFrames()
	f.Add(data)
	_, data = testmedia.H264AAC()
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) { checkParsed(t, "fuzz.mp4", data) })
}

func FuzzAnnexB(f *testing.F) {
	for _, codec := range []media.Codec{media.H264, media.H265} {
		_, data := testmedia.File(codec)
		f.Add(small(data))
	}
	f.Add([]byte("\x00\x00\x01\x67\x00\x00\x01\x68\x00\x00\x01\x65"))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkParsed(t, "fuzz.h264", data)
		checkParsed(t, "fuzz.h265", data)
	})
}

func FuzzIVF(f *testing.F) {
	for _, codec := range []media.Codec{media.VP8, media.AV1} {
		_, data := testmedia.File(codec)
		f.Add(small(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkParsed(t, "fuzz.ivf", data) })
}

func FuzzWAV(f *testing.F) {
	for _, codec := range []media.Codec{media.PCMU, media.G722, media.LPCM} {
		_, data := testmedia.File(codec)
		f.Add(small(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkParsed(t, "fuzz.wav", data) })
}

func FuzzMJPEG(f *testing.F) {
	_, data := testmedia.File(media.MJPEG)
	f.Add(small(data))
	f.Fuzz(func(t *testing.T, data []byte) { checkParsed(t, "fuzz.mjpeg", data) })
}
