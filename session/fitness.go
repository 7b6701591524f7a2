package session

import (
	"errors"
	"fmt"
	"slices"

	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
)

// fitness checks that what the source sends can still go on the payloads that were negotiated. Its methods may be
// called from any goroutine.
type fitness struct {
	offer  *negotiation.Offer
	plan   *negotiation.Plan
	policy negotiation.Policy
}

// verdicts are what was found of renditions. They belong to one goroutine.
type verdicts []verdict

// verdict is what was found of a rendition's tracks.
type verdict struct {
	rendition string
	tracks    []media.Track
	err       error
}

// fits picks the renditions that can be sent, and says why the others can't if that is all of them. Those of which too
// little is known yet are neither.
func (v *verdicts) fits(f fitness, all []hub.Rendition) ([]hub.Rendition, error) {
	var fit []hub.Rendition
	var fault error
	for _, r := range playableOf(all) {
		if err := v.of(f, r); err == nil {
			fit = append(fit, r)
		} else if fault == nil {
			fault = err
		}
	}
	*v = slices.DeleteFunc(*v, func(old verdict) bool {
		return !slices.ContainsFunc(all, func(r hub.Rendition) bool { return r.Name == old.rendition })
	})
	if len(fit) > 0 {
		fault = nil
	}
	return fit, fault
}

func (v *verdicts) of(f fitness, r hub.Rendition) error {
	at := slices.IndexFunc(*v, func(old verdict) bool { return old.rendition == r.Name })
	if at < 0 {
		at = len(*v)
		*v = append(*v, verdict{rendition: r.Name})
	} else if slices.EqualFunc((*v)[at].tracks, r.Tracks, media.Track.Equal) {
		return (*v)[at].err
	}
	(*v)[at].tracks, (*v)[at].err = r.Tracks, f.tracks(r.Tracks)
	return (*v)[at].err
}

func (f fitness) tracks(tracks []media.Track) error {
	for _, kind := range []media.Kind{media.Video, media.Audio} {
		if t, ok := media.First(tracks, kind); ok {
			if err := f.track(t); err != nil {
				return err
			}
		}
	}
	if f.misses(tracks) {
		return &SourceChangedError{Err: errors.New("it sends a picture now")}
	}
	return nil
}

func (f fitness) track(t media.Track) error {
	for _, c := range f.plan.Sections {
		if c.Action != negotiation.Passthrough || c.Track.ID != t.ID {
			continue
		}
		if t.Codec != c.Track.Codec {
			return &SourceChangedError{Err: fmt.Errorf("it sends %s and no longer %s", t.Codec.Title(), c.Track.Codec.Title())}
		}
		_, err := negotiation.Decide([]media.Track{t}, f.negotiated(c), f.policy, negotiation.Capacity{})
		if err != nil {
			return &SourceChangedError{Err: err}
		}
	}
	return nil
}

// misses reports whether the viewer would get a picture if it came again: when it came there was none.
func (f fitness) misses(tracks []media.Track) bool {
	sees := func(c negotiation.Choice) bool { return c.Kind == media.Video && c.Action == negotiation.Passthrough }
	if slices.ContainsFunc(f.plan.Sections, sees) {
		return false
	}
	plan, err := negotiation.Decide(tracks, f.offer, f.policy, negotiation.Capacity{})
	return err == nil && slices.ContainsFunc(plan.Sections, sees)
}

// negotiated is the offer as if it had held no more than what was chosen of it: the payload cannot change any more.
func (f fitness) negotiated(c negotiation.Choice) *negotiation.Offer {
	offer := *f.offer
	for _, s := range offer.Sections {
		if s.MID == c.MID {
			s.Formats = []negotiation.Format{c.Format}
			offer.Sections = []negotiation.Section{s}
			break
		}
	}
	return &offer
}
