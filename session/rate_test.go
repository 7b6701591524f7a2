package session

import (
	"testing"
	"time"
)

// A83: so many in any span, and the time until the next.
func TestRate(t *testing.T) {
	r := rate{most: 2, span: time.Second}
	start := time.Now()
	for _, c := range []struct {
		at   time.Duration
		ok   bool
		wait time.Duration
	}{
		{0, true, 0},
		{400 * time.Millisecond, true, 0},
		{900 * time.Millisecond, false, 100 * time.Millisecond},
		{time.Second, true, 0},
		{1300 * time.Millisecond, false, 100 * time.Millisecond},
		{5 * time.Second, true, 0},
	} {
		if wait, ok := r.allow(start.Add(c.at)); ok != c.ok || wait != c.wait {
			t.Errorf("after %v: %v, wait %v", c.at, ok, wait)
		}
	}
}
