package config

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// J159. Whatever the text: no panic, faults of one line each with a place in the text, and a Config only if
// it is valid.
func FuzzParse(f *testing.F) {
	for _, path := range glob(f, "testdata/*.toml") {
		f.Add(read(f, path))
	}
	f.Add(read(f, "../config.toml"))
	f.Add([]byte("a = [ { b = \"\"\"x\"\"\"\"\" }, 1979-05-27T07:32:00Z, +inf ]\n[[a.b]]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, warnings, err := Parse(text, "config.toml", nil)
		for _, w := range warnings {
			checkPlace(t, text, Fault(w))
		}
		if err == nil {
			if err := c.Validate(); err != nil {
				t.Fatalf("valid once, not twice: %v", err)
			}
			checkLookup(t, c)
			return
		}
		var faults Faults
		if !errors.As(err, &faults) || len(faults) == 0 {
			t.Fatalf("not Faults: %v", err)
		}
		for _, fault := range faults {
			checkPlace(t, text, fault)
		}
	})
}

// checkLookup asks for a name that each pattern matches: what comes back is as valid as the pattern was.
func checkLookup(t *testing.T, c Config) {
	t.Helper()
	for pattern := range c.Streams {
		name := strings.ReplaceAll(pattern, "*", "x")
		s, _, ok := c.Lookup(name)
		if ok != ValidStreamName(name) {
			t.Errorf("%s of %s is found: %t", name, pattern, ok)
		}
		if faults := s.check(name); ok && len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
	}
}

// J163: whatever the pattern, the answer is that of the regular expression, and soon.
func FuzzPattern(f *testing.F) {
	for _, tc := range patternCases {
		f.Add(tc.pattern, tc.name)
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 64 || len(name) > 64 || !utf8.ValidString(pattern) || !utf8.ValidString(name) {
			return
		}
		shape := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*")
		if want := regexp.MustCompile("^(?s)" + shape + "$").MatchString(name); matches(pattern, name) != want {
			t.Errorf("%q matches %q: %t", pattern, name, !want)
		}
	})
}

func checkPlace(t *testing.T, text []byte, f Fault) {
	t.Helper()
	if strings.ContainsAny(f.Error(), "\n\r\x00\x1b") || f.Message == "" {
		t.Errorf("message: %q", f.Error())
	}
	if f.Line < 0 || f.Line > strings.Count(string(text), "\n")+1 || f.Line > 0 && f.Column < 1 {
		t.Errorf("no such place: %+v", f)
	}
}
