package negotiation

import (
	"cmp"
	"slices"
	"strings"

	"sluice/media"
)

// Capacity is what the transcoder can make of a rendition's tracks now. The zero value is that it makes nothing.
type Capacity struct {
	Video, Audio Supply

	Forced string // why the picture may not be passed on, in a sentence for a user; "": it may
}

// Supply is what can be made of the track of one kind that viewers get. Sound has room where pictures have none.
type Supply struct {
	Variants []Variant // best first
	Absent   string    // why nothing can be made at all, in a sentence that says what to install; "": it can
	Full     string    // why no new encoder may start now, in a sentence; "": it may. Those that there are go on
}

// Variant is one coding that a track can be made anew in.
type Variant struct {
	Track   media.Track // as it will be: ID of the source's, codec, profile, size, clock
	Running bool        // there is an encoder for it, even if it has just been started; another viewer costs none
}

// of is what can be made of a kind.
func (c *Capacity) of(kind media.Kind) *Supply {
	if kind == media.Video {
		return &c.Video
	}
	return &c.Audio
}

// option is a variant that goes on one of a section's formats.
type option struct {
	Variant
	format Format
	order  int // among those of its kind, best first
}

// make completes a choice with the variant of its source that suits the section best.
func (d *decider) make(c *Choice, s *Section, o obstacle) error {
	all, why := d.options(s)
	if len(all) == 0 {
		return &NoCodecError{Kind: c.Kind, Sends: describe(c.Source), Offers: s.offers(), Reason: o.String() + why}
	}
	full := d.capacity.of(s.Kind).Full
	if full != "" {
		all = slices.DeleteFunc(all, func(v option) bool { return !v.Running })
	}
	if len(all) == 0 {
		reason := o.String() + " " + full
		return &CapacityError{Kind: c.Kind, Sends: describe(c.Source), Reason: reason, RetryAfter: retryFull}
	}
	chosen := slices.MinFunc(all, option.compare)
	c.Action, c.Track, c.Format = Transcoded, chosen.Track, chosen.format
	c.Reason = o.overcome(c.Source, c.Track)
	return nil
}

// options lists what could be made for a section; if that is nothing, it says why, in a sentence with a blank before
// it.
func (d *decider) options(s *Section) ([]option, string) {
	supply := d.capacity.of(s.Kind)
	switch {
	case d.policy.Transcode == TranscodeNever:
		return nil, ` The stream has transcode = "never", so it cannot be made anew.`
	case supply.Absent != "" && s.Kind == media.Video && (d.capacity.Forced != "" || d.policy.Transcode == TranscodeAlways):
		return nil, " That cannot be done: " + supply.Absent
	case supply.Absent != "":
		return nil, " Transcoding could help: " + supply.Absent
	}
	var all []option
	for i, v := range supply.Variants {
		if f, m := best(v.Track, s, d.policy); m.fit != fitNone {
			all = append(all, option{Variant: v, format: f, order: s.order(f, i)})
		}
	}
	if len(all) == 0 && len(supply.Variants) > 0 {
		return nil, " What the transcoder could make of it, " + titles(supply.Variants) + ", does not fit either."
	}
	return all, ""
}

// order is the place of a variant among those of its kind: pictures stand as the transcoder prefers them, sound as
// the offer does.
func (s *Section) order(f Format, place int) int {
	if s.Kind == media.Video {
		return place
	}
	return slices.IndexFunc(s.Formats, func(o Format) bool { return o.PayloadType == f.PayloadType })
}

// compare puts the better of two options first. Of pictures that is the one that an encoder makes already, then the
// one that the transcoder prefers, whatever the offer does: all viewers who can take it share one encoder then. A
// sound encoder costs next to nothing, so that quality decides: Opus, then what the offer prefers.
func (v option) compare(o option) int {
	running := cmp.Compare(rank(v.Running), rank(o.Running))
	if v.Track.Kind == media.Video {
		return cmp.Or(running, cmp.Compare(v.order, o.order))
	}
	opus := cmp.Compare(rank(v.Track.Codec == media.Opus), rank(o.Track.Codec == media.Opus))
	return cmp.Or(opus, cmp.Compare(v.order, o.order), running)
}

// rank puts what is true first.
func rank(is bool) int {
	if is {
		return 0
	}
	return 1
}

// titles lists what can be made, each codec once.
func titles(all []Variant) string {
	var words []string
	for _, v := range all {
		if title := v.Track.Codec.Title(); !slices.Contains(words, title) {
			words = append(words, title)
		}
	}
	return strings.Join(words, " or ")
}
