package auth

import (
	"testing"
	"testing/synctest"
	"time"
)

// I3, I5: what is remembered is found by exactly what was verified, in this process, and for its time only.
func TestMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, other := newMemory[int](time.Minute), newMemory[int](time.Minute)
		d := m.digest("ab", "c")
		if d == m.digest("a", "bc") || d == m.digest("abc") || d == m.digest("ab", "c", "") || d == other.digest("ab", "c") {
			t.Error("two texts have the same digest")
		}
		m.remember(d, 1)
		time.Sleep(time.Minute - time.Nanosecond)
		if v, ok := m.recall(d); !ok || v != 1 {
			t.Error("it is forgotten early")
		}
		time.Sleep(time.Nanosecond)
		if _, ok := m.recall(d); ok || len(m.known.at) != 0 {
			t.Error("it is not forgotten")
		}
	})
}

// I5, I6: what is full loses what was asked for the longest ago.
func TestRecent(t *testing.T) {
	c := newRecent[string, int](2)
	c.put("a", 1)
	*c.put("b", 2) = 3
	c.get("a")
	c.put("c", 4)
	if c.get("b") != nil || *c.get("a") != 1 || *c.get("c") != 4 || len(c.at) != 2 {
		t.Errorf("%v", c.at)
	}
}
