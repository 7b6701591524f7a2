// Package elements knows GStreamer's elements by name: which package of Debian holds one, and which are refused
// because they reach files or serve the network. It asks nothing of GStreamer.
package elements

import (
	"path"
	"slices"
	"strings"
)

// holding is a package and the names of its elements, with white space between them. A name may be a pattern.
type holding struct{ pkg, elements string }

// untold are elements whose packages don't name them, so that table lacks them.
var untold = [...]holding{
	{"gstreamer1.0-vaapi", "vaapi*"},
	{"gstreamer1.0-pulseaudio", "pulsesrc pulsesink"},
	{"gstreamer1.0-pipewire", "pipewiresrc pipewiresink"},
	{"gstreamer1.0-libcamera", "libcamerasrc"},
	{"gstreamer1.0-nice", "nicesrc nicesink"},
	{"gstreamer1.0-plugins-bad", "va*enc va*dec va*postproc nvh26*enc nvh26*dec qsv*enc qsv*dec"},
	{"libgstreamer1.0-0", "capsfilter fakesink fakesrc fakevideosink fdsink fdsrc filesink filesrc funnel identity " +
		"input-selector multiqueue output-selector queue queue2 tee typefind valve"},
}

// DecoderPackage is the package of Debian that decodes nearly everything.
const DecoderPackage = "gstreamer1.0-libav"

// Package is the package of Debian that holds an element; "" if none is known.
func Package(element string) string {
	for _, h := range slices.Concat(table[:], untold[:]) {
		for name := range strings.FieldsSeq(h.elements) {
			if matches(name, element) {
				return h.pkg
			}
		}
	}
	return ""
}

// matches compares a name with a pattern of path.Match.
func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}
