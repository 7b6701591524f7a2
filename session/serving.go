package session

import (
	"slices"

	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
)

// Maker says what can be made of a stream's renditions for viewers who can't take them as they are. Its methods may be
// called from any goroutine. Whoever reads a derived rendition, or says to the hub that it is wanted, has it made.
type Maker interface {
	// Renditions are those that the configuration adds to the source's: as they will be once somebody watches.
	Renditions() []hub.Rendition
	// Capacity is what can be made of the source's tracks for the rendition of that name now.
	Capacity(rendition string, tracks []media.Track) negotiation.Capacity
}

// basis is a rendition that viewers choose among, of the source or of the configuration.
type basis struct {
	hub.Rendition // with the source's tracks
	capacity      negotiation.Capacity
}

// serving is one way to serve a viewer.
type serving struct {
	layer     hub.Rendition // what the viewer chooses among: the tracks as they are sent, under the name of the basis
	rendition string        // what is read: the basis itself, or what is derived of it
	plan      *negotiation.Plan
	offer     *negotiation.Offer // that was decided on
}

// bases lists what there is to choose from, given what the source publishes. unable is why the viewer can be passed no
// picture as it is; "": it can.
func (s *stay) bases(published []hub.Rendition, unable string) []basis {
	var all []basis
	add := func(r hub.Rendition) {
		b := basis{Rendition: r}
		if s.terms.Maker != nil {
			b.capacity = s.terms.Maker.Capacity(r.Name, r.Tracks)
		}
		if unable != "" {
			b.capacity.Forced = unable
		}
		all = append(all, b)
	}
	for _, r := range published {
		add(r)
	}
	if s.terms.Maker == nil || len(published) == 0 {
		return all
	}
	for _, r := range s.terms.Maker.Renditions() {
		add(hub.Rendition{Name: r.Name, Tracks: published[0].Tracks, Bitrate: r.Bitrate})
	}
	return all
}

// serve asks decide for each basis how it can go to the viewer. The servings come best first; if there are none, the
// error is that of the best basis.
func (s *stay) serve(all []basis, decide func(b basis) (*negotiation.Plan, *negotiation.Offer, error)) ([]serving, error) {
	var servings []serving
	var fault error
	made := s.stream.Derived()
	for _, b := range all {
		plan, offer, err := decide(b)
		if err != nil {
			if fault == nil {
				fault = err
			}
			continue
		}
		servings = append(servings, b.serving(plan, offer, made))
	}
	if len(servings) > 0 {
		fault = nil
	}
	slices.SortStableFunc(servings, func(a, b serving) int { return hub.CompareRenditions(a.layer, b.layer) })
	return servings, fault
}

// serving is what a plan for the basis comes to. made are the renditions that are derived now.
func (b *basis) serving(plan *negotiation.Plan, offer *negotiation.Offer, made []hub.Rendition) serving {
	s := serving{layer: b.Rendition, rendition: plan.Derived(b.Name).String(), plan: plan, offer: offer}
	s.layer.Tracks = slices.Clone(b.Tracks)
	for _, c := range plan.Sections {
		for i, t := range s.layer.Tracks {
			if c.Action == negotiation.Transcoded && t.ID == c.Track.ID {
				s.layer.Tracks[i] = c.Track
			}
		}
	}
	at := slices.IndexFunc(made, func(r hub.Rendition) bool { return r.Name == s.rendition })
	if at >= 0 && made[at].Bitrate > 0 {
		s.layer.Bitrate = made[at].Bitrate
	}
	return s
}

// isLenient reports whether the picture is passed on under a profile that does not hold it.
func (s *serving) isLenient() bool {
	return slices.ContainsFunc(s.plan.Sections, func(c negotiation.Choice) bool { return c.Lenient })
}

// layersOf lists what the servings let a viewer choose from.
func layersOf(servings []serving) []hub.Rendition {
	all := make([]hub.Rendition, len(servings))
	for i, s := range servings {
		all[i] = s.layer
	}
	return all
}

// named finds the serving of a layer.
func named(servings []serving, layer string) (serving, bool) {
	i := slices.IndexFunc(servings, func(s serving) bool { return s.layer.Name == layer })
	if i < 0 {
		return serving{}, false
	}
	return servings[i], true
}

// layerOf is the layer that a rendition of the hub belongs to.
func layerOf(rendition string) string {
	if d, ok := media.ParseDerived(rendition); ok {
		return d.Base
	}
	return rendition
}
