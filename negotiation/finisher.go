package negotiation

import (
	"fmt"
	"slices"
	"strings"

	"sluice/media"
)

// maxAnswerSize is for two m-lines: what ffmpeg's WHIP muxer reads is one byte more, with its final NUL.
const maxAnswerSize = 8191

// UnusedMode is how an accepted section is answered in which nothing is sent.
type UnusedMode string

// The modes: a=inactive, which is the default, or port 0.
const (
	UnusedInactive UnusedMode = "inactive"
	UnusedRejected UnusedMode = "rejected"
)

// AnswerOptions is what FinishAnswer cannot read from the offer.
type AnswerOptions struct {
	Plan     *Plan      // which sections a viewer gets; nil: those with an msid in the library's answer
	Unused   UnusedMode // "" is UnusedInactive
	StreamID string     // msid of all that is sent; "": the first of the library's answer
	Loopback bool       // the peer is on this machine, so loopback candidates come first and not last
}

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
	f := &finisher{document: d, offer: offer, options: o}
	if err := f.pair(); err != nil {
		return "", err
	}
	candidates := sortCandidates(d.candidates(), o.Loopback)
	text := f.write(candidates)
	if len(text) <= maxAnswerSize || len(offer.Sections) > 2 {
		return text, nil
	}
	text = f.write(fitting(candidates, len(text)-maxAnswerSize))
	if len(text) > maxAnswerSize {
		return "", &InvalidAnswerError{Detail: fmt.Sprintf("it has %d bytes; peers read %d", len(text), maxAnswerSize)}
	}
	return text, nil
}

// fitting drops candidates from the end, but never the first, until their lines are shorter by the given bytes.
func fitting(candidates []string, excess int) []string {
	for len(candidates) > 1 && excess > 0 {
		last := len(candidates) - 1
		excess -= len("a=candidate:\r\n") + len(candidates[last])
		candidates = candidates[:last]
	}
	return candidates
}

// finisher holds one answer while it is rewritten.
type finisher struct {
	document *document
	offer    *Offer
	options  AnswerOptions

	parts     []part // one for each section of the offer
	transport *part  // whose ICE and DTLS lines stand for all
	streamID  string
}

// part is what becomes of one section.
type part struct {
	offered *Section
	action  Action
	text    *sectionText // of the library's answer; nil if it has none
	formats []Format     // that are answered
}

// pair finds the library's section for each of the offer's and what is to become of it.
func (f *finisher) pair() error {
	byMID := map[string]*sectionText{}
	for i := range f.document.sections {
		t := &f.document.sections[i]
		if mid, ok, err := t.attrs.single("mid"); err == nil && ok {
			byMID[mid.value] = t
		}
	}
	for i := range f.offer.Sections {
		s := &f.offer.Sections[i]
		p := part{offered: s, text: byMID[s.MID]}
		p.action = f.action(&p)
		if p.action == Passthrough {
			if p.formats = f.formats(&p); len(p.formats) == 0 || p.text.port == 0 {
				return &RejectedSectionError{MID: s.MID}
			}
		}
		f.parts = append(f.parts, p)
	}
	return f.shareTransport()
}

func (f *finisher) action(p *part) Action {
	if !p.offered.serves() {
		return Disabled
	}
	if f.offer.Role == RolePlay {
		if c, ok := f.choice(p); ok {
			return c.Action
		}
		if p.text != nil && !p.text.attrs.has("msid") {
			return Unused // pion says sendonly of a section that it has no track for
		}
	}
	return Passthrough
}

func (f *finisher) choice(p *part) (Choice, bool) {
	if f.options.Plan == nil {
		return Choice{}, false
	}
	return f.options.Plan.Choice(p.offered.MID)
}

// formats are the answered payload types, in the library's order: for a viewer the chosen one and its
// retransmissions, for a publisher all that both sides know.
func (f *finisher) formats(p *part) []Format {
	var kept []Format
	if p.text == nil {
		return nil
	}
	c, chosen := f.choice(p)
	all := slices.Concat(p.offered.Formats, p.offered.Repair)
	listed := map[string]bool{}
	for _, word := range p.text.formats {
		for _, o := range all {
			if listed[word] || fmt.Sprint(o.PayloadType) != word {
				continue
			}
			if chosen && o.PayloadType != c.Format.PayloadType && (o.PayloadType != c.Format.RTX || c.Format.RTX == 0) {
				continue
			}
			listed[word] = true
			kept = append(kept, o)
		}
	}
	if chosen && !listed[fmt.Sprint(c.Format.PayloadType)] {
		return nil
	}
	return kept
}

// shareTransport finds the ICE and DTLS lines for the sections that the library did not answer.
func (f *finisher) shareTransport() error {
	for i := range f.parts {
		if f.parts[i].action == Passthrough {
			f.transport = &f.parts[i]
			break
		}
	}
	if f.transport == nil {
		return &InvalidAnswerError{Detail: "none of its sections is served"}
	}
	for _, key := range []string{"ice-ufrag", "ice-pwd", "fingerprint", "setup"} {
		if f.shared(key) == "" {
			return &InvalidAnswerError{Detail: "it has no " + key}
		}
	}
	f.streamID = f.options.StreamID
	for i := range f.parts {
		if p := &f.parts[i]; f.streamID == "" && p.action == Passthrough {
			msid, _, _ := p.text.attrs.single("msid")
			f.streamID, _, _ = strings.Cut(msid.value, " ")
		}
	}
	return nil
}

// shared is an attribute of the transport.
func (f *finisher) shared(key string) string {
	return value(f.transport.text.attrs, f.document.session, key)
}

// rejects reports whether a part is answered with port 0.
func (f *finisher) rejects(p *part) bool {
	return p.action == Disabled || p.action == Unused && f.options.Unused == UnusedRejected
}

// direction is the answer's: a viewer is sent to and a publisher received from, never both.
func (f *finisher) direction(p *part) Direction {
	switch {
	case p.action != Passthrough:
		return Inactive
	case f.offer.Role == RolePublish:
		return RecvOnly
	}
	return SendOnly
}

// orderedMIDs are the mids of the accepted sections in the order of the offer's BUNDLE group.
func (f *finisher) orderedMIDs() []string {
	var mids []string
	for _, mid := range f.offer.Bundle {
		i := slices.IndexFunc(f.parts, func(p part) bool { return p.offered.MID == mid })
		if i >= 0 && !f.rejects(&f.parts[i]) && f.parts[i].offered.Kind != media.Data {
			mids = append(mids, mid)
		}
	}
	return mids
}
