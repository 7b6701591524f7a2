package session

import (
	"errors"
	"fmt"
	"slices"

	"sluice/media"
	"sluice/negotiation"
	"sluice/rtpout"
)

// fitness says how what there is to send can go on the payloads that were negotiated. Its methods may be called from
// any goroutine.
type fitness struct {
	offer      *negotiation.Offer
	plan       *negotiation.Plan
	negotiated *negotiation.Offer // as if the offer had held no more than what was chosen of it: payloads can't change any more
	policy     negotiation.Policy
}

func newFitness(offer *negotiation.Offer, plan *negotiation.Plan, policy negotiation.Policy) fitness {
	negotiated := *offer
	negotiated.Sections = slices.Clone(offer.Sections)
	for i := range negotiated.Sections {
		s := &negotiated.Sections[i]
		if c, ok := plan.Choice(s.MID); ok && c.Action.Sends() {
			s.Formats = []negotiation.Format{c.Format}
		} else {
			s.Enabled = false
		}
	}
	return fitness{offer: offer, plan: plan, negotiated: &negotiated, policy: policy}
}

// serve decides how a basis can go on. The error is a *SourceChangedError.
func (f *fitness) serve(b basis) (*negotiation.Plan, *negotiation.Offer, error) {
	plan, err := negotiation.Decide(b.Tracks, f.negotiated, f.policy, b.capacity)
	if err == nil {
		err = f.silenced(plan)
	}
	if err == nil && f.misses(b) {
		err = errors.New("it sends a picture now")
	}
	if err != nil {
		return nil, nil, &SourceChangedError{Err: err}
	}
	return plan, f.offer, nil
}

// silenced says what is wrong with a plan that leaves out sound that there is, and that the viewer was promised.
func (f *fitness) silenced(now *negotiation.Plan) error {
	for _, c := range f.plan.Sections {
		if n, ok := now.Choice(c.MID); ok && c.Action.Sends() && n.Action == negotiation.Unused && n.Source.ID != "" {
			return errors.New(n.Reason)
		}
	}
	return nil
}

// misses reports whether the viewer would get a picture if it came again: when it came there was none.
func (f *fitness) misses(b basis) bool {
	sees := func(c negotiation.Choice) bool { return c.Kind == media.Video && c.Action.Sends() }
	if slices.ContainsFunc(f.plan.Sections, sees) {
		return false
	}
	plan, err := negotiation.Decide(b.Tracks, f.offer, f.policy, b.capacity)
	return err == nil && slices.ContainsFunc(plan.Sections, sees)
}

// check is asked by the sender of each track that it comes to. What is made is judged as it is, like what the source
// sends. With unfit, somebody else decides what becomes of a viewer that a track does not fit.
func (f *fitness) check(t media.Track, unfit func()) error {
	err := f.track(t)
	if err == nil || unfit == nil {
		return err
	}
	unfit()
	return rtpout.ErrUnfit
}

func (f *fitness) track(t media.Track) error {
	policy := f.policy
	policy.Transcode = negotiation.TranscodeNever
	for _, c := range f.plan.Sections {
		if !c.Action.Sends() || c.Track.ID != t.ID {
			continue
		}
		if t.Codec != c.Track.Codec {
			return &SourceChangedError{Err: fmt.Errorf("it sends %s and no longer %s", t.Codec.Title(), c.Track.Codec.Title())}
		}
		if _, err := negotiation.Decide([]media.Track{t}, f.only(c), policy, negotiation.Capacity{}); err != nil {
			return &SourceChangedError{Err: err}
		}
	}
	return nil
}

// only is what was negotiated of one section.
func (f *fitness) only(c negotiation.Choice) *negotiation.Offer {
	offer := *f.negotiated
	if s, ok := f.negotiated.Section(c.MID); ok {
		offer.Sections = []negotiation.Section{*s}
	}
	return &offer
}
