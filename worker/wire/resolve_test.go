package wire

import (
	"slices"
	"testing"
)

func TestResolve(t *testing.T) {
	decoders := map[string][]string{
		"decoder": {"avdec_h264 thread-type=slice", "openh264dec"},
		"unused":  {"nothing"},
	}
	chain := map[string][]string{"decoder": {"mpegaudioparse ! audio/mpeg,parsed=true ! mpg123audiodec", "avdec_mp3"}}
	for name, c := range map[string]struct {
		pipeline  string
		elements  map[string][]string
		installed []string
		text      string
		missing   string
	}{
		"the first":               {"appsrc ! {decoder} ! x", decoders, []string{"avdec_h264", "openh264dec"}, "appsrc ! avdec_h264 thread-type=slice ! x", ""},
		"the second":              {"{decoder}", decoders, []string{"openh264dec"}, "openh264dec", ""},
		"none":                    {"{decoder}", decoders, nil, "", "avdec_h264"},
		"twice":                   {"{decoder} ! {decoder}", decoders, []string{"openh264dec"}, "openh264dec ! openh264dec", ""},
		"a list in caps":          {"video/x-raw,format={I420,NV12}", decoders, nil, "video/x-raw,format={I420,NV12}", ""},
		"nothing to choose":       {"videotestsrc", nil, nil, "videotestsrc", ""},
		"all of a chain":          {"{decoder}", chain, []string{"mpegaudioparse", "mpg123audiodec"}, chain["decoder"][0], ""},
		"half of a chain":         {"{decoder}", chain, []string{"mpegaudioparse", "avdec_mp3"}, "avdec_mp3", ""},
		"what the first lacks":    {"{decoder}", chain, []string{"mpegaudioparse"}, "", "mpg123audiodec"},
		"no candidate, no demand": {"{decoder}", map[string][]string{"decoder": {""}}, nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			j := Job{Pipeline: c.pipeline, Elements: c.elements}
			text, missing := j.Resolve(func(e string) bool { return slices.Contains(c.installed, e) })
			if text != c.text || missing != c.missing {
				t.Errorf("got %q, missing %q; want %q, %q", text, missing, c.text, c.missing)
			}
		})
	}
}
