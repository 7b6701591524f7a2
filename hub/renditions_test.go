package hub_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sluice/hub"
	"sluice/media"
)

// sized is a video track of that many pixels.
func sized(width, height int) media.Track {
	t := video
	t.Width, t.Height = width, height
	return t
}

func names(all []hub.Rendition) (names []string) {
	for _, r := range all {
		names = append(names, r.Name)
	}
	return names
}

// A layer is ordered by its size, whatever the order of arrival; what is closed is not listed.
func TestRenditionsAreOrderedBySize(t *testing.T) {
	s := newStream(t, hub.Options{})
	open := map[string]*hub.Publisher{}
	for _, r := range []struct {
		name   string
		tracks []media.Track
	}{
		{"sound", []media.Track{audio}},
		{"unknown", []media.Track{video, audio}},
		{"low", []media.Track{sized(320, 180)}},
		{"high", []media.Track{sized(1280, 720)}},
		{"b", []media.Track{sized(640, 360)}},
		{"a", []media.Track{sized(360, 640)}},
	} {
		open[r.name] = publish(t, s, r.name, r.tracks...)
	}
	if got, want := names(s.Renditions()), []string{"high", "a", "b", "low", "unknown", "sound"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	open["high"].Close()
	if err := open["low"].Update(sized(3840, 2160)); err != nil {
		t.Fatal(err)
	}
	if got, want := names(s.Renditions()), []string{"low", "a", "b", "unknown", "sound"}; !slices.Equal(got, want) {
		t.Errorf("after a change: got %v, want %v", got, want)
	}
}

// Bitrates are those of the last 2 s, 0 before, and order what is equally large.
func TestBitrates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStream(t, hub.Options{})
		thin, fat := publish(t, s, "thin", video), publish(t, s, "wide", video)
		rates := func() map[string]int {
			m := map[string]int{}
			for _, r := range s.Renditions() {
				m[r.Name] = r.Bitrate
			}
			return m
		}
		second := func(fatUnits int) {
			for i := range 10 {
				write(t, thin, "video", true)
				for range fatUnits {
					write(t, fat, "video", i == 0)
				}
				time.Sleep(100 * time.Millisecond)
			}
		}
		second(3)
		if r := rates(); r["thin"] != 0 || r["wide"] != 0 {
			t.Errorf("known after 1 s: %v", r)
		}
		second(3)
		second(5)
		if r := rates(); r["thin"] != 8000 || r["wide"] != 24000 || s.Renditions()[0].Name != "wide" {
			t.Errorf("after 2 s: %v, %v", r, names(s.Renditions()))
		}
		second(5)
		second(0)
		if r := rates(); r["wide"] != 24000 {
			t.Errorf("a rendition that pauses: %v", r)
		}
	})
}

func TestLastTracks(t *testing.T) {
	s := newStream(t, hub.Options{})
	last := func() int {
		tracks := s.LastTracks()
		if len(tracks) == 0 {
			return 0
		}
		return tracks[0].Width
	}
	if s.LastTracks() != nil {
		t.Error("something was never published")
	}
	old := publish(t, s, "old", sized(9000, 9000))
	if last() != 9000 {
		t.Errorf("while published: %d", last())
	}
	old.Close()
	high, low := publish(t, s, "high", sized(1280, 720)), publish(t, s, "low", sized(320, 180))
	high.Close()
	if last() != 320 {
		t.Errorf("with one layer left: %d", last())
	}
	low.Close()
	if last() != 1280 {
		t.Errorf("afterwards: %d, want that of the best layer", last())
	}
}

// Names of renditions come from publishers: a thousand of them leave nothing behind.
func TestRenditionsAreForgotten(t *testing.T) {
	s := newStream(t, hub.Options{})
	watched := subscribe(t, s, "watched", hub.StartKeyframe)
	for i := range 1000 {
		p := publish(t, s, fmt.Sprint("layer", i), video)
		write(t, p, "video", true)
		p.Close()
		s.RequestKeyframe(fmt.Sprint("other", i))
	}
	if b := s.Stats().RingBytes; b > 100 {
		t.Errorf("%d bytes are held", b)
	}
	play(t, publish(t, s, "watched", video), "Kp")
	if got := drain(watched); got != "Kp" {
		t.Errorf("the one who waits got %q", got)
	}
}
