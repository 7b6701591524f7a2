package hub_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/hub"
	"sluice/media"
)

// simulcast is a publisher of several layers that share their sound.
type simulcast struct {
	t      *testing.T
	layers map[string]*hub.Publisher
	ms     int // of the timeline
}

func newSimulcast(t *testing.T, s *hub.Stream, rids ...string) *simulcast {
	c := &simulcast{t: t, layers: map[string]*hub.Publisher{}}
	for _, rid := range rids {
		c.layers[rid] = publish(t, s, rid, video, audio)
	}
	return c
}

func (c *simulcast) sound() {
	c.t.Helper()
	c.ms += 20
	au := unit(true, 10)
	au.PTS = int64(c.ms * 48)
	for _, p := range c.layers {
		if err := p.Write("audio", au); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *simulcast) picture(rid string, key bool) {
	c.t.Helper()
	au := unit(key, 100)
	au.PTS = int64(c.ms * 90)
	if err := c.layers[rid].Write("video", au); err != nil {
		c.t.Fatal(err)
	}
}

// round is a sound and a picture of each named layer; in capitals: a keyframe.
func (c *simulcast) round(pictures string) {
	c.t.Helper()
	c.sound()
	for _, r := range pictures {
		rid := string(r)
		c.picture(strings.ToLower(rid), rid != strings.ToLower(rid))
	}
}

// told is what a subscriber gets now: pictures by the name of their layer, sounds and pictures with their time.
func told(sub *hub.Subscriber) string {
	var all []string
	for {
		u, ok := sub.TryNext()
		if !ok {
			return strings.Join(all, " ")
		}
		name := u.Track.Rendition
		if u.Track.Kind == media.Audio {
			name = "a"
		} else if u.Keyframe {
			name = strings.ToUpper(name)
		}
		all = append(all, fmt.Sprintf("%s%d", name, u.PTS*1000/int64(u.Track.ClockRate)))
	}
}

func check(t *testing.T, step, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", step, got, want)
	}
}

// Layers share their sound: over a switch each sound comes once.
func TestSoundOverASwitch(t *testing.T) {
	s := newStream(t, hub.Options{})
	c := newSimulcast(t, s, "h", "l")
	sub := subscribe(t, s, "h", hub.StartKeyframe)
	c.round("HL")
	c.round("hl")
	check(t, "before", told(sub), "H20 a40 h40")
	sub.SelectRendition("l")
	check(t, "no keyframe yet", told(sub), "")
	c.round("hl")
	check(t, "still", told(sub), "a60 h60")
	c.round("hL")
	c.round("hl")
	check(t, "the new layer", told(sub), "a80 L80 a100 l100")
	sub.SelectRendition("h")
	told(sub)
	c.round("h")
	c.round("hl")
	c.round("Hl")
	c.round("hl")
	check(t, "one that was behind", told(sub), "a120 a140 l140 a160 H160 a180 h180")
}

// The sound after a keyframe may have been delivered before the change to it, and that before it not.
func TestSoundAroundTheKeyframe(t *testing.T) {
	s := newStream(t, hub.Options{})
	c := newSimulcast(t, s, "h", "l")
	sub := subscribe(t, s, "h", hub.StartKeyframe)
	c.round("HL")
	c.round("hl")
	told(sub)
	sub.SelectRendition("l")
	told(sub)
	c.picture("l", true)
	c.sound()
	c.round("l")
	check(t, "delivered before", told(sub), "a60 a80 L40 l80")
	c.layers["l"].Close()
	delete(c.layers, "l")
	c.round("h")
	c.round("h")
	c.round("H")
	sub.SelectRendition("h")
	check(t, "never delivered", told(sub), "a100 a120 a140 H140")
	if n := sub.Dropped()[hub.DropWaitingKeyframe]; n != 0 {
		t.Errorf("%d pictures before the keyframe count as dropped", n)
	}
}

// A keyframe that is later than what was delivered is used at once, an older one never.
func TestSwitchingToAKeyframeThatIsThere(t *testing.T) {
	s := newStream(t, hub.Options{})
	c := newSimulcast(t, s, "h", "l")
	sub := subscribe(t, s, "h", hub.StartKeyframe)
	c.round("HL")
	told(sub)
	c.sound()
	c.picture("l", true)
	sub.SelectRendition("l")
	check(t, "later", told(sub), "a40 L40")
	c.round("Hl")
	c.round("hl")
	told(sub)
	sub.SelectRendition("h")
	c.round("hl")
	check(t, "older", told(sub), "a100 l100")
	if sub.Rendition() != "l" {
		t.Errorf("it reads %q", sub.Rendition())
	}
	c.round("Hl")
	check(t, "the next", told(sub), "a120 H120")
	if sub.Rendition() != "h" {
		t.Errorf("it reads %q", sub.Rendition())
	}
}

