package config

import (
	"errors"
	"strings"
	"testing"
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

func checkPlace(t *testing.T, text []byte, f Fault) {
	t.Helper()
	if strings.ContainsAny(f.Error(), "\n\r\x00\x1b") || f.Message == "" {
		t.Errorf("message: %q", f.Error())
	}
	if f.Line < 0 || f.Line > strings.Count(string(text), "\n")+1 || f.Line > 0 && f.Column < 1 {
		t.Errorf("no such place: %+v", f)
	}
}
