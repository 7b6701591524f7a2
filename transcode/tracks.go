package transcode

import (
	"sluice/media"
	"sluice/worker/pipeline"
)

const (
	videoRate = 90000 // Hz, of all pictures that are made
	opusRate  = 48000
	g711Rate  = 8000
)

// pictureOf is the picture that is made of a track, as far as it is known before.
func pictureOf(t media.Track, codec media.Codec, height int) media.Track {
	w, h := pipeline.Scaled(t, 0, height)
	made := media.Track{
		ID: t.ID, Kind: media.Video, Codec: codec, ClockRate: videoRate, Rendition: t.Rendition,
		Width: w, Height: h, BitDepth: 8, Profile: media.VideoProfile{ChromaFormat: 1, Known: true},
	}
	if codec == media.H264 {
		made.Profile.ProfileLevelID = [3]byte{0x42, 0xe0, levelOf(w, h)}
	}
	return made
}

// levelOf is the H264 level of a picture at up to 30 frames in a second (ITU-T H.264 table A-1).
func levelOf(width, height int) byte {
	const macroblock = 16
	size := ((width + macroblock - 1) / macroblock) * ((height + macroblock - 1) / macroblock)
	for _, l := range []struct {
		level byte
		size  int // macroblocks that a second of 30 pictures may have, each
	}{{30, 1350}, {31, 3600}, {40, 8192}, {51, 32768}} {
		if size <= l.size && (size > 0 || l.level == 31) {
			return l.level
		}
	}
	return 52
}

// soundOf is the sound that is made of a track.
func soundOf(t media.Track, codec media.Codec) media.Track {
	made := media.Track{ID: t.ID, Kind: media.Audio, Codec: codec, Rendition: t.Rendition, ClockRate: g711Rate, Channels: 1}
	if codec == media.Opus {
		made.ClockRate, made.Channels = opusRate, min(max(t.Channels, 1), 2)
	}
	return made
}

// samplesOf is how long a packet of made sound is, in ticks of its clock. Opus comes in packets of 20 ms.
func samplesOf(t media.Track, payload []byte) int {
	if t.Codec == media.Opus {
		return opusRate / 50
	}
	return len(payload)
}
