package media

// Kind says what a track is to a person.
type Kind string

// The kinds of track. Data is anything that is neither seen nor heard, such as ONVIF metadata.
const (
	Video Kind = "video"
	Audio Kind = "audio"
	Data  Kind = "data"
)

// Codec is the name of a coding, in lower case, as users read it in the API.
type Codec string

// The codecs that the gateway carries from a source to the hub.
const (
	H264       Codec = "h264"
	H265       Codec = "h265"
	VP8        Codec = "vp8"
	VP9        Codec = "vp9"
	AV1        Codec = "av1"
	MJPEG      Codec = "mjpeg"
	MPEG4Video Codec = "mpeg4"
	Opus       Codec = "opus"
	PCMU       Codec = "pcmu"
	PCMA       Codec = "pcma"
	G722       Codec = "g722"
	AAC        Codec = "aac"
	MP3        Codec = "mp3" // any layer of MPEG-1 and MPEG-2 audio
	LPCM       Codec = "lpcm"
)

// Title is the name of the codec as people write it ("H.264"), for sentences that a user reads.
func (c Codec) Title() string {
	if t, ok := codecTitles[c]; ok {
		return t
	}
	return string(c)
}

var codecTitles = map[Codec]string{
	H264: "H.264", H265: "H.265", VP8: "VP8", VP9: "VP9", AV1: "AV1", MJPEG: "Motion JPEG", MPEG4Video: "MPEG-4 Visual",
	Opus: "Opus", PCMU: "G.711 µ-law", PCMA: "G.711 A-law", G722: "G.722", AAC: "AAC", MP3: "MP3", LPCM: "LPCM",
}
