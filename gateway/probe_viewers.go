package gateway

import (
	_ "embed"
	"fmt"
	"slices"

	"sluice/media"
	"sluice/negotiation"
	"sluice/transcode"
)

// What browsers offer; offers/README.md tells where each comes from.
var (
	//go:embed offers/chromium.sdp
	chromiumOffer string
	//go:embed offers/firefox.sdp
	firefoxOffer string
	//go:embed offers/safari.sdp
	safariOffer string
)

// probeViewer is what one browser would get.
type probeViewer struct {
	name          string
	without, with probeOutcome // the transcoder
}

// probeOutcome is a decision, or why there is none.
type probeOutcome struct {
	plan *negotiation.Plan
	err  error
}

// expectViewers decides what browsers would get of a stream's tracks.
func expectViewers(tracks []media.Track) ([]probeViewer, error) {
	var all []probeViewer
	for _, b := range []struct{ name, offer string }{
		{"Chromium 156", chromiumOffer}, {"Firefox 153", firefoxOffer}, {"Safari 18", safariOffer},
	} {
		offer, err := negotiation.ParseOffer(b.offer, negotiation.RolePlay)
		if err != nil {
			return nil, fmt.Errorf("the offer of %s: %w", b.name, err)
		}
		v := probeViewer{name: b.name}
		v.without.plan, v.without.err = negotiation.Decide(tracks, offer, negotiation.Policy{}, negotiation.Capacity{})
		v.with.plan, v.with.err = negotiation.Decide(tracks, offer, negotiation.Policy{}, transcode.Possible(tracks))
		all = append(all, v)
	}
	return all, nil
}

// cell says in a few words what a viewer gets of a kind.
func (o probeOutcome) cell(kind media.Kind) string {
	if o.err != nil {
		return "refused"
	}
	c, ok := o.choice(kind)
	switch {
	case !ok:
		return "none"
	case c.Action == negotiation.Passthrough:
		return c.Track.Codec.Title() + " as it is"
	case c.Action == negotiation.Transcoded && c.Track.Codec == c.Source.Codec:
		return c.Track.Codec.Title() + " made anew"
	case c.Action == negotiation.Transcoded:
		return c.Track.Codec.Title() + " made of " + c.Source.Codec.Title()
	}
	return "none"
}

func (o probeOutcome) choice(kind media.Kind) (negotiation.Choice, bool) {
	i := slices.IndexFunc(o.plan.Sections, func(c negotiation.Choice) bool { return c.Kind == kind })
	if i < 0 {
		return negotiation.Choice{}, false
	}
	return o.plan.Sections[i], true
}

// reasons are the sentences on what is not passed on exactly as it is.
func (o probeOutcome) reasons() []string {
	if o.err != nil {
		return []string{o.err.Error()}
	}
	var all []string
	for _, c := range o.plan.Sections {
		if c.Source.Codec != "" && (c.Action != negotiation.Passthrough || c.Lenient) {
			all = append(all, c.Reason)
		}
	}
	return all
}
