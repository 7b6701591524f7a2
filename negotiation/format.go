package negotiation

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sluice/media"
)

// Format is one payload type of a section.
type Format struct {
	PayloadType uint8
	Codec       media.Codec // "" for what the gateway can't send or take
	Name        string      // encoding name as offered
	ClockRate   int         // Hz
	Channels    int         // audio: 1 unless the offer says more; Opus: always 2 (RFC 7587 7), but for multiopus. Video: 0
	FMTP        string      // the fmtp line's parameters, without those that are broken
	Params      map[string]string
	Feedback    []string // values of rtcp-fb: "nack pli"
	RTX         uint8    // payload type of its retransmissions; 0 for none
}

// staticFormats are the payload types that need no rtpmap (RFC 3551 6), of those that the gateway knows.
var staticFormats = map[uint8]string{0: "PCMU/8000", 8: "PCMA/8000", 9: "G722/8000"}

var codecNames = map[string]media.Codec{
	"h264": media.H264, "h265": media.H265, "vp8": media.VP8, "vp9": media.VP9, "av1": media.AV1,
	"opus": media.Opus, "pcmu": media.PCMU, "pcma": media.PCMA, "g722": media.G722,
	multiopus: media.Opus,
}

var audioCodecs = []media.Codec{media.Opus, media.PCMU, media.PCMA, media.G722}

var repairNames = []string{"rtx", "red", "ulpfec", "flexfec", "flexfec-03"}

func (f *Format) is(name string) bool { return strings.EqualFold(f.Name, name) }

// readFormats reads the payload types with their rtpmap, fmtp and rtcp-fb lines. Those with no encoding
// name are left out; fmtp and rtcp-fb lines of absent payload types are ignored, as Firefox sends some.
func (s *Section) readFormats(t *sectionText, role Role) error {
	all, err := listFormats(t)
	if err != nil {
		return err
	}
	if err := readRTPMaps(all, t); err != nil {
		return err
	}
	if err := readParameters(all, t.attrs, role); err != nil {
		return err
	}
	s.noFMTP = true
	for _, f := range all {
		switch {
		case f.Name == "":
		case slices.Contains(repairNames, strings.ToLower(f.Name)):
			s.Repair = append(s.Repair, *f)
		default:
			s.Formats = append(s.Formats, *f)
			s.noFMTP = s.noFMTP && f.FMTP == ""
		}
	}
	s.pairRTX()
	return nil
}

func listFormats(t *sectionText) ([]*Format, error) {
	var all []*Format
	for _, word := range t.formats {
		n, err := strconv.ParseUint(word, 10, 8)
		if err != nil || n > maxPayloadType {
			return nil, malformed(t.line, "payload type %s must be a number from 0 to %d", quote(word), maxPayloadType)
		}
		if find(all, word) != nil {
			return nil, malformed(t.line, "payload type %s is listed twice", word)
		}
		f := &Format{PayloadType: uint8(n)}
		f.setEncoding(staticFormats[f.PayloadType], t.media)
		all = append(all, f)
	}
	return all, nil
}

// find returns the format of a payload type, or nil.
func find(all []*Format, word string) *Format {
	n, err := strconv.ParseUint(word, 10, 8)
	if err != nil {
		return nil
	}
	for _, f := range all {
		if uint64(f.PayloadType) == n {
			return f
		}
	}
	return nil
}

func readRTPMaps(all []*Format, t *sectionText) error {
	seen := map[*Format]Format{}
	for _, a := range t.attrs {
		if a.key != "rtpmap" {
			continue
		}
		number, encoding, _ := strings.Cut(a.value, " ")
		f := find(all, number)
		if f == nil {
			return malformed(a.line, "the rtpmap is of payload type %s, which the m-line does not list", quote(number))
		}
		if !f.setEncoding(strings.TrimSpace(encoding), t.media) {
			return malformed(a.line, "rtpmap %s must be like 96 H264/90000", quote(a.value))
		}
		if before, ok := seen[f]; ok && !before.sameEncoding(f) {
			return malformed(a.line, "payload type %d is both %s and %s", f.PayloadType, quote(before.Name), quote(f.Name))
		}
		seen[f] = *f
	}
	return nil
}

