package negotiation

import (
	"slices"
	"strconv"
	"strings"
)

// answeredFeedback are the feedback messages that make sense in an answer of ours.
var answeredFeedback = []string{"nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"}

// FinishAnswer turns a library's answer to Offer.Normalised into the one that is sent: one section for each
// of the offer's, sendonly or recvonly, in one BUNDLE group with rtcp-mux-only; payload types, feedback and
// header extensions of the offer alone; all candidates sorted in the first section, with end-of-candidates
// after them. The DTLS role is the library's. It returns *RejectedSectionError if the library leaves out a
// section that the plan serves, and *InvalidAnswerError if its answer can't be used.
func FinishAnswer(answer string, offer *Offer, o AnswerOptions) (string, error) {
	d, err := scan(answer)
	if err != nil {
		return "", &InvalidAnswerError{Detail: err.Error()}
	}
	f := &finisher{offer: offer, options: o}
	if err := f.readLibrary(d); err != nil {
		return "", err
	}
	return f.text()
}

// readLibrary finds the library's section for each of the offer's, what is to become of it, and what all share.
func (f *finisher) readLibrary(d *document) error {
	byMID := map[string]*sectionText{}
	for i := range d.sections {
		t := &d.sections[i]
		if mid, ok, err := t.attrs.single("mid"); err == nil && ok {
			byMID[mid.value] = t
		}
	}
	var shared attributes // whose ICE and DTLS lines stand for all
	for i := range f.offer.Sections {
		p, err := f.libraryPart(&f.offer.Sections[i], byMID[f.offer.Sections[i].MID])
		if err != nil {
			return err
		}
		if f.parts = append(f.parts, p); p.action.Sends() && shared == nil {
			shared = byMID[p.offered.MID].attrs
		}
	}
	f.side = side{
		origin: d.origin, lite: d.session.has("ice-lite"), mixedExtensions: d.session.has("extmap-allow-mixed"),
		iceUfrag: value(shared, d.session, "ice-ufrag"), icePwd: value(shared, d.session, "ice-pwd"),
		fingerprint: value(shared, d.session, "fingerprint"), setup: value(shared, d.session, "setup"),
		candidates: sortCandidates(d.candidates(), f.options.Loopback),
	}
	f.nameStream()
	return f.check()
}

// libraryPart is what becomes of a section for which the library has a text, or nil.
func (f *finisher) libraryPart(s *Section, t *sectionText) (part, error) {
	p := part{offered: s, action: f.libraryAction(s, t)}
	if !p.action.Sends() {
		return p, nil
	}
	if t == nil || t.port == 0 {
		return p, &RejectedSectionError{MID: s.MID}
	}
	if p.formats = f.libraryFormats(s, t); len(p.formats) == 0 {
		return p, &RejectedSectionError{MID: s.MID}
	}
	p.extMaps = s.commonExtMaps(t.attrs)
	p.sources = t.attrs
	return p, nil
}

func (f *finisher) libraryAction(s *Section, t *sectionText) Action {
	if !s.serves() {
		return Disabled
	}
	if f.offer.Role == RolePlay {
		if c, ok := f.choice(s); ok {
			return c.Action
		}
		if t != nil && !t.attrs.has("msid") {
			return Unused // pion says sendonly of a section that it has no track for
		}
	}
	return Passthrough
}

// libraryFormats are the answered payload types, in the library's order: for a viewer the chosen one and its
// retransmissions, for a publisher all that both sides know.
func (f *finisher) libraryFormats(s *Section, t *sectionText) []Format {
	var kept []Format
	c, chosen := f.choice(s)
	all := slices.Concat(s.Formats, s.Repair)
	listed := map[string]bool{}
	for _, word := range t.formats {
		for i := range all {
			o := &all[i]
			if listed[word] || strconv.Itoa(int(o.PayloadType)) != word {
				continue
			}
			if chosen && o.PayloadType != c.Format.PayloadType && (o.PayloadType != c.Format.RTX || c.Format.RTX == 0) {
				continue
			}
			listed[word] = true
			kept = append(kept, f.libraryFormat(o, t))
		}
	}
	if chosen && !listed[strconv.Itoa(int(c.Format.PayloadType))] {
		return nil
	}
	return kept
}

// libraryFormat is a payload type as it was offered, with the library's parameters if it has some, and the feedback
// that both know (RFC 4585 4.2).
func (f *finisher) libraryFormat(offered *Format, t *sectionText) Format {
	format := *offered
	format.Feedback = nil
	number := strconv.Itoa(int(format.PayloadType))
	for _, a := range t.attrs {
		pt, value, _ := strings.Cut(a.value, " ")
		switch {
		case a.key == "fmtp" && pt == number:
			format.FMTP = value
		case a.key == "rtcp-fb" && (pt == number || pt == "*") && offered.answers(value) && !slices.Contains(format.Feedback, value):
			format.Feedback = append(format.Feedback, value)
		}
	}
	if f.offer.Role == RolePublish {
		format.FMTP = withoutSprop(format.FMTP)
	}
	return format
}

// answers reports whether a feedback message was offered for the format and makes sense in an answer.
func (f *Format) answers(feedback string) bool {
	return slices.Contains(answeredFeedback, feedback) && slices.Contains(f.Feedback, feedback)
}

// nameStream finds the stream id of all that is sent.
func (f *finisher) nameStream() {
	f.streamID = f.options.StreamID
	for i := range f.parts {
		if p := &f.parts[i]; f.streamID == "" && p.action.Sends() {
			msid, _, _ := p.sources.single("msid")
			f.streamID, _, _ = strings.Cut(msid.value, " ")
		}
	}
}

// commonExtMaps are the header extensions that both know under the same id, in the offer's order: pion's changes
// from run to run.
func (s *Section) commonExtMaps(attrs attributes) []string {
	var common []string
	library := map[int]string{}
	for _, a := range attrs {
		if a.key != "extmap" {
			continue
		}
		if id, uri, ok := parseExtMap(a.value); ok {
			library[id] = uri
		}
	}
	for _, value := range s.extMaps {
		if id, uri, _ := parseExtMap(value); knownExtensions[uri] && library[id] == uri {
			common = append(common, strconv.Itoa(id)+" "+uri)
		}
	}
	return common
}
