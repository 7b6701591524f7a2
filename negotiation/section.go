package negotiation

import (
	"strings"

	"sluice/media"
)

func parseSection(t *sectionText, session attributes, role Role) (Section, error) {
	s := Section{
		Kind: media.Data, Media: t.media, Proto: t.proto, line: t.line, formats: strings.Join(t.formats, " "),
		Enabled:         t.port != 0 || t.attrs.has("bundle-only"),
		RTCPMux:         t.attrs.has("rtcp-mux") || t.attrs.has("rtcp-mux-only"),
		RTCPReducedSize: t.attrs.has("rtcp-rsize"),
	}
	if t.media == string(media.Audio) || t.media == string(media.Video) {
		s.Kind = media.Kind(t.media)
	}
	if err := s.readMID(t.attrs); err != nil || !s.serves() {
		return s, err
	}
	if err := s.readDirection(t.attrs, session); err != nil {
		return s, err
	}
	if err := s.readTransport(t.attrs, session, role); err != nil {
		return s, err
	}
	if err := s.readFormats(t, role); err != nil {
		return s, err
	}
	if err := s.readExtMaps(session, t.attrs); err != nil {
		return s, err
	}
	s.readSources(t.attrs, role)
	s.readRIDs(t.attrs)
	return s, nil
}

// readMID takes the mid as an opaque token: GStreamer's is "video0".
func (s *Section) readMID(attrs attributes) error {
	a, ok, err := attrs.single("mid")
	if err != nil || !ok {
		return err
	}
	if !token(a.value, maxMID) {
		return malformed(a.line, "mid %s must be a token of at most %d characters", quote(a.value), maxMID)
	}
	s.MID = a.value
	return nil
}

func (s *Section) readDirection(attrs, session attributes) error {
	for _, level := range []attributes{attrs, session} {
		for _, a := range level {
			switch d := Direction(a.key); d {
			case SendRecv, SendOnly, RecvOnly, Inactive:
				if s.Direction != "" && s.Direction != d {
					return malformed(a.line, "%s contradicts %s", d, s.Direction)
				}
				s.Direction = d
			}
		}
		if s.Direction != "" {
			return nil
		}
	}
	s.Direction = SendRecv
	return nil
}

// readSources keeps what a publisher says of its streams, for the library to read; a viewer's are not to be
// expected. Lines that are not plain ASCII say nothing that a library needs.
func (s *Section) readSources(attrs attributes, role Role) {
	for _, a := range attrs {
		switch a.key {
		case "msid", "ssrc", "ssrc-group":
		default:
			continue
		}
		if role != RolePlay && printable(a.value) {
			s.sources = append(s.sources, a.key+":"+a.value)
		}
	}
}

func trickles(d *document) bool {
	for _, a := range d.session {
		if trickleOption(a) {
			return true
		}
	}
	for _, s := range d.sections {
		for _, a := range s.attrs {
			if trickleOption(a) {
				return true
			}
		}
	}
	return false
}

// trickleOption finds the option among blanks and commas: OBS writes "ice2,trickle trickle".
func trickleOption(a attribute) bool {
	if a.key != "ice-options" {
		return false
	}
	for word := range strings.FieldsFuncSeq(a.value, func(r rune) bool { return r == ' ' || r == ',' }) {
		if word == "trickle" {
			return true
		}
	}
	return false
}