// setEncoding takes "name/clock" or "name/clock/channels" and reports whether it is well-formed.
func (f *Format) setEncoding(encoding, medium string) bool {
	parts := strings.Split(encoding, "/")
	if len(parts) < 2 || len(parts) > 3 || !token(parts[0], 64) {
		return false
	}
	clock, err := strconv.ParseUint(parts[1], 10, 31)
	if err != nil || clock == 0 {
		return false
	}
	f.Name, f.ClockRate, f.Codec = parts[0], int(clock), codecNames[strings.ToLower(parts[0])]
	if slices.Contains(audioCodecs, f.Codec) != (medium == string(media.Audio)) {
		f.Codec = ""
	}
	if medium == string(media.Video) {
		return true
	}
	f.Channels = 1
	if len(parts) == 3 {
		n, err := strconv.ParseUint(parts[2], 10, 8)
		if err != nil || n == 0 {
			return false
		}
		f.Channels = int(n)
	}
	if f.is("opus") {
		f.Channels = 2
	}
	return true
}

func (f *Format) sameEncoding(o *Format) bool {
	return f.is(o.Name) && f.ClockRate == o.ClockRate && f.Channels == o.Channels
}

// rtpmap is the encoding as an rtpmap line has it.
func (f *Format) rtpmap() string {
	if f.Channels > 1 {
		return fmt.Sprintf("%d %s/%d/%d", f.PayloadType, f.Name, f.ClockRate, f.Channels)
	}
	return fmt.Sprintf("%d %s/%d", f.PayloadType, f.Name, f.ClockRate)
}

func readParameters(all []*Format, attrs attributes, role Role) error {
	for _, a := range attrs {
		if a.key != "fmtp" && a.key != "rtcp-fb" {
			continue
		}
		if !printable(a.value) {
			return malformed(a.line, "%s has a character that is not printable ASCII", a.key)
		}
		number, value, _ := strings.Cut(a.value, " ")
		value = strings.TrimSpace(value)
		switch f := find(all, number); {
		case value == "":
		case a.key == "fmtp" && f != nil:
			f.setFMTP(value, role)
			if n := len(withoutSprop(f.FMTP)); n > maxFMTP {
				return malformed(a.line, "the format parameters have %d bytes; at most %d are accepted", n, maxFMTP)
			}
		case a.key == "rtcp-fb" && f != nil:
			f.addFeedback(value)
		case a.key == "rtcp-fb" && number == "*":
			for _, each := range all {
				each.addFeedback(value)
			}
		}
	}
	return nil
}

func (f *Format) addFeedback(value string) {
	if len(f.Feedback) < maxFeedback && !slices.Contains(f.Feedback, value) {
		f.Feedback = append(f.Feedback, value)
	}
}

// setFMTP keeps the first fmtp line of a format, without parameters that are broken or say nothing to us.
func (f *Format) setFMTP(value string, role Role) {
	if f.Params != nil {
		return
	}
	f.Params = map[string]string{}
	var kept []string
	dropped := false
	for pair := range strings.SplitSeq(value, ";") {
		key, v, _ := strings.Cut(strings.TrimSpace(pair), "=")
		key, v = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(v)
		if useless(key, v, role) {
			dropped = true
			continue
		}
		kept = append(kept, strings.TrimSpace(pair))
		if _, twice := f.Params[key]; !twice && key != "" {
			f.Params[key] = v
		}
	}
	f.FMTP = value
	if dropped {
		f.FMTP = strings.Join(kept, ";")
	}
}

// useless finds parameters that must be taken for absent: a profile-level-id that is none (ffmpeg 8 writes
// ffffff9d), and parameter sets that are broken or come from a viewer, who sends no pictures.
func useless(key, value string, role Role) bool {
	switch key {
	case "profile-level-id":
		_, ok := parseProfileLevelID(value)
		return !ok
	case "sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps":
		return role == RolePlay || len(value) > maxSprop || !base64List(value)
	}
	return false
}

func base64List(value string) bool {
	for set := range strings.SplitSeq(value, ",") {
		if _, err := base64.StdEncoding.DecodeString(set); err != nil {
			return false
		}
	}
	return true
}

// pairRTX gives each format its retransmission, and drops an RTX format whose apt names no format of the
// section or another RTX (RFC 4588 8.6): loops and chains end here.
func (s *Section) pairRTX() {
	s.Repair = slices.DeleteFunc(s.Repair, func(r Format) bool {
		if !r.is("rtx") {
			return false
		}
		apt, err := strconv.ParseUint(r.Params["apt"], 10, 8)
		if err != nil || r.PayloadType == 0 {
			return true
		}
		for i := range s.Formats {
			if f := &s.Formats[i]; uint64(f.PayloadType) == apt {
				if f.RTX == 0 {
					f.RTX = r.PayloadType
				}
				return f.RTX != r.PayloadType
			}
		}
		return !slices.ContainsFunc(s.Repair, func(o Format) bool { return o.is("red") && uint64(o.PayloadType) == apt })
	})
}
