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
	Codec       media.Codec       // "" for what the gateway can't send or take
	Name        string            // encoding name as offered
	ClockRate   int               // Hz
	Channels    int               // audio: 1 unless the offer says more; Opus: always 2 (RFC 7587 7), but for multiopus. Video: 0
	FMTP        string            // the fmtp line's parameters, without those that are broken
	Params      map[string]string // by key in lower case; nil: those of FMTP
	Feedback    []string          // values of rtcp-fb: "nack pli"
	RTX         uint8             // payload type of its retransmissions; 0 for none
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

// formatTable is the payload types of an m-line while they are read.
type formatTable struct {
	list []Format                 // in the m-line's order
	at   [maxPayloadType + 1]int8 // place in list, from 1; 0: not listed
}

// readFormats reads the payload types with their rtpmap, fmtp and rtcp-fb lines. Those with no encoding
// name are left out; fmtp and rtcp-fb lines of absent payload types are ignored, as Firefox sends some.
func (s *Section) readFormats(t *sectionText, role Role) error {
	all, err := listFormats(t)
	if err != nil {
		return err
	}
	if err := all.readRTPMaps(t); err != nil {
		return err
	}
	if err := all.readParameters(t.attrs, role); err != nil {
		return err
	}
	s.noFMTP = true
	s.Repair, s.Formats = all.divide()
	for i := range s.Formats {
		s.noFMTP = s.noFMTP && s.Formats[i].FMTP == ""
	}
	s.pairRTX()
	return nil
}

// divide gives the formats of repair and the others, each list no longer than needed.
func (all *formatTable) divide() (repair, others []Format) {
	repairs, named := 0, 0
	for i := range all.list {
		switch f := &all.list[i]; {
		case f.Name == "":
		case f.repairs():
			repairs++
		default:
			named++
		}
	}
	repair, others = make([]Format, 0, repairs), make([]Format, 0, named)
	for i := range all.list {
		switch f := &all.list[i]; {
		case f.Name == "":
		case f.repairs():
			repair = append(repair, *f)
		default:
			others = append(others, *f)
		}
	}
	return repair, others
}

func (f *Format) repairs() bool { return slices.ContainsFunc(repairNames, f.is) }

func listFormats(t *sectionText) (*formatTable, error) {
	all := &formatTable{list: make([]Format, 0, len(t.formats))}
	for _, word := range t.formats {
		n, err := strconv.ParseUint(word, 10, 8)
		if err != nil || n > maxPayloadType {
			return nil, malformed(t.line, "payload type %s must be a number from 0 to %d", quote(word), maxPayloadType)
		}
		if all.at[n] != 0 {
			return nil, malformed(t.line, "payload type %s is listed twice", word)
		}
		f := Format{PayloadType: uint8(n)}
		f.setEncoding(staticFormats[f.PayloadType], t.media)
		all.list = append(all.list, f)
		all.at[n] = int8(len(all.list))
	}
	return all, nil
}

// find returns the format of a payload type, or nil.
func (all *formatTable) find(word string) *Format {
	n, err := strconv.ParseUint(word, 10, 8)
	if err != nil || n > maxPayloadType || all.at[n] == 0 {
		return nil
	}
	return &all.list[all.at[n]-1]
}

func (all *formatTable) readRTPMaps(t *sectionText) error {
	var seen [maxPayloadType + 1]bool
	for _, a := range t.attrs {
		if a.key != "rtpmap" {
			continue
		}
		number, encoding, _ := strings.Cut(a.value, " ")
		f := all.find(number)
		if f == nil {
			return malformed(a.line, "the rtpmap is of payload type %s, which the m-line does not list", quote(number))
		}
		before := *f
		if !f.setEncoding(strings.TrimSpace(encoding), t.media) {
			return malformed(a.line, "rtpmap %s must be like 96 H264/90000", quote(a.value))
		}
		if seen[f.PayloadType] && !before.sameEncoding(f) {
			return malformed(a.line, "payload type %d is both %s and %s", f.PayloadType, quote(before.Name), quote(f.Name))
		}
		seen[f.PayloadType] = true
	}
	return nil
}

