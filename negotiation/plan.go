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

// Transcode says when a track is made anew.
type Transcode string

// When: auto, the default ("" too), makes only what a viewer can't take as it is; never passes on or refuses; always
// makes every picture anew, and sound as auto does.
const (
	TranscodeAuto   Transcode = "auto"
	TranscodeNever  Transcode = "never"
	TranscodeAlways Transcode = "always"
)

// Policy is what the operator says on decisions. The zero value is the default.
type Policy struct {
	H264      H264Policy
	Transcode Transcode
}

// Action is what happens to a section.
type Action string

// The actions. An unused section is accepted, but nothing is sent in it.
const (
	Passthrough Action = "passthrough"
	Transcoded  Action = "transcode"
	Unused      Action = "unused"
	Disabled    Action = "disabled"
)

// Sends reports whether media goes into the section.
func (a Action) Sends() bool { return a == Passthrough || a == Transcoded }

// Choice is what goes into one section.
type Choice struct {
	MID    string
	Kind   media.Kind
	Action Action
	Source media.Track // what the source sends; zero if it has nothing of the kind, and of a disabled section
	Track  media.Track // what is sent: the source's own, or what is made of it; zero if nothing is
	Format Format      // the offered payload it goes on; if Unused the section's first that could be used

	// Lenient tells that the track is passed on under a smaller profile than its own, so that a decoder may prove
	// unable to show it.
	Lenient bool
	Reason  string // why, in a sentence or two for API, log and page
}

// Plan is a choice for each section of an offer, in the offer's order.
type Plan struct{ Sections []Choice }

// Choice is the choice for a mid.
func (p *Plan) Choice(mid string) (Choice, bool) {
	return p.find(func(c Choice) bool { return c.MID == mid })
}

// Derived names the rendition that holds what is sent, made of the given one; that one itself if all of it is
// passed on.
func (p *Plan) Derived(base string) media.Derived {
	made := func(kind media.Kind) media.Codec {
		c, _ := p.find(func(c Choice) bool { return c.Kind == kind && c.Action == Transcoded })
		return c.Track.Codec
	}
	return media.Derived{Base: base, Video: made(media.Video), Audio: made(media.Audio)}
}

func (p *Plan) sends() bool {
	_, ok := p.find(func(c Choice) bool { return c.Action.Sends() })
	return ok
}

func (p *Plan) find(is func(Choice) bool) (Choice, bool) {
	i := slices.IndexFunc(p.Sections, is)
	if i < 0 {
		return Choice{}, false
	}
	return p.Sections[i], true
}
