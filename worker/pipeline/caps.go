package pipeline

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"sluice/media"
)

const (
	h264Caps = "video/x-h264,stream-format=byte-stream,alignment=au"
	h265Caps = "video/x-h265,stream-format=byte-stream,alignment=au"
	av1Caps  = "video/x-av1,stream-format=obu-stream,alignment=tu"
	g722Rate = 16000 // its RTP clock is 8000 (RFC 3551 4.5.2)
)

// inputCaps are the caps of a track's units as wire.Join makes them: what an appsrc says it sends.
func inputCaps(t media.Track) string {
	switch t.Codec {
	case media.H264:
		return h264Caps
	case media.H265:
		return h265Caps
	case media.VP8:
		return "video/x-vp8"
	case media.VP9:
		return "video/x-vp9"
	case media.AV1:
		return av1Caps
	case media.MJPEG:
		return "image/jpeg"
	case media.MPEG4Video:
		return "video/mpeg,mpegversion=4,systemstream=false" + codecData(t)
	}
	return soundCaps(t)
}

func soundCaps(t media.Track) string {
	switch t.Codec {
	case media.Opus:
		return opusCaps(t)
	case media.PCMU:
		return "audio/x-mulaw" + form(t.ClockRate, t.Channels)
	case media.PCMA:
		return "audio/x-alaw" + form(t.ClockRate, t.Channels)
	case media.G722:
		return "audio/G722" + form(g722Rate, t.Channels)
	case media.AAC:
		return "audio/mpeg,mpegversion=4,stream-format=raw" + form(t.ClockRate, t.Channels) + codecData(t)
	case media.MP3:
		return "audio/mpeg,mpegversion=1"
	case media.LPCM:
		return "audio/x-raw,format=" + sampleFormat(t.BitDepth) + ",layout=interleaved" + form(t.ClockRate, t.Channels) + channelMask(t.Channels)
	}
	return ""
}

// form is the sampling rate and the number of channels; a source that does not tell the latter has one.
func form(rate, channels int) string {
	return fmt.Sprintf(",rate=%d,channels=%d", rate, max(1, channels))
}

// codecData is a track's configuration: one AudioSpecificConfig, or one of MPEG-4 Visual.
func codecData(t media.Track) string {
	if len(t.ParameterSets) == 0 || len(t.ParameterSets[0]) == 0 {
		return ""
	}
	return ",codec_data=(buffer)" + hex.EncodeToString(t.ParameterSets[0])
}

// sampleFormat is that of RTP: big-endian and signed, but 8 bits are offset binary (RFC 3551 4.5.10 and 4.5.11,
// RFC 3190 4).
func sampleFormat(bits int) string {
	switch bits {
	case 8:
		return "U8"
	case 24:
		return "S24BE"
	case 32:
		return "S32BE"
	}
	return "S16BE"
}

// channelMask says where more than two channels are heard, which raw caps must. They are those that GStreamer takes
// itself if nobody tells.
func channelMask(channels int) string {
	masks := [...]string{3: "0x7", 4: "0x33", 5: "0x37", 6: "0x3f", 7: "0x13f", 8: "0xc3f"}
	if channels < 3 || channels >= len(masks) {
		return ""
	}
	return ",channel-mask=(bitmask)" + masks[channels]
}

// opusCaps are family 0 (RFC 7845 5.1.1) for one or two channels, else what the signalling of browsers tells.
func opusCaps(t media.Track) string {
	streams, err := strconv.ParseUint(t.FMTP["num_streams"], 10, 8)
	coupled, err2 := strconv.ParseUint(t.FMTP["coupled_streams"], 10, 8)
	mapping, ok := numbers(t.FMTP["channel_mapping"])
	if t.Channels <= 2 || err != nil || err2 != nil || !ok {
		return "audio/x-opus,channel-mapping-family=0" + form(48000, 2)
	}
	return fmt.Sprintf("audio/x-opus,channel-mapping-family=1,stream-count=%d,coupled-count=%d,channel-mapping=(int)<%s>%s",
		streams, coupled, mapping, form(48000, t.Channels))
}

// numbers is a list of numbers as it came, if it is one.
func numbers(list string) (string, bool) {
	for field := range strings.SplitSeq(list, ",") {
		if _, err := strconv.ParseUint(field, 10, 8); err != nil {
			return "", false
		}
	}
	return list, true
}