// setEncoding takes "name/clock" or "name/clock/channels" and reports whether it is well-formed.
func (f *Format) setEncoding(encoding, medium string) bool {
	name, rest, named := strings.Cut(encoding, "/")
	rate, number, more := strings.Cut(rest, "/")
	if !named || strings.Contains(number, "/") || !token(name, 64) {
		return false
	}
	clock, err := strconv.ParseUint(rate, 10, 31)
	if err != nil || clock == 0 {
		return false
	}
	f.Name, f.ClockRate, f.Codec = name, int(clock), codecNames[strings.ToLower(name)]
	if slices.Contains(audioCodecs, f.Codec) != (medium == string(media.Audio)) {
		f.Codec = ""
	}
	if medium == string(media.Video) {
		return true
	}
	f.Channels = 1
	if more {
		n, err := strconv.ParseUint(number, 10, 8)
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

// readParameters reads the fmtp lines, of which the first of a format counts, and the rtcp-fb lines.
func (all *formatTable) readParameters(attrs attributes, role Role) error {
	var seen [maxPayloadType + 1]bool
	for _, a := range attrs {
		if a.key != "fmtp" && a.key != "rtcp-fb" {
			continue
		}
		if !printable(a.value) {
			return malformed(a.line, "%s has a character that is not printable ASCII", a.key)
		}
		number, value, _ := strings.Cut(a.value, " ")
		value = strings.TrimSpace(value)
		switch f := all.find(number); {
		case value == "":
		case a.key == "fmtp" && f != nil:
			if !seen[f.PayloadType] {
				f.setFMTP(value, role)
			}
			seen[f.PayloadType] = true
			if n := repeatedLength(f.FMTP); n > maxFMTP {
				return malformed(a.line, "the format parameters have %d bytes; at most %d are accepted", n, maxFMTP)
			}
		case a.key == "rtcp-fb" && f != nil:
			f.addFeedback(value)
		case a.key == "rtcp-fb" && number == "*":
			for i := range all.list {
				all.list[i].addFeedback(value)
			}
		}
	}
	return nil
}

// repeatedLength is the bytes of the parameters that an answer repeats.
func repeatedLength(fmtp string) int {
	if len(fmtp) <= maxFMTP {
		return len(fmtp)
	}
	return len(withoutSprop(fmtp))
}

func (f *Format) addFeedback(value string) {
	if f.Feedback == nil {
		f.Feedback = make([]string, 0, 5) // as many as browsers offer
	}
	if len(f.Feedback) < maxFeedback && !slices.Contains(f.Feedback, value) {
		f.Feedback = append(f.Feedback, value)
	}
}

// setFMTP keeps an fmtp line, without parameters that are broken or say nothing to us.
func (f *Format) setFMTP(value string, role Role) {
	f.FMTP = value
	drop := func(pair string) bool {
		key, v := cutParameter(pair)
		return useless(strings.ToLower(key), v, role)
	}
	for pair := range strings.SplitSeq(value, ";") {
		if drop(pair) {
			kept := slices.DeleteFunc(strings.Split(value, ";"), drop)
			for i := range kept {
				kept[i] = strings.TrimSpace(kept[i])
			}
			f.FMTP = strings.Join(kept, ";")
			return
		}
	}
}

func cutParameter(pair string) (key, value string) {
	key, value, _ = strings.Cut(pair, "=")
	return strings.TrimSpace(key), strings.TrimSpace(value)
}

// param is the value of a format parameter; "" if it is absent.
func (f *Format) param(key string) string {
	value, _ := f.lookup(key)
	return value
}

// lookup finds a format parameter by its key in lower case. Of two with one key the first counts.
func (f *Format) lookup(key string) (value string, given bool) {
	if f.Params != nil {
		value, given = f.Params[key]
		return value, given
	}
	for pair := range strings.SplitSeq(f.FMTP, ";") {
		if k, v := cutParameter(pair); k != "" && strings.EqualFold(k, key) {
			return v, true
		}
	}
	return "", false
}

// params is all format parameters by their keys in lower case.
func (f *Format) params() map[string]string {
	if f.Params != nil {
		return f.Params
	}
	all := map[string]string{}
	for pair := range strings.SplitSeq(f.FMTP, ";") {
		key, v := cutParameter(pair)
		key = strings.ToLower(key)
		if _, twice := all[key]; !twice && key != "" {
			all[key] = v
		}
	}
	return all
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
		apt, err := strconv.ParseUint(r.param("apt"), 10, 8)
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
