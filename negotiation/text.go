package negotiation

import (
	"strconv"
	"strings"
)

// The limits of an offer, kept before anything else is done with it.
const (
	MaxOfferSize   = 64 << 10 // bytes
	maxLines       = 4096
	maxSections    = 32
	maxFormats     = 64  // of one section
	maxCandidates  = 50  // used of one offer; the others are ignored
	maxExtMaps     = 64  // of one section
	maxRIDs        = 8   // of one section
	maxUsedRIDs    = 4   // as many as OBS can be set to: it gives up if the answer has fewer than it offered
	maxRIDLength   = 255 // of an RTP header extension (RFC 8285 4.3)
	maxFeedback    = 16  // of one format; the others are ignored
	maxShared      = 32  // lines of a transport that other sections take over
	maxMID         = 16
	maxSprop       = 4096 // of one parameter that tells of the sender's stream
	maxFMTP        = 1024 // of one format's other parameters, which an answer repeats
	maxPayloadType = 127
)

// attribute is one a= line.
type attribute struct {
	key, value string
	line       int
}

type attributes []attribute

// sectionText is an m-line and the attributes that follow it.
type sectionText struct {
	line    int
	media   string
	port    int
	proto   string
	formats []string
	attrs   attributes
}

// document is SDP cut into lines, with no meaning given to them yet. Lines other than m= and a= are dropped.
type document struct {
	origin   string
	session  attributes
	sections []sectionText
	all      attributes // of session and sections, one after the other
}

// scan cuts SDP into its lines, which end in CRLF or LF. Its errors are *MalformedOfferError, whatever the text is.
func scan(sdp string) (*document, error) {
	d := &document{all: make(attributes, 0, min(strings.Count(sdp, "\n")+1, maxLines))}
	for number := 1; sdp != ""; number++ {
		var line string
		line, sdp, _ = strings.Cut(sdp, "\n")
		line = strings.TrimSuffix(line, "\r")
		if number > maxLines {
			return nil, malformed(number, "at most %d lines are accepted", maxLines)
		}
		if line == "" && strings.Trim(sdp, "\r\n") == "" {
			break
		}
		if err := d.add(line, number); err != nil {
			return nil, err
		}
	}
	if d.origin == "" {
		return nil, malformed(0, "it has no o= line")
	}
	return d, nil
}

func (d *document) add(line string, number int) error {
	if i := strings.IndexAny(line, "\r\x00"); i >= 0 {
		return malformed(number, "it has a %+q inside; lines end in CRLF or LF and hold no NUL", line[i])
	}
	if len(line) < 2 || line[1] != '=' || line[0] < 'a' || line[0] > 'z' {
		return malformed(number, "%s is not of the form x=value", quoteLine(line))
	}
	if number == 1 && line != "v=0" {
		return malformed(number, "the first line must be v=0")
	}
	value := strings.TrimRight(line[2:], " \t")
	switch line[0] {
	case 'o':
		d.origin = value
	case 'm':
		return d.addSection(value, number)
	case 'a':
		key, v, _ := strings.Cut(value, ":")
		own := &d.session
		if n := len(d.sections); n > 0 {
			own = &d.sections[n-1].attrs
		}
		d.all = append(d.all, attribute{key: key, value: v, line: number})
		end := len(d.all)
		*own = d.all[end-len(*own)-1 : end : end]
	}
	return nil
}

func (d *document) addSection(value string, number int) error {
	if len(d.sections) == maxSections {
		return malformed(number, "at most %d m-lines are accepted", maxSections)
	}
	f := strings.Fields(value)
	if len(f) < 4 {
		return malformed(number, "an m-line needs a medium, a port, a protocol and formats")
	}
	number16, _, _ := strings.Cut(f[1], "/")
	port, err := strconv.ParseUint(number16, 10, 16)
	if err != nil {
		return malformed(number, "port %s must be a number from 0 to 65535", quote(f[1]))
	}
	if len(f)-3 > maxFormats {
		return malformed(number, "the m-line has %d formats; at most %d are accepted", len(f)-3, maxFormats)
	}
	for _, word := range f {
		if !printable(word) {
			return malformed(number, "the m-line has a character that is not printable ASCII")
		}
	}
	d.sections = append(d.sections, sectionText{line: number, media: f[0], port: int(port), proto: f[2], formats: f[3:]})
	return nil
}

// has reports whether a flag such as rtcp-mux stands among the attributes.
func (as attributes) has(key string) bool {
	for _, a := range as {
		if a.key == key {
			return true
		}
	}
	return false
}

// single is the value of an attribute that may stand once only; ok is false if it is absent.
func (as attributes) single(key string) (found attribute, ok bool, err error) {
	for _, a := range as {
		switch {
		case a.key != key:
		case ok && found.value != a.value:
			return found, true, malformed(a.line, "a second %s contradicts the one in line %d", key, found.line)
		case !ok:
			found, ok = a, true
		}
	}
	return found, ok, nil
}

// inherited is single for an attribute that may also stand at session level, where it goes for all sections.
func inherited(section, session attributes, key string) (attribute, bool, error) {
	if a, ok, err := section.single(key); ok || err != nil {
		return a, ok, err
	}
	return session.single(key)
}

// printable reports whether s is ASCII without control characters.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// token reports whether s is a token of RFC 8866 of at most the given length.
func token(s string, most int) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || strings.IndexByte(`"(),/:;<=>?@[\]`, s[i]) >= 0 {
			return false
		}
	}
	return s != "" && len(s) <= most
}
