package hub_test

import (
	"slices"
	"testing"
	"time"

	"sluice/hub"
	"sluice/media"
)

// derive publishes a derived rendition.
func derive(t *testing.T, s *hub.Stream, name string, tracks ...media.Track) *hub.Publisher {
	t.Helper()
	p, err := s.PublishDerived(name, tracks)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// What is derived is read like any other rendition, and counts as nothing that the source sends.
func TestDerivedRendition(t *testing.T) {
	s := newStream(t, hub.Options{})
	main := publish(t, s, "main", sized(640, 360))
	small := derive(t, s, "main:h264", sized(1280, 720))
	if got := names(s.Renditions()); !slices.Equal(got, []string{"main"}) {
		t.Errorf("published are %v, want main alone", got)
	}
	if got := names(s.Derived()); !slices.Equal(got, []string{"main:h264"}) {
		t.Errorf("derived are %v", got)
	}
	if tracks := s.LastTracks(); len(tracks) != 1 || tracks[0].Width != 640 {
		t.Errorf("the source's tracks are said to be %+v", tracks)
	}
	sub, err := s.Subscribe("main:h264", hub.StartKeyframe)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	if err := small.Write(video.ID, &media.AccessUnit{Keyframe: true, Arrived: time.Now(), Data: [][]byte{{1}}}); err != nil {
		t.Fatal(err)
	}
	if u, ok := sub.TryNext(); !ok || u.Track.Rendition != "main:h264" {
		t.Errorf("read %+v, %v", u, ok)
	}
	if st := s.Stats(); st.UnitsIn != 0 || st.BytesIn != 0 {
		t.Errorf("%d units and %d bytes are counted as input", st.UnitsIn, st.BytesIn)
	}
	main.Close()
	again := publish(t, s, "main", sized(640, 360))
	defer again.Close()
	if got := names(s.Derived()); !slices.Equal(got, []string{"main:h264"}) {
		t.Errorf("after the source came back, derived are %v", got)
	}
}

// Demand follows those who read, who are about to and who will; each change is signalled.
func TestDemand(t *testing.T) {
	s := newStream(t, hub.Options{})
	main := publish(t, s, "main", video)
	expect := func(when string, changed <-chan struct{}, want ...string) {
		t.Helper()
		select {
		case <-changed:
		default:
			t.Errorf("%s: no signal", when)
		}
		if got := s.Demand(); !slices.Equal(got, want) {
			t.Errorf("%s: demand is %v, want %v", when, got, want)
		}
	}
	changed := s.Changed()
	release := s.WantRendition("main:h264")
	again := s.WantRendition("main:h264")
	expect("wanted", changed, "main:h264")
	release()
	release()
	if got := s.Demand(); !slices.Equal(got, []string{"main:h264"}) {
		t.Errorf("one of two has released it twice: demand is %v", got)
	}
	changed = s.Changed()
	again()
	expect("released", changed)

	changed = s.Changed()
	sub, err := s.Subscribe("main", hub.StartKeyframe)
	if err != nil {
		t.Fatal(err)
	}
	expect("subscribed", changed, "main")
	changed = s.Changed()
	sub.SelectRendition("main:h264")
	expect("about to change", changed, "main", "main:h264")
	made := derive(t, s, "main:h264", video)
	sub.TryNext() // sees that it is there
	if err := made.Write(video.ID, &media.AccessUnit{Keyframe: true, Arrived: time.Now(), Data: [][]byte{{1}}}); err != nil {
		t.Fatal(err)
	}
	sub.TryNext()
	if got := s.Demand(); !slices.Equal(got, []string{"main:h264"}) {
		t.Errorf("changed over: demand is %v", got)
	}
	sub.SelectRendition("main")
	if err := main.Write(video.ID, &media.AccessUnit{PTS: 9000, Keyframe: true, Arrived: time.Now(), Data: [][]byte{{1}}}); err != nil {
		t.Fatal(err)
	}
	changed = s.Changed()
	sub.TryNext()
	expect("changed back", changed, "main")
	changed = s.Changed()
	sub.SelectRendition("main:vp8")
	expect("about to change again", changed, "main", "main:vp8")
	changed = s.Changed()
	sub.SelectRendition("main")
	expect("stays after all", changed, "main")
	changed = s.Changed()
	sub.Close()
	expect("left", changed)
}
