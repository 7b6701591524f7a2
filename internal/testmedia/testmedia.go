// Package testmedia holds small, exact test streams of every codec that the gateway carries, as files that
// internal/camera serves: camera.Parse(testmedia.File(media.H265)).
//
// Pictures are 320x180 (Motion JPEG: 320x176) at 25 fps, 50 of them in two closed GOPs; sound is a sine of 440 Hz.
// All are 2 s long.
// scripts/make-test-media makes the files in testdata; Motion JPEG, PCMU, PCMA and LPCM are computed.
package testmedia

import (
	"embed"
	"fmt"

	"sluice/media"
)

//go:embed testdata
var files embed.FS

var names = map[media.Codec]string{
	media.H264: "h264.h264", media.H265: "h265.h265", media.VP8: "vp8.ivf", media.VP9: "vp9.ivf", media.AV1: "av1.ivf",
	media.MPEG4Video: "mpeg4.mp4",
	media.Opus:       "opus.mp4", media.AAC: "aac.mp4", media.G722: "g722.wav",
}

// Codecs are all codecs that File has a stream of, pictures first.
func Codecs() []media.Codec {
	return []media.Codec{
		media.H264, media.H265, media.VP8, media.VP9, media.AV1, media.MJPEG, media.MPEG4Video,
		media.Opus, media.PCMU, media.PCMA, media.G722, media.AAC, media.LPCM,
	}
}

// File returns a stream of one codec: the file's name, whose ending tells its format, and its bytes, which are
// the caller's. It panics for a codec that Codecs doesn't have.
func File(codec media.Codec) (name string, data []byte) {
	switch codec {
	case media.PCMU, media.PCMA:
		return string(codec) + ".wav", wav(codec, 8000, 1)
	case media.MJPEG:
		return "mjpeg.mjpeg", mjpeg()
	case media.LPCM:
		return string(codec) + ".wav", wav(codec, 48000, 2)
	}
	return read(names[codec])
}

// BFrames returns an MP4 with H264 whose pictures come in another order than they are shown.
func BFrames() (name string, data []byte) { return read("h264-bframes.mp4") }

// H264AAC returns an MP4 with H264 and AAC.
func H264AAC() (name string, data []byte) { return read("h264-aac.mp4") }

func read(name string) (string, []byte) {
	data, err := files.ReadFile("testdata/" + name)
	if err != nil {
		panic(fmt.Sprintf("no test stream: %v", err))
	}
	return name, data
}
