package client

import (
	"testing"
	"time"
)

var now = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// C10
func TestParseRetryAfter(t *testing.T) {
	for name, c := range map[string]struct {
		value string
		want  time.Duration
		ok    bool
	}{
		"seconds":            {"120", 2 * time.Minute, true},
		"blanks":             {" 5 ", 5 * time.Second, true},
		"zero":               {"0", 0, true},
		"five minutes":       {"300", 5 * time.Minute, true},
		"more":               {"301", 5 * time.Minute, true},
		"beyond any integer": {"99999999999999999999", 5 * time.Minute, true},
		"a date":             {"Wed, 02 Jan 2030 03:04:35 GMT", 30 * time.Second, true},
		"a date of RFC 850":  {"Wednesday, 02-Jan-30 03:04:35 GMT", 30 * time.Second, true},
		"a date of C":        {"Wed Jan  2 03:04:35 2030", 30 * time.Second, true},
		"a date of long ago": {"Wed, 02 Jan 2019 03:04:35 GMT", 0, true},
		"a date far away":    {"Wed, 02 Jan 2930 03:04:35 GMT", 5 * time.Minute, true},
		"negative":           {"-1", 0, false},
		"a fraction":         {"1.5", 0, false},
		"words":              {"soon", 0, false},
		"nothing":            {"", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := parseRetryAfter(c.value, now)
			if got != c.want || ok != c.ok {
				t.Errorf("%v, %v, want %v, %v", got, ok, c.want, c.ok)
			}
		})
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"120", "0", "-1", "1e9", "Wed, 02 Jan 2030 03:04:35 GMT", "Wed Jan  2 03:04:35 2030", "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, ok := parseRetryAfter(value, now)
		if got < 0 || got > maxRetryAfter || !ok && got != 0 {
			t.Errorf("%q gives %v, %v", value, got, ok)
		}
	})
}

// C10
func TestBackoff(t *testing.T) {
	var b Backoff
	for i, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60, 60} {
		want := time.Duration(seconds) * time.Second
		if got := b.Next(0); got < want*8/10 || got > want*12/10 {
			t.Errorf("delay %d is %v, want %v ± 20 %%", i, got, want)
		}
	}
	if got := b.Next(90 * time.Second); got != 90*time.Second {
		t.Errorf("delay is %v, want what the server asks for", got)
	}
	b.Worked(59 * time.Second)
	if got := b.Next(0); got < 48*time.Second {
		t.Errorf("delay is %v after a short while", got)
	}
	b.Worked(time.Minute)
	if got := b.Next(0); got > 1200*time.Millisecond {
		t.Errorf("delay is %v after a minute of health, want 1 s", got)
	}
}

// C10
func TestJitter(t *testing.T) {
	delays := map[time.Duration]bool{}
	for range 100 {
		delays[new(Backoff).Next(0)] = true
	}
	if len(delays) < 50 {
		t.Errorf("%d different delays of 100: all come back at once", len(delays))
	}
}
