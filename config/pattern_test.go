package config

import (
	"reflect"
	"strings"
	"testing"
)

// J163: the last rows would take for ever if every * were tried in every place.
var patternCases = []struct {
	pattern, name string
	want          bool
}{
	{"*", "a", true},
	{"pub*", "pub", true},
	{"pub*", "pub1", true},
	{"pub*", "pu", false},
	{"*-cam", "front-cam", true},
	{"*-cam", "front-camera", false},
	{"*-cam", "a-cam-cam", true},
	{"a*b*c", "abc", true},
	{"a*b*c", "aXbXbXc", true},
	{"a*b*c", "acb", false},
	{"a**", "a", true},
	{"a.*", "ab", false},
	{"a*", "A", false},
	{strings.Repeat("a*", 32), strings.Repeat("a", 64), true},
	{strings.Repeat("a*", 31) + "b", strings.Repeat("a", 64), false},
}

func TestPatternMatches(t *testing.T) {
	for _, tc := range patternCases {
		if got := matches(tc.pattern, tc.name); got != tc.want {
			t.Errorf("%q matches %q: %t", tc.pattern, tc.name, got)
		}
	}
}

func TestLookup(t *testing.T) {
	c, _, err := Parse([]byte(`
[streams]
door.source = "rtsp://192.0.2.1/door"
"*".source = "whep://192.0.2.2/${stream}/whep"
"pub*".source = "publish"
"pub-*" = { source = "rtsp://192.0.2.3/live?name=${stream}&again=${stream}", token = "${stream}" }
"*ublic".source = "publish"
"publi*" = { source = "publish", push = [{ url = "whip://192.0.2.4/${stream}", token = "t-${stream}" }] }
`), "c.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct{ pattern, source string }{
		"door":    {"", "rtsp://192.0.2.1/door"},
		"Door":    {"*", "whep://192.0.2.2/Door/whep"},
		"a.b_c-d": {"*", "whep://192.0.2.2/a.b_c-d/whep"},
		"pub":     {"pub*", "publish"},
		"pub-1":   {"pub-*", "rtsp://192.0.2.3/live?name=pub-1&again=pub-1"},
		"public":  {"*ublic", "publish"},
		"publics": {"publi*", "publish"},
	} {
		t.Run(name, func(t *testing.T) {
			s, pattern, ok := c.Lookup(name)
			if !ok || pattern != want.pattern || s.Source != want.source {
				t.Errorf("got %q from %q, %t; want %q from %q", s.Source, pattern, ok, want.source, want.pattern)
			}
			if onDemand := pattern != "" && s.Source != PublishSource; s.OnDemand != onDemand {
				t.Errorf("on demand: %t", s.OnDemand)
			}
		})
	}
	s, _, _ := c.Lookup("publics")
	if want := []Push{{URL: "whip://192.0.2.4/publics", Token: "t-publics"}}; !reflect.DeepEqual(s.Push, want) {
		t.Errorf("push: %#v", s.Push)
	}
	if again, _, _ := c.Lookup("publix"); again.Push[0].URL != "whip://192.0.2.4/publix" {
		t.Errorf("the first name stays: %+v", again.Push)
	}
}

// J153.
func TestLookupOfNoStream(t *testing.T) {
	c := Default()
	c.Streams = map[string]Stream{"a": DefaultStream(), "a*": DefaultStream()}
	for _, name := range []string{"", "b", "a*", "a/b", "a b", "A", strings.Repeat("a", 65)} {
		if _, pattern, ok := c.Lookup(name); ok {
			t.Errorf("%q is found by %q", name, pattern)
		}
	}
	c.Streams = map[string]Stream{"*": DefaultStream()}
	for _, name := range []string{"api", "metrics", "favicon.ico", "grpc.x", "..", "-a"} {
		if _, _, ok := c.Lookup(name); ok {
			t.Errorf("%q is found", name)
		}
	}
}
