package negotiation

import (
	"slices"

	"sluice/media"
)

// H264Policy says under which offered profiles an H264 stream may go.
type H264Policy string

// The policies: lenient, the default, also sends a stream under a smaller profile than its own, which
// browsers decode all the same; strict wants a profile that includes the stream's.
const (
	H264Lenient H264Policy = "lenient"
	H264Strict  H264Policy = "strict"
)

// Policy is what the operator says on decisions. The zero value is the default.
type Policy struct{ H264 H264Policy }

// Action is what happens to a section.
type Action string

// The actions. An unused section is accepted, but the source has nothing for it.
const (
	Passthrough Action = "passthrough"
	Unused      Action = "unused"
	Disabled    Action = "disabled"
)

// Choice is what goes into one section.
type Choice struct {
	MID    string
	Kind   media.Kind
	Action Action
	Track  media.Track // what is sent; zero unless Passthrough
	Format Format      // the offered payload it goes on; if Unused the section's first that could be used
	Reason string      // why, in a sentence or two for API, log and page
}

// Plan is a choice for each section of an offer, in the offer's order.
type Plan struct{ Sections []Choice }

// Choice is the choice for a mid.
func (p *Plan) Choice(mid string) (Choice, bool) {
	i := slices.IndexFunc(p.Sections, func(c Choice) bool { return c.MID == mid })
	if i < 0 {
		return Choice{}, false
	}
	return p.Sections[i], true
}

// Decide chooses what goes into each section of a viewer's offer, from the tracks of one rendition. A viewer
// who asks for a picture that exists gets it or a *NoCodecError; sound that can't be passed leaves its
// section unused, unless nothing else could be sent either.
func Decide(source []media.Track, offer *Offer, policy Policy) (*Plan, error) {
	plan := &Plan{Sections: make([]Choice, 0, len(offer.Sections))}
	var failure *NoCodecError
	served := false
	for i := range offer.Sections {
		s := &offer.Sections[i]
		choice, fault := decideSection(source, s, policy)
		plan.Sections = append(plan.Sections, choice)
		served = served || choice.Action == Passthrough
		if fault != nil && (failure == nil || fault.worse(failure)) {
			failure = fault
		}
	}
	if failure != nil && (!served || failure.Kind == media.Video && failure.Sends != "") {
		return nil, failure
	}
	return plan, nil
}

// worse reports whether e is the fault to tell of: that of a track that exists before that of one that
// does not, and the picture's before the sound's.
func (e *NoCodecError) worse(o *NoCodecError) bool {
	if (e.Sends != "") != (o.Sends != "") {
		return e.Sends != ""
	}
	return e.Kind == media.Video && o.Kind != media.Video
}

func decideSection(source []media.Track, s *Section, policy Policy) (Choice, *NoCodecError) {
	c := Choice{MID: s.MID, Kind: s.Kind, Action: Disabled}
	switch {
	case !s.Enabled:
		c.Reason = "The viewer has switched this section off."
		return c, nil
	case !s.serves():
		c.Reason = "Data is not served here."
		return c, nil
	}
	c.Action = Unused
	c.Format = s.firstUsable()
	t, ok := media.First(source, s.Kind)
	if !ok {
		c.Reason = absent(source, s.Kind)
		return c, &NoCodecError{Kind: s.Kind, Offers: s.offers(), Reason: c.Reason}
	}
	if c.Reason = blocked(t); c.Reason == "" {
		f, m := best(t, s, policy)
		if m.fit != fitNone {
			c.Action, c.Track, c.Format, c.Reason = Passthrough, t, f, passed(t, f, m)
			return c, nil
		}
		c.Reason = refused(t, s, policy)
	}
	return c, &NoCodecError{Kind: s.Kind, Sends: describe(t), Offers: s.offers(), Reason: c.Reason}
}

// firstUsable is the payload that stands for a section in which nothing is sent. Surround sound, which few
// players know, stands only if there is nothing else.
func (s *Section) firstUsable() Format {
	var surround Format
	for _, f := range s.Formats {
		switch {
		case !f.usable():
		case !f.is(multiopus):
			return f
		case surround.Codec == "":
			surround = f
		}
	}
	return surround
}

// offers lists the titles of the codecs that a section offers, each once.
func (s *Section) offers() []string {
	var titles []string
	for _, f := range s.Formats {
		if title := f.Codec.Title(); f.usable() && !slices.Contains(titles, title) {
			titles = append(titles, title)
		}
	}
	return titles
}
