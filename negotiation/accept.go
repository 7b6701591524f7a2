package negotiation

import (
	"fmt"
	"slices"

	"sluice/media"
)

// Wish is the codecs that a publisher should send if its offer has them; "" is the offer's own order.
type Wish struct{ Video, Audio media.Codec }

// Accept chooses what is taken of a publisher's offer: one payload type of each section, so that the sender
// can't change codecs on its way. The Track of each choice has the ID "video" or "audio". All sections that are
// enabled are taken or none (RFC 9725 4.4.3): the error is *NoCodecError then.
func Accept(offer *Offer, wish Wish) (*Plan, error) {
	plan := &Plan{Sections: make([]Choice, 0, len(offer.Sections))}
	for i := range offer.Sections {
		s := &offer.Sections[i]
		c := Choice{MID: s.MID, Kind: s.Kind, Action: Disabled}
		switch {
		case !s.Enabled:
			c.Reason = "The publisher has switched this section off."
		case !s.serves():
			c.Reason = "Data is not taken here."
		default:
			f, ok := s.accepted(wish.codec(s.Kind))
			if !ok {
				return nil, s.nothingTaken()
			}
			c.Action, c.Format, c.Track = Passthrough, f, f.track(s.Kind)
			c.Reason = describe(c.Track) + " is taken as it comes."
		}
		plan.Sections = append(plan.Sections, c)
	}
	return plan, nil
}

func (w Wish) codec(kind media.Kind) media.Codec {
	if kind == media.Video {
		return w.Video
	}
	return w.Audio
}

// accepted is the payload that is taken of a section: of the wished codec if there is one, otherwise of the
// codec that comes first. H.264 is taken in packetisation mode 0 only if there is no other.
func (s *Section) accepted(wish media.Codec) (Format, bool) {
	var taken []Format
	for _, f := range s.Formats {
		if f.usable() && f.takeable() {
			taken = append(taken, f)
		}
	}
	if len(taken) == 0 {
		return Format{}, false
	}
	codec := taken[0].Codec
	if slices.ContainsFunc(taken, func(f Format) bool { return f.Codec == wish }) {
		codec = wish
	}
	taken = slices.DeleteFunc(taken, func(f Format) bool { return f.Codec != codec })
	if i := slices.IndexFunc(taken, func(f Format) bool { return f.param("packetization-mode") == "1" }); i > 0 && codec == media.H264 {
		return taken[i], true
	}
	return taken[0], true
}

// takeable reports whether the clock of a format is the one that its codec has over RTP, and whether its units come
// in decode order in one stream: not so in H.264's interleaved mode (RFC 6184 6.4) nor in H.265's other modes than
// SRST (RFC 7798 7.1).
func (f *Format) takeable() bool {
	switch f.Codec {
	case media.H264:
		return f.ClockRate == 90000 && f.param("packetization-mode") != "2"
	case media.H265:
		return f.ClockRate == 90000 && f.singleStream()
	case media.Opus:
		return f.ClockRate == 48000
	case media.G722:
		return f.ClockRate == 8000 || f.ClockRate == 16000
	case media.PCMU, media.PCMA:
		return true
	}
	return f.ClockRate == 90000
}

// track is what is received on a format. The clock of G.722 is 8000 whatever the offer says (RFC 3551 4.5.2).
func (f *Format) track(kind media.Kind) media.Track {
	t := media.Track{ID: string(kind), Kind: kind, Codec: f.Codec, ClockRate: f.ClockRate, Channels: f.Channels}
	if f.Codec == media.G722 {
		t.ClockRate = 8000
	}
	if f.is(multiopus) {
		t.FMTP = f.params()
	}
	return t
}

func (s *Section) nothingTaken() error {
	var names []string
	for _, f := range s.Formats {
		if !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	return &NoCodecError{
		Kind: s.Kind, Offers: s.offers(),
		Reason: fmt.Sprintf("The publisher offers %s for %s, which cannot be taken; %s can, at their usual clock.", quote(list(names)), s.Kind, knownCodecs[s.Kind]),
	}
}
