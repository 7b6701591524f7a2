package peer

import (
	"testing"
	"time"
)

// J122, B12: wishes for a keyframe reach the publisher at most each 500 ms, and none is forgotten.
func TestWish(t *testing.T) {
	var w wish
	start := time.Unix(1000, 0)
	sent := 0
	for at := time.Duration(0); at < 2*time.Second; at += time.Millisecond {
		now := start.Add(at)
		if w.ask(now) || w.due(now) {
			sent++
		}
	}
	if sent != 4 {
		t.Errorf("of a wish each millisecond for 2 s, %d were passed on", sent)
	}
	end := start.Add(2 * time.Second)
	if w.due(end.Add(-time.Millisecond)) {
		t.Error("due too early")
	}
	if !w.due(end) || w.due(end.Add(time.Second)) {
		t.Error("what was kept is not passed on once")
	}
	w.ask(end.Add(100 * time.Millisecond))
	w.fulfilled()
	if w.due(end.Add(time.Second)) {
		t.Error("a wish that was fulfilled is passed on")
	}
}
