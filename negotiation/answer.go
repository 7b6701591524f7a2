package negotiation

import (
	"errors"
	"fmt"
	"slices"
)

// MaxAnswerSize is the most bytes of an answer to one of our offers.
const MaxAnswerSize = 128 << 10

// Answer is a peer's answer to an offer of ours that ParseAnswer found usable. Nobody may change it.
type Answer struct {
	Sections         []Section // one for each of the offer's, in its order; those that are refused are not Enabled
	Setup            string    // DTLS role of the peer: "active" or "passive"
	ICELite          bool
	ICEUfrag, ICEPwd string
	Candidates       []string // values of the a=candidate lines of all sections, unfiltered
	EndOfCandidates  bool

	mixedExtensions bool
	version         int // ICE restarts since it came
}

// ParseAnswer reads a peer's answer to an offer that FinishOffer made and checks it before any library sees it:
// as many sections as were offered, of the same kinds and mids, each accepted in the direction that was asked for,
// with payload types of the offer, one transport, rtcp-mux and a trusted fingerprint. A section that we send in
// must be accepted; of those that we only receive in one is enough. What is merely usual and missing, such as
// end-of-candidates or rtcp-mux-only, is no fault. The errors are *MalformedAnswerError and *UnusableAnswerError.
func ParseAnswer(answer, offer string) (*Answer, error) {
	if len(answer) > MaxAnswerSize {
		detail := fmt.Sprintf("it has %d bytes; at most %d are accepted", len(answer), MaxAnswerSize)
		return nil, &MalformedAnswerError{Detail: detail}
	}
	ours, err := readSections(offer, nil)
	switch {
	case err != nil:
		return nil, &InvalidOfferError{Detail: err.Error()}
	case len(ours.sections) == 0 || slices.ContainsFunc(ours.sections, func(s Section) bool { return !s.serves() }):
		return nil, &InvalidOfferError{Detail: "it must have sections for audio and video alone"}
	}
	theirs, err := readSections(answer, ours)
	if err != nil {
		return nil, answerError(err)
	}
	return theirs.pair(ours)
}

// answerError tells what was wrong with an answer in an answer's words.
func answerError(err error) error {
	var m *MalformedOfferError
	if errors.As(err, &m) {
		return &MalformedAnswerError{Line: m.Line, Detail: m.Detail}
	}
	return err
}

// description is either side's SDP, read but not judged.
type description struct {
	document *document
	sections []Section
}

// readSections reads all sections. Those of an answer take their mid from the offer if they have none.
func readSections(sdp string, offer *description) (*description, error) {
	text, err := scan(sdp)
	if err != nil {
		return nil, err
	}
	text.inherit(true)
	d := &description{document: text}
	if offer != nil {
		if err := offer.resembles(text); err != nil {
			return nil, err
		}
	}
	for i := range text.sections {
		s, err := parseSection(&text.sections[i], text.session, roleServer)
		if err != nil {
			return nil, err
		}
		if s.MID == "" && offer != nil {
			s.MID = offer.sections[i].MID
		}
		d.sections = append(d.sections, s)
	}
	return d, nil
}

// resembles requires the m-lines of an answer to be those of the offer (RFC 3264 6).
func (d *description) resembles(answer *document) error {
	if have, want := len(answer.sections), len(d.sections); have != want {
		return &UnusableAnswerError{Detail: fmt.Sprintf("it has %d sections; %d were offered", have, want)}
	}
	for i, s := range d.sections {
		t := &answer.sections[i]
		mid, ok, err := t.attrs.single("mid")
		switch {
		case err != nil:
			return err
		case t.media != s.Media:
			return &UnusableAnswerError{Section: s.MID, Detail: fmt.Sprintf("it is %s; %s was offered", quote(t.media), s.Media)}
		case ok && mid.value != s.MID:
			return &UnusableAnswerError{Section: s.MID, Detail: fmt.Sprintf("its mid is %s", quote(mid.value))}
		}
	}
	return nil
}

// Section is the section of a mid.
func (a *Answer) Section(mid string) (*Section, bool) {
	i := slices.IndexFunc(a.Sections, func(s Section) bool { return s.MID == mid })
	if i < 0 {
		return nil, false
	}
	return &a.Sections[i], true
}

// CandidatesOf lists the values of the fragment's candidates that belong to the answer, as Offer.CandidatesOf does.
func (a *Answer) CandidatesOf(f *Fragment) []string {
	return f.candidatesOf(a.ICEUfrag, a.accepted())
}

// Restarted is a copy of the answer as the peer would give it after an ICE restart: with the credentials and
// candidates of the fragment, which must have both, and a higher version. The answer itself stays as it is.
func (a *Answer) Restarted(f *Fragment) *Answer {
	c := *a
	c.version++
	c.ICEUfrag, c.ICEPwd = f.ICEUfrag, f.ICEPwd
	c.Candidates, c.EndOfCandidates = a.CandidatesOf(f), f.EndOfCandidates
	c.Sections = restarted(a.Sections, f, a.accepted()[0], c.Candidates)
	return &c
}

// accepted is the mids of the sections that the answer accepts, in order; there is at least one.
func (a *Answer) accepted() []string {
	var mids []string
	for i := range a.Sections {
		if a.Sections[i].serves() {
			mids = append(mids, a.Sections[i].MID)
		}
	}
	return mids
}

// Normalised returns the answer as a peer-connection library can read it, with the candidates that the zero
// CandidatePolicy allows.
func (a *Answer) Normalised() string { return a.NormalisedWith(CandidatePolicy{}) }

// NormalisedWith writes the answer anew from what was checked, with at most 50 candidates.
func (a *Answer) NormalisedWith(policy CandidatePolicy) string {
	w := &writer{}
	writeSession(w, a.version, a.accepted(), a.mixedExtensions, a.ICELite, true)
	left := maxCandidates
	for i := range a.Sections {
		if s := &a.Sections[i]; s.serves() {
			left = s.write(w, policy, left)
		} else {
			(&part{offered: s}).reject(w)
		}
	}
	return w.String()
}