// A layer that stops costs only that layer: who watched it hears on at once and sees on at the next keyframe.
func TestALayerStops(t *testing.T) {
	s := newStream(t, hub.Options{})
	c := newSimulcast(t, s, "h", "l")
	high, low := subscribe(t, s, "h", hub.StartKeyframe), subscribe(t, s, "l", hub.StartKeyframe)
	c.round("HL")
	told(low)
	c.layers["h"].Close()
	delete(c.layers, "h")
	c.round("l")
	check(t, "what came before the end", told(high), "H20")
	check(t, "without a wish", told(high), "")
	high.SelectRendition("l")
	check(t, "the wish", told(high), "")
	c.round("l")
	check(t, "sound goes on", told(high), "a60")
	c.round("L")
	check(t, "the picture too", told(high), "a80 L80")
	check(t, "the other viewer", told(low), "a40 l40 a60 l60 a80 L80")
	c.layers["h"] = publish(t, s, "h", video, audio)
	high.SelectRendition("h")
	c.round("l")
	check(t, "back, not begun", told(high), "a100 l100")
	c.round("Hl")
	check(t, "back again", told(high), "a120 H120")
}

// A layer that ended holds pictures of the past: nobody begins there.
func TestNobodyBeginsAtAnEndedLayer(t *testing.T) {
	s := newStream(t, hub.Options{})
	c := newSimulcast(t, s, "h", "l")
	c.round("HL")
	c.layers["h"].Close()
	delete(c.layers, "h")
	fresh, other := subscribe(t, s, "h", hub.StartGOP), subscribe(t, s, "l", hub.StartGOP)
	other.SelectRendition("h")
	c.round("l")
	check(t, "joined", told(fresh), "")
	check(t, "switches", told(other), "L20 a40 l40")
}

// Between sound alone and a picture, whose clocks tick at other rates, nothing is shown that is older than what was heard.
func TestSwitchBetweenSoundAndPicture(t *testing.T) {
	s := newStream(t, hub.Options{})
	alone := publish(t, s, "alone", audio)
	c := newSimulcast(t, s, "h")
	sub := subscribe(t, s, "alone", hub.StartKeyframe)
	hear := func() {
		au := unit(true, 10)
		au.PTS = int64(c.ms * 48)
		if err := alone.Write("audio", au); err != nil {
			t.Fatal(err)
		}
	}
	c.ms = 780
	c.round("H")
	c.ms = 1000
	hear()
	check(t, "at first", told(sub), "a1000")
	sub.SelectRendition("h")
	check(t, "the picture's keyframe is old", told(sub), "")
	c.round("H")
	check(t, "at its next one", told(sub), "H1020")
	c.round("h")
	sub.SelectRendition("alone")
	check(t, "back, where nothing is as new", told(sub), "a1040 h1040")
	c.ms += 20
	hear()
	check(t, "where something is newer", told(sub), "a1060")
}

// A wish reaches the layer that is read and the one to come.
func TestKeyframeWishesDuringASwitch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStream(t, hub.Options{})
		c := newSimulcast(t, s, "h", "m", "l")
		sub := subscribe(t, s, "h", hub.StartKeyframe)
		c.round("HML")
		told(sub)
		sub.SelectRendition("l")
		told(sub)
		if n := asked(c.layers["l"]); n != 1 {
			t.Errorf("the layer to come was asked %d times", n)
		}
		time.Sleep(time.Second)
		sub.RequestKeyframe()
		for rid, want := range map[string]int{"h": 1, "m": 0, "l": 1} {
			if n := asked(c.layers[rid]); n != want {
				t.Errorf("%s was asked %d times, want %d", rid, n, want)
			}
		}
	})
}

func asked(p *hub.Publisher) (n int) {
	for {
		select {
		case <-p.KeyframeRequests():
			n++
		default:
			return n
		}
	}
}

// J122: 1000 wishes a second of many viewers are 2 requests a second upstream.
func TestFloodOfKeyframeWishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStream(t, hub.Options{})
		p := publish(t, s, "main", video)
		var subs []*hub.Subscriber
		for range 10 {
			subs = append(subs, subscribe(t, s, "main", hub.StartKeyframe))
		}
		const seconds = 10
		n := 0
		for i := range seconds * 1000 {
			subs[i%len(subs)].RequestKeyframe()
			if i%33 == 0 {
				write(t, p, "video", false)
			}
			n += asked(p)
			time.Sleep(time.Millisecond)
		}
		if n < 2*seconds-2 || n > 2*seconds {
			t.Errorf("%d requests in %d s", n, seconds)
		}
	})
}
