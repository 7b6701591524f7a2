package negotiation

import (
	"slices"

	"sluice/media"
)

// Decide chooses what goes into each section of a viewer's offer, from the tracks of one rendition and from what the
// transcoder can make of them. A track is passed on if it fits: on the offered profile that is its own, else on one
// that includes it, else on a smaller one under which browsers decode it all the same. If it does not fit, or may not
// be passed on, it is made anew: by an encoder that runs already, else by a new one. A viewer who asks for a picture
// that exists gets it or an error; sound that can be had in no way leaves its section unused, unless nothing else
// could be sent either. The errors are *NoCodecError, and *CapacityError if only capacity lacks.
func Decide(source []media.Track, offer *Offer, policy Policy, capacity Capacity) (*Plan, error) {
	d := &decider{source: source, policy: policy, capacity: capacity, plan: &Plan{Sections: make([]Choice, 0, len(offer.Sections))}}
	var failure *fault
	for i := range offer.Sections {
		choice, f := d.section(&offer.Sections[i])
		d.plan.Sections = append(d.plan.Sections, choice)
		if f != nil && (failure == nil || f.worse(failure)) {
			failure = f
		}
	}
	if failure != nil && (!d.plan.sends() || failure.kind == media.Video && failure.exists) {
		return nil, failure.err
	}
	return d.plan, nil
}

// decider is what a decision goes by.
type decider struct {
	source   []media.Track
	policy   Policy
	capacity Capacity
	plan     *Plan // of the sections so far
}

// fault is why nothing is sent in a section that asks for it.
type fault struct {
	kind   media.Kind
	exists bool // the source has such a track
	err    error
}

// worse reports whether f is the fault to tell of: that of a track that exists before that of one that does not,
// and the picture's before the sound's.
func (f *fault) worse(o *fault) bool {
	if f.exists != o.exists {
		return f.exists
	}
	return f.kind == media.Video && o.kind != media.Video
}

func (d *decider) section(s *Section) (Choice, *fault) {
	c := Choice{MID: s.MID, Kind: s.Kind, Action: Disabled}
	switch {
	case !s.Enabled:
		c.Reason = "The viewer has switched this section off."
		return c, nil
	case !s.serves():
		c.Reason = "Data is not served here."
		return c, nil
	}
	c.Action, c.Format = Unused, s.firstUsable()
	t, ok := media.First(d.source, s.Kind)
	if !ok {
		c.Reason = absent(d.source, s.Kind)
		return c, &fault{kind: s.Kind, err: &NoCodecError{Kind: s.Kind, Offers: s.offers(), Reason: c.Reason}}
	}
	c.Source = t
	if err := d.choose(&c, s); err != nil {
		c.Reason = err.Error()
		return c, &fault{kind: s.Kind, exists: true, err: err}
	}
	return c, nil
}

// choose completes the choice for a section whose track exists, or says why it can't.
func (d *decider) choose(c *Choice, s *Section) error {
	o, hindered := d.forced(c.Source)
	if !hindered {
		f, m := best(c.Source, s, d.policy)
		if m.fit != fitNone {
			c.Action, c.Track, c.Format, c.Lenient = Passthrough, c.Source, f, m.fit == fitLenient
			c.Reason = passed(c.Track, f, m)
			return nil
		}
		o = refused(c.Source, s, d.policy)
	}
	return d.make(c, s, o)
}

// forced is what keeps a track from being passed on, whatever is offered.
func (d *decider) forced(t media.Track) (obstacle, bool) {
	if t.Kind == media.Video {
		switch {
		case d.capacity.Forced != "":
			return obstacle{why: withoutStop(d.capacity.Forced)}, true
		case d.policy.Transcode == TranscodeAlways:
			return obstacle{why: `The stream has transcode = "always"`}, true
		}
	}
	return blocked(t)
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
