package hub_test

import (
	"strings"
	"testing"
	"time"

	"sluice/hub"
)

// F24: sound is to be had at live while the cached pictures are still read, each unit once, in whatever order a reader
// asks.
func TestSoundAsideOfACatchUp(t *testing.T) {
	const cached, after = "KapapKapap", "apapKap"
	for name, asideFirst := range map[string]bool{"sound first": true, "pictures first": false} {
		t.Run(name, func(t *testing.T) {
			s := newStream(t, hub.Options{})
			p := publish(t, s, "main", video, audio)
			play(t, p, cached)
			sub := subscribe(t, s, "main", hub.StartGOP)
			play(t, p, after)
			if n := sub.Behind(); n != 3+4 {
				t.Errorf("%d pictures behind", n)
			}
			sounds := 0
			aside := func() {
				for u, ok := sub.TryAside(); ok; u, ok = sub.TryAside() {
					if u.Index <= uint64(len(cached)) {
						t.Errorf("sound %d is older than the join", u.Index)
					}
					sounds++
				}
			}
			if asideFirst {
				aside()
			}
			got := drain(sub)
			aside()
			if want := "Kpp" + after; asideFirst {
				want = strings.ReplaceAll(want, "a", "")
				check(t, "pictures", got, want)
			} else {
				check(t, "all", got, want)
				sounds += strings.Count(got, "a")
			}
			if sounds != 3 || sub.Behind() != 0 {
				t.Errorf("%d sounds, %d pictures behind", sounds, sub.Behind())
			}
			play(t, p, "apa")
			check(t, "live", drain(sub), "apa")
		})
	}
}

// A reader that waits for its first keyframe hears nothing before it.
func TestNoSoundAsideBeforeTheFirstKeyframe(t *testing.T) {
	s := newStream(t, hub.Options{})
	p := publish(t, s, "main", video, audio)
	sub := subscribe(t, s, "main", hub.StartGOP)
	play(t, p, "papa")
	if u, ok := sub.TryAside(); ok {
		t.Errorf("%+v", u)
	}
	check(t, "nor in order", drain(sub), "")
}

func TestRewind(t *testing.T) {
	s := newStream(t, hub.Options{})
	p := publish(t, s, "main", video, audio)
	sub := subscribe(t, s, "main", hub.StartKeyframe)
	if sub.Rewind() || sub.Newest() != nil {
		t.Error("there is something in an empty ring")
	}
	play(t, p, "KapaKapa")
	if sub.Rewind() {
		t.Error("back to a keyframe that is still to come")
	}
	check(t, "first", drain(sub), "KapaKapa")
	play(t, p, "ap")
	if !sub.Rewind() || sub.Behind() != 3 || sub.Newest().Index != 10 {
		t.Errorf("%d behind", sub.Behind())
	}
	check(t, "again, without the sound", drain(sub), "Kpap")
	if !sub.Rewind() {
		t.Error("only once")
	}
	if u, ok := sub.TryAside(); ok {
		t.Errorf("sound %d comes twice", u.Index)
	}
	check(t, "and once more", drain(sub), "Kpp")
	p.Close()
	if sub.Rewind() {
		t.Error("back into what a publisher left behind")
	}
}

// Where there are no pictures nothing is to be shown again.
func TestNoRewindToSound(t *testing.T) {
	s := newStream(t, hub.Options{})
	p := publish(t, s, "main", audio)
	sub := subscribe(t, s, "main", hub.StartGOP)
	play(t, p, "aaa")
	drain(sub)
	if n := sub.Newest().Index; n != 3 || sub.Rewind() {
		t.Errorf("back to sound, of %d units", n)
	}
}

// Sound that was delivered ahead in one rendition says nothing of another, whose units are counted differently.
func TestSoundAsideOverASwitch(t *testing.T) {
	s := newStream(t, hub.Options{})
	c := newSimulcast(t, s, "h", "l")
	sub := subscribe(t, s, "h", hub.StartKeyframe)
	for range 10 { // only h counts these
		c.picture("h", true)
	}
	c.round("HL")
	told(sub)
	c.round("hl")
	if _, ok := sub.TryAside(); !ok {
		t.Error("no sound")
	}
	sub.SelectRendition("l")
	check(t, "before", told(sub), "h40")
	c.round("hL")
	c.round("hl")
	check(t, "after", told(sub), "a60 L60 a80 l80")
}

// One that has fallen out of the ring will go on at its newest keyframe: it is so far behind.
func TestBehindAfterFallingOut(t *testing.T) {
	s := newStream(t, hub.Options{RingMaxBytes: 1000})
	p := publish(t, s, "main", video)
	sub := subscribe(t, s, "main", hub.StartKeyframe)
	play(t, p, "KpppppppppppKpp")
	if n := sub.Behind(); n != 3 {
		t.Errorf("%d pictures behind", n)
	}
	check(t, "what comes", drain(sub), "Kpp")
}

// A place finds its unit as long as the ring holds it.
func TestPlaces(t *testing.T) {
	s := newStream(t, hub.Options{})
	p := publish(t, s, "main", video)
	sub := subscribe(t, s, "main", hub.StartKeyframe)
	play(t, p, "Kppp")
	var places []hub.Place
	for u, ok := sub.TryNext(); ok; u, ok = sub.TryNext() {
		places = append(places, u.Place())
		if u.Place().Unit() != u {
			t.Errorf("unit %d is not in its place", u.Index)
		}
	}
	p.Close()
	p = publish(t, s, "main", video)
	for range 300 { // the same slots
		play(t, p, "K")
	}
	for i, place := range places {
		if u := place.Unit(); u != nil {
			t.Errorf("in place %d is unit %d", i, u.Index)
		}
	}
	if u := (&hub.Unit{}).Place().Unit(); u != nil {
		t.Error("a unit that was never written has a place")
	}
}

// F24: with the default bounds a GOP of 10 s at 8 Mbit/s is held as a whole, and the statistics say so.
func TestALongGOPIsHeld(t *testing.T) {
	s := newStream(t, hub.Options{})
	p := publish(t, s, "main", video, audio)
	now := time.Now()
	for i := range 750 { // three GOPs of 250 pictures
		now = now.Add(40 * time.Millisecond)
		u := unit(i%250 == 0, 40_000)
		u.Arrived = now
		if err := p.Write("video", u); err != nil {
			t.Fatal(err)
		}
	}
	sub := subscribe(t, s, "main", hub.StartGOP)
	if n := sub.Behind(); n != 250 {
		t.Errorf("%d pictures of 250 are held", n)
	}
	st := s.Stats()
	if st.RingBytes != 250*40_000 || st.RingUnits != 250 || st.RingAge != 249*40*time.Millisecond {
		t.Errorf("%+v", st)
	}
	u, ok := sub.TryNext()
	if !ok || !u.Keyframe {
		t.Error("the keyframe is not held")
	}
}

// A rendition tells its rate once it has been measured.
func TestBitrateOfWhatIsRead(t *testing.T) {
	s := newStream(t, hub.Options{})
	sub := subscribe(t, s, "main", hub.StartKeyframe)
	if b := sub.Bitrate(); b != 0 {
		t.Errorf("%d bit/s of nothing", b)
	}
	p := publish(t, s, "main", video)
	now := time.Now()
	for range 100 {
		u := unit(true, 10_000)
		u.Arrived = now
		if err := p.Write("video", u); err != nil {
			t.Fatal(err)
		}
		now = now.Add(40 * time.Millisecond)
	}
	if b := sub.Bitrate(); b != 2_000_000 {
		t.Errorf("%d bit/s", b)
	}
}
