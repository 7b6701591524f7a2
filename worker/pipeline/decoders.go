package pipeline

import (
	"sluice/media"
	"sluice/worker/wire"
)

// decoderName is the placeholder of the decoder in the texts, and the name of its element.
const decoderName = "decoder"

// decoders are the candidates for each codec, best first; each falls back to what a Debian without libav has.
// libde265dec comes last though it needs no libav: it holds two frames.
func decoders(codec media.Codec) []string {
	switch codec {
	case media.H264:
		return []string{"avdec_h264 thread-type=slice", "openh264dec"}
	case media.H265:
		return []string{"avdec_h265 thread-type=slice", "libde265dec"}
	case media.VP8:
		return []string{"vp8dec", "avdec_vp8 thread-type=slice"}
	case media.VP9:
		return []string{"vp9dec", "avdec_vp9 thread-type=slice"}
	case media.AV1:
		return []string{"dav1ddec", "av1dec", "avdec_av1"}
	case media.MJPEG:
		return []string{"jpegdec", "avdec_mjpeg thread-type=slice"}
	case media.MPEG4Video:
		return []string{"avdec_mpeg4 thread-type=slice"}
	}
	return soundDecoders(codec)
}

func soundDecoders(codec media.Codec) []string {
	switch codec {
	case media.Opus:
		return []string{"opusdec", "avdec_opus"}
	case media.PCMU:
		return []string{"mulawdec", "avdec_pcm_mulaw"}
	case media.PCMA:
		return []string{"alawdec", "avdec_pcm_alaw"}
	case media.G722:
		return []string{"avdec_g722"}
	case media.AAC: // faad holds one frame more
		return []string{"avdec_aac", "faad"}
	case media.MP3:
		return []string{"mpg123audiodec", "avdec_mp3"}
	}
	return nil
}

// parser is the element that a codec's decoders want before them; "" if they take what an appsrc gives.
func parser(codec media.Codec) string {
	switch codec {
	case media.H264:
		return "h264parse"
	case media.H265:
		return "h265parse"
	case media.MP3:
		return "mpegaudioparse"
	}
	return ""
}

// CanDecode reports whether a codec can be decoded at all, if what that needs is installed.
func CanDecode(c media.Codec) bool { return c == media.LPCM || len(decoders(c)) > 0 }

// CanDecodeTrack reports whether enough is known of a track to decode it: AAC needs its configuration.
func CanDecodeTrack(t media.Track) bool {
	return CanDecode(t.Codec) && t.Skipped == "" && (t.Codec != media.AAC || len(t.ParameterSets) > 0)
}

// decode appends what makes raw frames of a track's units to a job, and returns the text from parser to decoder.
func decode(j *wire.Job, t media.Track) string {
	candidates := decoders(t.Codec)
	if len(candidates) == 0 {
		return parser(t.Codec)
	}
	j.Elements = map[string][]string{decoderName: candidates}
	return chain(parser(t.Codec), "{"+decoderName+"} name="+decoderName)
}

// UndecodableError is a track that no decoder is known for, or that too little is known of.
type UndecodableError struct {
	Codec        media.Codec
	Unconfigured bool // the source has not sent the configuration that the codec's decoders need
}

func (e *UndecodableError) Error() string {
	if e.Unconfigured {
		return e.Codec.Title() + " can't be decoded: the source has not sent its configuration"
	}
	return e.Codec.Title() + " can't be decoded"
}

// decodable is a *UndecodableError for a track of another kind, or that CanDecodeTrack says no to.
func decodable(t media.Track, kind media.Kind) error {
	if t.Kind == kind && CanDecodeTrack(t) {
		return nil
	}
	return &UndecodableError{Codec: t.Codec, Unconfigured: t.Kind == kind && CanDecode(t.Codec) && t.Skipped == ""}
}

// UnencodableError is a codec that no encoder is known for.
type UnencodableError struct{ Codec media.Codec }

func (e *UnencodableError) Error() string { return "nothing can be encoded in " + e.Codec.Title() }
