package negotiation

import (
	"strconv"
	"strings"
)

// knownExtensions are the header extensions that an answer may keep.
var knownExtensions = map[string]bool{
	"urn:ietf:params:rtp-hdrext:sdes:mid":                                                     true,
	"urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id":                                           true,
	"urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id":                                  true,
	"urn:ietf:params:rtp-hdrext:ssrc-audio-level":                                             true,
	"http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01":               true,
	"http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time":                              true,
	"http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time":                           true,
	"https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension": true,
	PlayoutDelay: true,
}

// readExtMaps reads the header extensions (RFC 8285 7). Id 15 is reserved in one-byte headers, and the ids
// above 255 are placeholders that nobody is known to send.
func (s *Section) readExtMaps(levels ...attributes) error {
	for _, attrs := range levels {
		for _, a := range attrs {
			if a.key != "extmap" {
				continue
			}
			if err := s.addExtMap(a); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Section) addExtMap(a attribute) error {
	id, _, ok := parseExtMap(a.value)
	switch {
	case !ok || !printable(a.value):
		return malformed(a.line, "extmap %s must be like 3 urn:ietf:params:rtp-hdrext:sdes:mid", quote(a.value))
	case id < 1 || id == 15 || id > 255:
		return malformed(a.line, "extmap id %d must be from 1 to 14, or from 16 to 255", id)
	case s.extension(id) != "":
		return malformed(a.line, "extmap id %d is given twice", id)
	case len(s.extMaps) == maxExtMaps:
		return malformed(a.line, "at most %d extmaps are accepted in a section", maxExtMaps)
	}
	s.extMaps = append(s.extMaps, a.value)
	return nil
}

// parseExtMap reads "id[/direction] uri [attributes]".
func parseExtMap(value string) (id int, uri string, ok bool) {
	first, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
	uri, _, _ = strings.Cut(strings.TrimLeft(rest, " "), " ")
	number, _, _ := strings.Cut(first, "/")
	id, err := strconv.Atoi(number)
	return id, uri, err == nil && uri != ""
}

// extension is the URI of a header extension by its id, or "".
func (s *Section) extension(id int) string {
	for _, value := range s.extMaps {
		if number, uri, _ := parseExtMap(value); number == id {
			return uri
		}
	}
	return ""
}

// ExtensionID is the id under which packets to the offerer may bear a header extension; ok is false if they may not:
// it is not offered, or only for packets from the offerer, or its id needs two-byte headers (RFC 8285 4.2 and 7).
func (s *Section) ExtensionID(uri string) (id uint8, ok bool) {
	const most = 14
	for _, value := range s.extMaps {
		number, offered, _ := parseExtMap(value)
		if offered == uri && number <= most && extMapSends(value) {
			return uint8(number), true
		}
	}
	return 0, false
}

// extMapSends reports whether an offered header extension may stand in packets to the offerer.
func extMapSends(value string) bool {
	number, _, _ := strings.Cut(strings.TrimSpace(value), " ")
	_, direction, given := strings.Cut(number, "/")
	return !given || direction == string(RecvOnly) || direction == string(SendRecv)
}
