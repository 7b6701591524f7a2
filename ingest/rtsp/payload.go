package rtsp

import (
	"fmt"
	"strconv"
	"strings"

	"sluice/media"
)

// payload is one payload type of a section.
type payload struct {
	number   int
	name     string // encoding name of the rtpmap, as written
	clock    int    // Hz
	channels int    // 0 if not given
	fmtp     map[string]string
}

// staticPayloads are those of RFC 3551 6 that can be carried.
var staticPayloads = map[int]payload{
	0: {name: "PCMU", clock: 8000}, 8: {name: "PCMA", clock: 8000}, 9: {name: "G722", clock: 8000},
	10: {name: "L16", clock: 44100, channels: 2}, 11: {name: "L16", clock: 44100, channels: 1},
	14: {name: "MPA", clock: 90000}, 26: {name: "JPEG", clock: 90000},
}

// newPayload puts together what is said of a payload type. It reports false if nothing says how it is coded.
func newPayload(number int, rtpmap, fmtp string) (payload, bool) {
	p := payload{number: number}
	if static, is := staticPayloads[number]; is {
		p = static
		p.number = number
	}
	p.fmtp = formatParameters(fmtp)
	if rtpmap == "" {
		if _, has := p.fmtp["sprop-parameter-sets"]; has && p.name == "" {
			p.name, p.clock = "H264", 90000
		}
		return p, p.name != ""
	}
	parts := strings.Split(rtpmap, "/")
	p.name = strings.TrimSpace(parts[0])
	p.clock, p.channels = 0, 0
	if len(parts) > 1 {
		p.clock = positive(parts[1])
	}
	if len(parts) > 2 {
		p.channels = positive(parts[2])
	}
	return p, p.name != ""
}

// positive is a number that makes sense as a clock rate or a number of channels, else 0.
func positive(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 1 || n > 1_000_000 {
		return 0
	}
	return n
}

// track is what the payload type carries, with whatever is missing or wrong put right. An error is a sentence
// that says why it is not carried.
func (p payload) track() (media.Track, error) {
	switch name := strings.ToLower(p.name); name {
	case "h264":
		return video(media.H264, h264Sets(p.fmtp)), nil
	case "h265":
		return video(media.H265, h265Sets(p.fmtp)), nil
	case "vp8":
		return video(media.VP8, nil), nil
	case "vp9":
		return video(media.VP9, nil), nil
	case "av1":
		return video(media.AV1, nil), nil
	case "jpeg":
		return video(media.MJPEG, nil), nil
	case "mp4v-es":
		return video(media.MPEG4Video, mpeg4Config(p.fmtp)), nil
	case "opus": // RFC 7587 7: always 48000/2, whatever a camera writes
		return audio(media.Opus, 48000, 2), nil
	case "pcmu":
		return audio(media.PCMU, p.rate(8000), p.count()), nil
	case "pcma":
		return audio(media.PCMA, p.rate(8000), p.count()), nil
	case "g722": // RFC 3551 4.5.2: the clock is 8000, though the sampling rate is 16000
		return audio(media.G722, 8000, p.count()), nil
	case "l8", "l16", "l24":
		t := audio(media.LPCM, p.rate(44100), p.count())
		t.BitDepth = positive(name[1:])
		return t, nil
	case "mpa": // RFC 3551 4.5.13: the clock is 90000, whatever the sampling rate; frames tell the channels
		return audio(media.MP3, p.rate(90000), p.channels), nil
	case "mpeg4-generic":
		return p.aac()
	case "mp4a-latm":
		return p.latm()
	case "vnd.onvif.metadata":
		return media.Track{}, fmt.Errorf("ONVIF metadata is not carried")
	}
	return media.Track{}, fmt.Errorf("the codec %s is not carried", printable(p.name))
}

func video(c media.Codec, sets [][]byte) media.Track {
	return media.Track{Kind: media.Video, Codec: c, ClockRate: 90000, ParameterSets: sets}
}

func audio(c media.Codec, rate, channels int) media.Track {
	return media.Track{Kind: media.Audio, Codec: c, ClockRate: rate, Channels: channels}
}

func (p payload) rate(otherwise int) int {
	if p.clock == 0 {
		return otherwise
	}
	return p.clock
}

// count is the number of channels, one if it is not said or makes no sense.
func (p payload) count() int {
	if p.channels == 0 || p.channels > 8 {
		return 1
	}
	return p.channels
}

// printable is a camera's words, fit for a sentence.
func printable(s string) string {
	clean := strings.Map(func(r rune) rune {
		if r > 126 || r < 32 {
			return -1
		}
		return r
	}, s)
	return clean[:min(len(clean), 40)]
}
