package negotiation

import (
	"slices"
	"strings"

	"sluice/media"
)

// The limits of a fragment.
const (
	MaxFragmentSize       = 16 << 10 // bytes
	maxFragmentCandidates = 100      // kept; the others are ignored
	maxCandidateLength    = 1024
)

// Fragment is a trickle-ice-sdpfrag: what one side of a session has to say of its ICE after offer and answer.
// The zero values say nothing.
//
// Specification: RFC 8840 4.4 and 9, RFC 9725 4.3.
type Fragment struct {
	ICEUfrag, ICEPwd string // "" if absent; the ufrag alone names a generation
	Candidates       []FragmentCandidate
	EndOfCandidates  bool
	ICELite          bool
	MID              string     // of the section in which String writes all candidates; "" if it has none
	Kind             media.Kind // of that section's m-line; "" is Audio
}

// FragmentCandidate is one candidate of a fragment.
type FragmentCandidate struct {
	MID   string // of its section; "" if it stands before the first one, or in one without a mid
	Value string // the text after "a=candidate:", printable ASCII, unchecked otherwise
}

// Values is the values of the candidates of all sections.
func (f *Fragment) Values() []string {
	values := make([]string, len(f.Candidates))
	for i, c := range f.Candidates {
		values[i] = c.Value
	}
	return values
}

// String is the fragment on the wire: its session-level lines and one section, with CRLF line ends, so that
// those who look for "a=ice-ufrag:(.*)\r\n" find it as well as those who parse.
func (f *Fragment) String() string {
	w := &writer{}
	w.attr("ice-options", iceOptions)
	w.flag("ice-lite", f.ICELite)
	w.text("ice-ufrag", f.ICEUfrag)
	w.text("ice-pwd", f.ICEPwd)
	kind := f.Kind
	if kind == "" {
		kind = media.Audio
	}
	w.line("m=" + string(kind) + " 9 UDP/TLS/RTP/SAVPF 0")
	w.text("mid", f.MID)
	for _, c := range f.Candidates {
		w.attr("candidate", c.Value)
	}
	w.flag("end-of-candidates", f.EndOfCandidates)
	return w.String()
}

// CandidatesOf lists the values of the fragment's candidates that belong to the offer, unfiltered and each once.
// Those of a section that the offer does not have are left out, and so are those that name another generation of
// ICE than the fragment, or than the offer if it names none. All sections share one transport, so it does not
// matter in which of them a candidate stands.
func (o *Offer) CandidatesOf(f *Fragment) []string {
	return f.candidatesOf(o.Tagged().ICEUfrag, o.bundled())
}

func (f *Fragment) candidatesOf(generation string, mids []string) []string {
	if f.ICEUfrag != "" {
		generation = f.ICEUfrag
	}
	var values []string
	for _, c := range f.Candidates {
		known := c.MID == "" || slices.Contains(mids, c.MID)
		own := candidateUfrag(c.Value)
		if known && (own == "" || own == generation) && !slices.Contains(values, c.Value) {
			values = append(values, c.Value)
		}
	}
	return values
}

// candidateUfrag is the generation that a candidate itself names, as browsers do; "" if it names none.
func candidateUfrag(value string) string {
	f := strings.Fields(value)
	for i := 8; i+1 < len(f); i += 2 {
		if f[i] == "ufrag" {
			return f[i+1]
		}
	}
	return ""
}
