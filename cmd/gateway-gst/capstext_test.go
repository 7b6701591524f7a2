//go:build gstreamer

package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"sluice/media"
	"sluice/worker/wire"
)

// capsTexts are texts with what closeCaps makes of them.
func capsTexts() map[string]struct{ in, want string } {
	const element = ` ! capsfilter caps="`
	return map[string]struct{ in, want string }{
		"at the end":            {"a ! video/x-raw,width=640", `a` + element + `video/x-raw,width=640"`},
		"at a chain's end":      {"a ! video/x-raw  b ! audio/x-raw", `a` + element + `video/x-raw"  b` + element + `audio/x-raw"`},
		"at a bin's end":        {"( a ! video/x-raw )", `( a` + element + `video/x-raw" )`},
		"at a bin's end, close": {"(a ! video/x-raw,width=640)", `(a` + element + `video/x-raw,width=640")`},
		"without spaces":        {"a!video/x-raw", `a! capsfilter caps="video/x-raw"`},
		"with features":         {"a ! video/x-raw(memory:GLMemory),width=1", `a` + element + `video/x-raw(memory:GLMemory),width=1"`},
		"with a type":           {"a ! video/x-raw,format=(string)I420", `a` + element + `video/x-raw,format=(string)I420"`},
		"with spaces":           {"a ! video/x-raw, width = (int) 640,height=360", `a` + element + `video/x-raw, width = (int) 640,height=360"`},
		"with lists and ranges": {"a ! video/x-raw,format={ I420, NV12 },width=[1, 640]", `a` + element + `video/x-raw,format={ I420, NV12 },width=[1, 640]"`},
		"with quoted values":    {`a ! video/x-raw,colorimetry="bt709"`, `a` + element + `video/x-raw,colorimetry=\"bt709\""`},
		"either of two":         {"a ! video/x-raw ; image/jpeg", `a` + element + `video/x-raw ; image/jpeg"`},
		"quoted":                {`a ! "video/x-raw, width=640"`, `a` + element + `video/x-raw, width=640"`},
		"quoted as in a shell":  {`a ! 'video/x-raw,format="I420"'  b`, `a` + element + `video/x-raw,format=\"I420\""  b`},
		"quoted in the middle":  {`a ! 'video/x-raw, width=640' ! b`, `a ! video/x-raw, width=640 ! b`},
		"before a reference":    {"a ! tee name=t ! video/x-raw, width=640  t. ! b", `a ! tee name=t` + element + `video/x-raw, width=640"  t. ! b`},
		"in the middle":         {"a ! video/x-raw,width=640 ! b", "a ! video/x-raw,width=640 ! b"},
		"spaces in the middle":  {"a ! video/x-raw, width=640 ! b", "a ! video/x-raw, width=640 ! b"},
		"none":                  {"a ! b location=http://h/x", "a ! b location=http://h/x"},
		"a path for a value":    {"filesrc location=/a/b ! b", "filesrc location=/a/b ! b"},
		"a link in a value":     {`a ! 'video/x-raw,x="! b"' ! c`, `a ! 'video/x-raw,x="! b"' ! c`},
		"in a value":            {`a text="x ! video/x-raw" ! b`, `a text="x ! video/x-raw" ! b`},
		"behind a backslash":    {`a text=x\ \!\ video/x-raw ! b`, `a text=x\ \!\ video/x-raw ! b`},
		"an open quotation":     {`a ! "video/x-raw`, `a ! "video/x-raw`},
		"nothing but caps":      {"video/x-raw", "video/x-raw"},
		"a mistake":             {"a ! ! video/x-raw !", "a ! ! video/x-raw !"},
		"an element at first":   {"a ! b  video/x-raw", "a ! b  video/x-raw"},
		"empty":                 {"", ""},
	}
}

func TestCloseCaps(t *testing.T) {
	for name, c := range capsTexts() {
		t.Run(name, func(t *testing.T) {
			if got := closeCaps(c.in); got != c.want {
				t.Errorf("closeCaps(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

// What has been closed stays as it is, and nothing but caps, quotation marks and blanks is touched.
func FuzzCloseCaps(f *testing.F) {
	for _, c := range capsTexts() {
		f.Add(c.in)
	}
	bare := strings.NewReplacer("capsfilter caps=", "", `"`, "", "'", "", `\`, "", " ", "", "\t", "", "\r", "", "\n", "", "\f", "")
	f.Fuzz(func(t *testing.T, text string) {
		once := closeCaps(text)
		if twice := closeCaps(once); twice != once {
			t.Errorf("%q becomes %q and then %q", text, once, twice)
		}
		if bare.Replace(once) != bare.Replace(text) {
			t.Errorf("%q becomes %q", text, once)
		}
	})
}

// However users write the caps that a source ends in, the picture has what they say.
func TestSourceEndsInCaps(t *testing.T) {
	for _, caps := range []string{
		"video/x-raw,width=640,height=360",
		"video/x-raw, width=640, height=360",
		"video/x-raw, width = (int) 640, height = [ 360, 400 ]",
		`'video/x-raw, width=640, height=360'`,
		`"video/x-raw,width=640,height=360" ! identity`,
		`video/x-raw,width=640,height=360,format={ I420, NV12 },colorimetry="bt709"`,
		"video/x-raw(ANY),width=640,height=360",
		"tee name=t ! video/x-raw, width=640, height=360  t. ! queue ! fakesink",
	} {
		t.Run(caps, func(t *testing.T) {
			p := play(t, sourceJob("videotestsrc is-live=true ! "+caps))
			p.tracks(1, 3)
			if c := p.caps[0]; c.Width != 640 || c.Height != 360 || c.Codec != media.H264 {
				t.Errorf("the picture is %+v", c)
			}
		})
	}
}

// Each chain may end in caps, raw or not.
func TestSourceWhoseChainsEndInCaps(t *testing.T) {
	text := "(videotestsrc is-live=true ! x264enc tune=zerolatency ! video/x-h264, profile=main)  audiotestsrc is-live=true ! audio/x-raw, rate=48000, channels=2"
	p := play(t, sourceJob(text))
	p.tracks(2, 3)
	codecs := strings.Fields(p.codecs())
	if slices.Sort(codecs); !slices.Equal(codecs, []string{"h264", "opus"}) {
		t.Errorf("tracks are %v", codecs)
	}
	for c := range maps.Values(p.caps) {
		if c.Codec == media.H264 && !strings.Contains(c.Text, "profile=(string)main") {
			t.Errorf("the picture is %s", c.Text)
		}
	}
}

// A step of the user's own may end in caps too, for what follows takes anything.
func TestProcessEndsInCaps(t *testing.T) {
	for _, caps := range []string{"video/x-raw,width=160,height=120", "video/x-raw, width=160, height=120", "'video/x-raw, width=160, height=120'"} {
		t.Run(caps, func(t *testing.T) {
			p := play(t, transcoder(source+"avdec_h264 ! videoconvert ! videoscale ! "+caps+" ! videoconvert ! "+x264+sink))
			p.feed(clip(t, 1, 320, 240, "ball")[0], 0, 0)
			p.wait(wire.TypeFrame)
			if c := p.caps[0]; c.Width != 160 || c.Height != 120 {
				t.Errorf("the picture is %+v", c)
			}
		})
	}
}
