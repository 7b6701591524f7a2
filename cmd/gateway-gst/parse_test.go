//go:build gstreamer

package main

import (
	"strings"
	"testing"
)

func TestCloseCaps(t *testing.T) {
	const element = ` ! capsfilter caps="`
	for name, c := range map[string]struct{ in, want string }{
		"at the end":          {"a ! video/x-raw,width=640", `a` + element + `video/x-raw,width=640"`},
		"at a chain's end":    {"a ! video/x-raw  b ! audio/x-raw", `a` + element + `video/x-raw"  b` + element + `audio/x-raw"`},
		"at a bin's end":      {"( a ! video/x-raw )", `( a` + element + `video/x-raw" )`},
		"with features":       {"a ! video/x-raw(memory:GLMemory),width=1", `a` + element + `video/x-raw(memory:GLMemory),width=1"`},
		"with a type":         {"a ! video/x-raw,format=(string)I420", `a` + element + `video/x-raw,format=(string)I420"`},
		"in the middle":       {"a ! video/x-raw,width=640 ! b", "a ! video/x-raw,width=640 ! b"},
		"none":                {"a ! b location=http://h/x", "a ! b location=http://h/x"},
		"quoted":              {`a ! "video/x-raw, width=640"`, `a ! "video/x-raw, width=640"`},
		"a path for a value":  {"filesrc location=/a/b ! b", "filesrc location=/a/b ! b"},
		"spaces in the caps":  {"a ! video/x-raw, width=640", "a ! video/x-raw, width=640"},
		"nothing but caps":    {"video/x-raw", "video/x-raw"},
		"a mistake":           {"a ! ! video/x-raw !", "a ! ! video/x-raw !"},
		"an element at first": {"a ! b  video/x-raw", "a ! b  video/x-raw"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := closeCaps(c.in); got != c.want {
				t.Errorf("closeCaps(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

// J183
func TestTwice(t *testing.T) {
	for in, want := range map[string]string{
		"a ! appsink name=video  b ! appsink name=audio":                 "",
		"a ! appsink name=video  b ! appsink sync=false name=\"video\"":  "video",
		"a ! appsink name=v ! b name=v":                                  "",
		"a ! appsink   max-buffers=1 name=video  b ! appsink name=video": "video",
		"a ! appsink": "",
		"":            "",
	} {
		if got := twice(in); got != want {
			t.Errorf("twice(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParseFaultIsShort(t *testing.T) {
	if m := parseFault(strings.Repeat("é", 10_000)).Message; len(m) > maxMessage+len("…") || !strings.HasSuffix(m, "é…") {
		t.Errorf("the message has %d bytes and ends in %q", len(m), m[len(m)-8:])
	}
}
