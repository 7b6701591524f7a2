package rtsp

import (
	"strings"
)

const maxSections = 16

// sessionDescription is what an SDP says that matters to a player. Everything else in it, right or wrong, is left out:
// there is hardly a line that no camera gets wrong.
//
// Specification: RFC 8866
type sessionDescription struct {
	control  string
	keyMgmt  string
	sections []rawSection
	fmtp     []string // of the session level, where they do not belong
}

// rawSection is one m= line and the attributes below it.
type rawSection struct {
	kind    string // as written, for example "application/TP-LINK"
	proto   string
	formats []string
	control string
	keyMgmt string
	rtpmap  []string
	fmtp    []string
	sends   bool // a=sendonly
}

// parseSDP never fails. More sections than the limit are left out.
func parseSDP(body []byte) sessionDescription {
	var d sessionDescription
	var s *rawSection
	for line := range strings.Lines(strings.ReplaceAll(string(body), "\r", "\n")) {
		line = strings.TrimSpace(strings.Trim(line, "\x00\n"))
		kind, value, found := strings.Cut(line, "=")
		if !found {
			continue
		}
		switch value = strings.TrimSpace(value); strings.ToLower(strings.TrimSpace(kind)) {
		case "m":
			if len(d.sections) == maxSections {
				return d
			}
			d.sections = append(d.sections, newRawSection(value))
			s = &d.sections[len(d.sections)-1]
		case "a":
			if s == nil {
				d.attribute(value)
			} else {
				s.attribute(value)
			}
		}
	}
	return d
}

// newRawSection reads an m= line, whose end may be missing.
func newRawSection(value string) rawSection {
	var s rawSection
	for i, f := range strings.Fields(value) {
		switch i {
		case 0:
			s.kind = strings.ToLower(f)
		case 1: // the port says nothing
		case 2:
			s.proto = strings.ToUpper(f)
		default:
			s.formats = append(s.formats, f)
		}
	}
	return s
}

func (d *sessionDescription) attribute(a string) {
	name, value, _ := strings.Cut(a, ":")
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "control":
		d.control = strings.TrimSpace(value)
	case "key-mgmt":
		d.keyMgmt = strings.TrimSpace(value)
	case "fmtp":
		d.fmtp = append(d.fmtp, strings.TrimSpace(value))
	}
}

func (s *rawSection) attribute(a string) {
	name, value, _ := strings.Cut(a, ":")
	value = strings.TrimSpace(value)
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "control":
		s.control = value
	case "key-mgmt":
		s.keyMgmt = value
	case "rtpmap":
		s.rtpmap = append(s.rtpmap, value)
	case "fmtp":
		s.fmtp = append(s.fmtp, value)
	case "sendonly":
		s.sends = true
	}
}

// payloadAttribute finds the value for a payload type among rtpmap or fmtp attributes.
func payloadAttribute(all []string, payloadType string) string {
	for _, a := range all {
		pt, value, _ := strings.Cut(a, " ")
		if pt == payloadType {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// formatParameters takes a fmtp value apart; names are in lower case.
func formatParameters(s string) map[string]string {
	m := make(map[string]string)
	for part := range strings.SplitSeq(s, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if name != "" {
			m[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	return m
}
