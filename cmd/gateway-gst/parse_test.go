//go:build gstreamer

package main

import (
	"strings"
	"testing"
)

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
