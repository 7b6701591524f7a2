package session

import (
	"sync"
	"time"

	"sluice/media"
	"sluice/negotiation"
)

// trickle is what a session knows of its peer's ICE.
type trickle struct {
	mu sync.Mutex // held while the connection is told, which calls nobody back: one request after the other

	generation Generation          // guarded by mu
	offer      *negotiation.Offer  // guarded by mu: the peer's, with its present credentials; nil if we have offered
	answer     *negotiation.Answer // guarded by mu: likewise, to a counter-offer; nil before it is there
	ufrag, pwd string              // guarded by mu: the peer's
	past       string              // guarded by mu: its ufrag of the generation before; "" in the first
	candidates map[string]bool     // guarded by mu: those that came by Patch in this generation; nil: none
	ended      bool                // guarded by mu: the peer has said that no more candidates of this generation come
	requests   rate                // guarded by mu
	restarts   rate                // guarded by mu
}

// newTrickle begins with a peer's offer; nil: we have made one.
func newTrickle(o *negotiation.Offer) *trickle {
	t := &trickle{
		generation: 1, offer: o,
		requests: rate{most: patchesPerSecond, span: time.Second},
		restarts: rate{most: restartsPerMinute, span: time.Minute},
	}
	if o != nil {
		t.ufrag, t.pwd = credentials(o)
	}
	return t
}

// credentials are those of an offer, whose sections share one transport: of its first section that has any, by
// the order of its bundle.
func credentials(o *negotiation.Offer) (ufrag, pwd string) {
	sections := make([]*negotiation.Section, 0, len(o.Bundle)+len(o.Sections))
	for _, mid := range o.Bundle {
		if s, ok := o.Section(mid); ok {
			sections = append(sections, s)
		}
	}
	for i := range o.Sections {
		sections = append(sections, &o.Sections[i])
	}
	for _, s := range sections {
		if s.Enabled && s.Kind != media.Data && s.ICEUfrag != "" {
			return s.ICEUfrag, s.ICEPwd
		}
	}
	return "", ""
}

// answered takes the answer to our offer.
func (t *trickle) answered(a *negotiation.Answer) { t.answer, t.ufrag, t.pwd = a, a.ICEUfrag, a.ICEPwd }

func (t *trickle) candidatesOf(f *negotiation.Fragment) []string {
	if t.offer != nil {
		return t.offer.CandidatesOf(f)
	}
	return t.answer.CandidatesOf(f)
}

// restarted begins a generation.
func (t *trickle) restarted(f *negotiation.Fragment) {
	t.generation++
	if t.offer != nil {
		t.offer = t.offer.Restarted(f)
	} else {
		t.answer = t.answer.Restarted(f)
	}
	t.past, t.ufrag, t.pwd = t.ufrag, f.ICEUfrag, f.ICEPwd
	clear(t.candidates)
	t.ended = false
	t.fresh(f)
}

// concerns checks that a fragment is about this generation, or about the next, which it begins.
func (t *trickle) concerns(f *negotiation.Fragment, g Generation, strict bool) (restart bool, err error) {
	ufrag := f.ICEUfrag != "" && f.ICEUfrag != t.ufrag
	pwd := f.ICEPwd != "" && f.ICEPwd != t.pwd
	switch {
	case g == GenerationUnsaid && strict:
		return false, errUnsaid()
	case g != GenerationUnsaid && g != GenerationAny && g != t.generation:
		return false, errStale()
	case g != t.generation && f.ICEUfrag == "":
		return false, refuse(ReasonMalformedFragment, "the fragment has no ice-ufrag, and the request does not say which ICE generation it is for")
	case g == GenerationUnsaid && ufrag:
		return false, errUnsaid()
	case ufrag && f.ICEUfrag == t.past: // its candidates were on the way during the restart
		return false, errStale()
	case ufrag != pwd:
		return false, refuse(ReasonMalformedFragment, "only one of ice-ufrag and ice-pwd is new: an ICE restart changes both (RFC 8445 2.4)")
	}
	return ufrag, nil
}

func errStale() error {
	return refuse(ReasonStaleGeneration, "the fragment is for an ICE generation that is over")
}

func errUnsaid() error {
	return refuse(ReasonGenerationUnsaid, "the request does not say which ICE generation it is for: it needs an If-Match header with the ETag of the session, or * to restart ICE")
}

// fresh picks the candidates that were not there before, within the limit. Those after the last are none.
func (t *trickle) fresh(f *negotiation.Fragment) []string {
	if t.ended {
		return nil
	}
	t.ended = f.EndOfCandidates
	if t.candidates == nil {
		t.candidates = make(map[string]bool)
	}
	var fresh []string
	for _, v := range t.candidatesOf(f) {
		if !t.candidates[v] && len(t.candidates) < maxCandidates {
			t.candidates[v] = true
			fresh = append(fresh, v)
		}
	}
	return fresh
}
