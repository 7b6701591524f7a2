package pipeline

import (
	"fmt"
	"strings"

	"sluice/media"
	"sluice/worker/wire"
)

// Encoder is an element that encodes, and how it is told what is wanted. It is a comparable value.
type Encoder struct {
	Element string
	Codec   media.Codec
	// Hardware tells that it needs a chip. No test machine has one: such rows come from documentation and are
	// untested, which is why an encoder is probed before it is used.
	Hardware bool
	// Package is the Debian package that holds it; "" where Debian has none.
	Package string

	settings string // "name=value" of properties that never change, by spaces
	interval string // property: frames from one keyframe to the next; "" if it has none
	bitrate  string // property: bitrate; "" if it can't be told
	unit     int    // bit/s for 1 of the property bitrate
	extra    bool   // bitrate and interval are fields of extra-controls, and so are settings
	fast     string // settings at Superfast
	fastest  string // settings at Ultrafast
	profile  string // H264: profile in the caps behind it
	level    string // H264: level in the caps behind it, where it has to be told
}

// Speeds of software encoders. Hardware has one speed.
const (
	Superfast = "superfast" // better pictures at the same bitrate
	Ultrafast = "ultrafast" // about a quarter less work
)

// keyframeSeconds is the longest time from one keyframe to the next, if nobody asks for one earlier.
const keyframeSeconds = 2

// settingsFor are the encoder's properties for a bitrate, a frame rate and a preset. Properties that an element of
// this version does not have are left out by the worker.
func (e Encoder) settingsFor(kbps, fps int, preset string) []setting {
	if e.extra {
		return []setting{{"extra-controls", e.extraControls(kbps, fps)}}
	}
	list := parseSettings(e.settings)
	if preset == Ultrafast {
		list = append(list, parseSettings(e.fastest)...)
	} else {
		list = append(list, parseSettings(e.fast)...)
	}
	if e.interval != "" {
		list = append(list, setting{e.interval, fmt.Sprint(fps * keyframeSeconds)})
	}
	if e.bitrate != "" && kbps > 0 {
		list = append(list, setting{e.bitrate, fmt.Sprint(kbps * 1000 / e.unit)})
	}
	return list
}

// extraControls is a structure of V4L2 controls in the text form of GStreamer.
func (e Encoder) extraControls(kbps, fps int) string {
	s := fmt.Sprintf("c,%s=%d", e.bitrate, kbps*1000/e.unit)
	for _, set := range parseSettings(e.settings) {
		s += fmt.Sprintf(",%s=%s", set.name, set.value)
	}
	return s + fmt.Sprintf(",%s=%d", e.interval, fps*keyframeSeconds)
}

// control tells the worker how the bitrate of the first track is changed.
func (e Encoder) control(element string) wire.Control {
	if e.bitrate == "" {
		return wire.Control{Element: element}
	}
	return wire.Control{Element: element, Property: e.bitrate, Unit: e.unit, ExtraControls: e.extra}
}

// after is the text between encoder and appsink. H264 comes out as units that begin with their parameter sets.
func (e Encoder) after() string {
	if e.Codec != media.H264 {
		return ""
	}
	caps := "video/x-h264,profile=" + e.profile
	if e.level != "" {
		caps += ",level=(string)" + e.level
	}
	return caps + " ! h264parse config-interval=-1 ! " + capsfilter(h264Caps)
}

// setting is a property with its value in text form.
type setting struct{ name, value string }

func parseSettings(text string) []setting {
	var list []setting
	for field := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(field, "=")
		list = append(list, setting{name, value})
	}
	return list
}

// properties are settings of one element of a job; element is empty where the worker names it.
func properties(element string, list []setting) []wire.Property {
	out := make([]wire.Property, 0, len(list))
	for _, s := range list {
		out = append(out, wire.Property{Element: element, Name: s.name, Value: s.value})
	}
	return out
}
