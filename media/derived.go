package media

import (
	"slices"
	"strings"
)

// Derived names a rendition that is made of another one for viewers who cannot take that as it is.
type Derived struct {
	Base string // the rendition that it is made of: one of the source, or of the configuration

	// Video and Audio are the codecs in which picture and sound are made anew; "": they are passed on.
	Video, Audio Codec
}

// String is the name, such as "main:h264+opus", "main:h264" or "main:+opus"; the base's own if nothing is made anew.
// No other rendition has a name with a colon.
func (d Derived) String() string {
	name := d.Base
	if d.Video != "" || d.Audio != "" {
		name += ":" + string(d.Video)
	}
	if d.Audio != "" {
		name += "+" + string(d.Audio)
	}
	return name
}

// ParseDerived is the inverse of String. It reports false for the name of a rendition that is not derived, and for
// what is no such name.
func ParseDerived(name string) (Derived, bool) {
	base, made, found := strings.Cut(name, ":")
	video, audio, sounds := strings.Cut(made, "+")
	d := Derived{Base: base, Video: Codec(video), Audio: Codec(audio)}
	known := func(c Codec, of ...Codec) bool { return slices.Contains(of, c) }
	ok := found && base != "" && made != "" && (!sounds || audio != "") &&
		known(d.Video, "", H264, VP8) && known(d.Audio, "", Opus, PCMU, PCMA)
	if !ok {
		return Derived{}, false
	}
	return d, true
}
