package config

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
)

// Rendition is one table of [streams.X.renditions]: the stream's picture in another quality, made while somebody
// watches it. At least one of Height and MaxBitrateKbps is set.
type Rendition struct {
	// Height is in pixels, the width follows; 0: as the source.
	Height int `toml:"height" min:"0" max:"4320"`
	// FPS is in pictures a second; 0: as the source.
	FPS int `toml:"fps" min:"0" max:"240"`
	// MaxBitrateKbps is in kbit/s; 0: what the size asks for.
	MaxBitrateKbps int `toml:"max_bitrate_kbps" min:"0" max:"500000"`
}

var renditionType = reflect.TypeFor[Rendition]()

// laterSubStream is what a rendition's source gets.
const laterSubStream = "is not in this build: a rendition is made from the stream's own source, by height, fps and max_bitrate_kbps"

// minHeight is what encoders take at least, in pixels.
const minHeight = 16

var renditionName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,15}$`)

// ownRendition is the name of the stream's own source, media.MainRendition.
const ownRendition = "main"

func (s Stream) checkRenditions(key string) Faults {
	var faults Faults
	for _, name := range slices.Sorted(maps.Keys(s.Renditions)) {
		faults = append(faults, s.Renditions[name].check(name, joinKey(key+".renditions", name))...)
	}
	return faults
}

func (r Rendition) check(name, key string) Faults {
	var faults Faults
	faults.add(key, checkRenditionName(name))
	if r.Height == 0 && r.MaxBitrateKbps == 0 {
		faults.add(key+".height", "is missing: add height = 360, max_bitrate_kbps = 500 or both")
	}
	if r.Height > 0 && (r.Height < minHeight || r.Height%2 != 0) {
		faults.add(key+".height", fmt.Sprintf("%d is not a height that encoders take: write an even number from %d", r.Height, minHeight))
	}
	return append(faults, checkTags(leaves(key, reflect.ValueOf(r)))...)
}

func checkRenditionName(name string) string {
	switch {
	case name == ownRendition:
		return `cannot be a rendition's name: "main" is the stream's own source`
	case !renditionName.MatchString(name):
		return `cannot be a rendition's name: that is 1 to 16 small letters (a-z), digits, "_" or "-", the first a letter or a digit`
	}
	return ""
}
