package media

import (
	"maps"
	"slices"
)

// MainRendition is the name of the rendition that is the stream's own source.
const MainRendition = "main"

// Track describes one elementary stream of a rendition. It is a value: whoever holds one may keep it,
// and nobody changes what its slices hold. When a source learns more (a new SPS), it publishes a new Track.
type Track struct {
	ID        string // unique in its rendition: "video", "audio", "video2"
	Kind      Kind
	Codec     Codec
	Rendition string
	ClockRate int // of PTS, in Hz: 90000 for video, the RTP clock for audio (G.722: 8000, MP3: 90000, RFC 3551 4.5)
	Channels  int // audio only; 0 if unknown
	BitDepth  int // LPCM: bits of one sample; video: bits of one sample, luma or chroma, whichever has more; 0 if unknown

	// ParameterSets is what a decoder needs before the first unit. H264: SPS, PPS; H265: VPS, SPS, PPS (no
	// start codes); AAC: one AudioSpecificConfig; MPEG-4 Visual: one config. Empty while unknown.
	ParameterSets [][]byte

	// FMTP is the format parameters of the signalling that cutting units out of packets needs, keys in lower
	// case. AAC: sizelength, indexlength, indexdeltalength (RFC 3640 4.1), or cpresent and config of LATM
	// (RFC 6416 7.3). Opus of more than two channels: channel_mapping, num_streams and coupled_streams, as browsers
	// have it. Nil for all other codecs.
	FMTP map[string]string

	// What the bitstream says of a picture; zero while unknown.
	Width, Height int
	Profile       VideoProfile
	Interlaced    bool
	BFrames       bool // pictures come in another order than they are shown
	// Unusual names a coding tool that the profile does not tell and decoders of browsers lack: "flexible
	// macroblock ordering", "data partitioning", "scalable or multiview coding"; "" for nearly all.
	Unusual string

	// Skipped says, in a sentence, why the source's track is listed but not carried; "" for all others.
	Skipped string
}

// VideoProfile is the decoder that a picture asks for, in the terms of its codec.
type VideoProfile struct {
	// ProfileLevelID is profile_idc, constraint flags and level_idc of the H264 SPS (RFC 6184 8.1).
	ProfileLevelID [3]byte
	// Profile is profile_idc of H265 (RFC 7798 7.1), seq_profile of AV1, or profile of VP9.
	Profile int
	// Level is level_idc of H265 (30 × the level) or seq_level_idx of AV1.
	Level int
	// Tier is general_tier_flag of H265 or seq_tier of AV1: 0 is the main tier.
	Tier int
	// ChromaFormat is chroma_format_idc of H264 and H265: 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4.
	ChromaFormat int
	// Known tells that the fields above were read from the bitstream.
	Known bool
}

// Equal reports whether both describe the same elementary stream in the same way.
func (t Track) Equal(o Track) bool {
	sets := slices.EqualFunc(t.ParameterSets, o.ParameterSets, slices.Equal)
	return sets && t.ID == o.ID && t.Kind == o.Kind && t.Codec == o.Codec && t.Rendition == o.Rendition &&
		t.ClockRate == o.ClockRate && t.Channels == o.Channels && t.BitDepth == o.BitDepth &&
		t.Width == o.Width && t.Height == o.Height && t.Profile == o.Profile &&
		t.Interlaced == o.Interlaced && t.BFrames == o.BFrames && t.Unusual == o.Unusual &&
		t.Skipped == o.Skipped && maps.Equal(t.FMTP, o.FMTP)
}

// First is the first carried track of a kind, which is the one that viewers get.
func First(tracks []Track, kind Kind) (Track, bool) {
	for _, t := range tracks {
		if t.Kind == kind && t.Skipped == "" {
			return t, true
		}
	}
	return Track{}, false
}
