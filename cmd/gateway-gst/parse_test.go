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

// I40: what GStreamer repeats of a text does not show.
func TestWithoutText(t *testing.T) {
	for in, want := range map[string]string{
		`could not set property "a-b" in element "c0" to "x" y"`: `could not set property "a-b" in element "c0": it does not take this value`,
		`no property "foo" in element "bar"`:                     `no property "foo" in element "bar"`,
		`no property "f o" in element "bar"`:                     `no property "…"`,
		`unexpected reference "secret." - ignoring`:              `unexpected reference "…" - ignoring`,
		"syntax error while parsing pipeline a ! b\nc":           "syntax error",
		"could not link a0 to b0":                                "could not link a0 to b0",
	} {
		if got := withoutText(in); got != want {
			t.Errorf("withoutText(%q) = %q, want %q", in, got, want)
		}
	}
}

// I40: only what stands as an element does is told as one that is missing.
func TestStandsAsElement(t *testing.T) {
	for text, want := range map[string]bool{
		"horse": true, " horse ! b": true, "a ! horse": true, "a !horse x=y": true, "( horse ! b )": true,
		"a x=b horse ! c": false, "a ! horses": false, "": false,
	} {
		if got := standsAsElement("horse", text); got != want {
			t.Errorf("in %q: %v", text, got)
		}
	}
	if standsAsElement("ho.rse", "ho.rse") {
		t.Error("what is no name is taken for one")
	}
}
