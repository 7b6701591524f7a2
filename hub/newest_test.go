package hub_test

import (
	"testing"

	"sluice/hub"
)

func TestNewestKeyframe(t *testing.T) {
	s := newStream(t, hub.Options{})
	none := func(when string) {
		t.Helper()
		if u, ok := s.NewestKeyframe("main"); ok {
			t.Errorf("%s: unit %d", when, u.Index)
		}
	}
	none("before anybody published")
	p := publish(t, s, "main", video, audio)
	write(t, p, "video", false)
	none("before a keyframe")
	for _, key := range []bool{true, false, true, false} {
		write(t, p, "video", key)
		write(t, p, "audio", true)
	}
	u, ok := s.NewestKeyframe("main")
	if !ok || u.Index != 6 || !u.Keyframe {
		t.Fatalf("got %v, %v; want the second keyframe", u, ok)
	}
	if s.Wanted() {
		t.Error("who looks at it counts as interested")
	}
	p.Close()
	none("after the publisher has closed")
}
