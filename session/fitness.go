package session

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
)

// fitness checks that what the source sends can still go on the payloads that were negotiated. It belongs to one
// goroutine.
type fitness struct {
	offer  *negotiation.Offer
	plan   *negotiation.Plan
	policy negotiation.Policy

	checked map[string]*media.Track // by ID, the last that was found fit
	known   map[string]verdict      // by rendition
}

// verdict is what was found of a rendition's tracks.
type verdict struct {
	tracks []media.Track
	err    error
}

func newFitness(o *negotiation.Offer, p *negotiation.Plan, policy negotiation.Policy) *fitness {
	return &fitness{
		offer: o, plan: p, policy: policy,
		checked: make(map[string]*media.Track), known: make(map[string]verdict),
	}
}

// unit checks the track of a unit, if it is not the one that was checked last.
func (f *fitness) unit(t *media.Track) error {
	if f.checked[t.ID] == t {
		return nil
	}
	f.checked[t.ID] = t
	return f.track(*t)
}

// renditions picks those that can be sent, and says why the others can't if that is all of them. Those of which too
// little is known yet are neither.
func (f *fitness) renditions(all []hub.Rendition) ([]hub.Rendition, error) {
	var fit []hub.Rendition
	var fault error
	for _, r := range playableOf(all) {
		if err := f.rendition(r); err == nil {
			fit = append(fit, r)
		} else if fault == nil {
			fault = err
		}
	}
	maps.DeleteFunc(f.known, func(name string, _ verdict) bool {
		return !slices.ContainsFunc(all, func(r hub.Rendition) bool { return r.Name == name })
	})
	if len(fit) > 0 {
		fault = nil
	}
	return fit, fault
}

func (f *fitness) rendition(r hub.Rendition) error {
	v, ok := f.known[r.Name]
	if ok && slices.EqualFunc(v.tracks, r.Tracks, media.Track.Equal) {
		return v.err
	}
	v = verdict{tracks: r.Tracks}
	for _, kind := range []media.Kind{media.Video, media.Audio} {
		if t, ok := media.First(r.Tracks, kind); ok && v.err == nil {
			v.err = f.track(t)
		}
	}
	if v.err == nil && f.misses(r.Tracks) {
		v.err = &SourceChangedError{Err: errors.New("it sends a picture now")}
	}
	f.known[r.Name] = v
	return v.err
}

func (f *fitness) track(t media.Track) error {
	for _, c := range f.plan.Sections {
		if c.Action != negotiation.Passthrough || c.Track.ID != t.ID {
			continue
		}
		if t.Codec != c.Track.Codec {
			return &SourceChangedError{Err: fmt.Errorf("it sends %s and no longer %s", t.Codec.Title(), c.Track.Codec.Title())}
		}
		_, err := negotiation.Decide([]media.Track{t}, f.negotiated(c), f.policy)
		if err != nil {
			return &SourceChangedError{Err: err}
		}
	}
	return nil
}

// misses reports whether the viewer would get a picture if it came again: when it came there was none.
func (f *fitness) misses(tracks []media.Track) bool {
	sees := func(c negotiation.Choice) bool { return c.Kind == media.Video && c.Action == negotiation.Passthrough }
	if slices.ContainsFunc(f.plan.Sections, sees) {
		return false
	}
	plan, err := negotiation.Decide(tracks, f.offer, f.policy)
	return err == nil && slices.ContainsFunc(plan.Sections, sees)
}

// negotiated is the offer as if it had held no more than what was chosen of it: the payload cannot change any more.
func (f *fitness) negotiated(c negotiation.Choice) *negotiation.Offer {
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
