package rtsp

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"sluice/media"
)

// NAL unit types. Specification: ITU-T H.264 table 7-1, H.265 table 7-1
const (
	h264SPS, h264PPS          = 7, 8
	h265VPS, h265SPS, h265PPS = 32, 33, 34
)

// h264Sets is SPS and PPS of sprop-parameter-sets (RFC 6184 8.1), in whatever order the camera gives them; nil if one
// is missing, since the stream itself has them too.
func h264Sets(fmtp map[string]string) [][]byte {
	var sps, pps []byte
	for s := range strings.SplitSeq(fmtp["sprop-parameter-sets"], ",") {
		n := nalUnit(s)
		switch {
		case len(n) > 3 && n[0]&0x1f == h264SPS && sps == nil:
			sps = n
		case len(n) > 1 && n[0]&0x1f == h264PPS && pps == nil:
			pps = n
		}
	}
	if sps == nil || pps == nil {
		return nil
	}
	return [][]byte{sps, pps}
}

// h265Sets is VPS, SPS and PPS (RFC 7798 7.1); nil unless all three are there.
func h265Sets(fmtp map[string]string) [][]byte {
	names := []string{"sprop-vps", "sprop-sps", "sprop-pps"}
	types := []byte{h265VPS, h265SPS, h265PPS}
	var sets [][]byte
	for i, name := range names {
		first, _, _ := strings.Cut(fmtp[name], ",")
		n := nalUnit(first)
		if len(n) < 3 || n[0]>>1&0x3f != types[i] {
			return nil
		}
		sets = append(sets, n)
	}
	return sets
}

// nalUnit decodes one parameter set; nil if it is damaged. Padding may be missing, and a start code present.
func nalUnit(s string) []byte {
	n, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(s), "="))
	if err != nil {
		return nil
	}
	n = bytes.TrimPrefix(n, []byte{0})
	return bytes.TrimPrefix(n, []byte{0, 0, 1})
}

// mpeg4Config is the config of RFC 6416 7.1; nil if it is missing or damaged.
func mpeg4Config(fmtp map[string]string) [][]byte {
	c, err := hex.DecodeString(fmtp["config"])
	if err != nil || len(c) < 4 || !bytes.HasPrefix(c, []byte{0, 0, 1}) {
		return nil
	}
	return [][]byte{c}
}

// aac is a track of RFC 3640. Without a config, which some cameras forget, the rtpmap tells rate and channels,
// and nobody sends anything but AAC-LC.
func (p payload) aac() (media.Track, error) {
	if mode := p.fmtp["mode"]; mode != "" && !strings.HasPrefix(strings.ToUpper(mode), "AAC") {
		return media.Track{}, fmt.Errorf("MPEG-4 audio in mode %s is not carried", printable(mode))
	}
	config, err := hex.DecodeString(p.fmtp["config"])
	var asc mpeg4audio.AudioSpecificConfig
	if err != nil || asc.Unmarshal(config) != nil || asc.SampleRate < 1 {
		asc = mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: p.rate(44100), ChannelCount: p.count()}
		if config, err = asc.Marshal(); err != nil {
			return media.Track{}, fmt.Errorf("AAC of %d Hz and %d channels is not carried", asc.SampleRate, asc.ChannelCount)
		}
	}
	t := audio(media.AAC, p.rate(asc.SampleRate), asc.ChannelCount)
	t.ParameterSets = [][]byte{config}
	t.FMTP = p.pick("sizelength", "indexlength", "indexdeltalength")
	return t, nil
}

// latm is a track of RFC 6416 7.3, whose configuration may also come in its packets.
func (p payload) latm() (media.Track, error) {
	t := audio(media.AAC, p.rate(90000), p.count())
	t.FMTP = p.pick("cpresent", "config")
	if t.FMTP["cpresent"] != "0" {
		t.FMTP["cpresent"] = "1" // the default
	}
	return t, nil
}

// pick is the format parameters that say how to cut units out of packets.
func (p payload) pick(names ...string) map[string]string {
	m := make(map[string]string)
	for _, n := range names {
		if v, has := p.fmtp[n]; has {
			m[n] = v
		}
	}
	return m
}
