package hub_test

import (
	"errors"
	"testing"

	"sluice/hub"
)

// counter is a waker that counts.
type counter struct{ n int }

func (c *counter) Wake() { c.n++ }

func (c *counter) since(t *testing.T, step string, want int) {
	t.Helper()
	if c.n != want {
		t.Errorf("%s: woken %d times, want %d", step, c.n, want)
	}
	c.n = 0
}

// A waker that many share is woken once for each unit, and as long as one of them reads that rendition.
func TestSharedWakers(t *testing.T) {
	s := newStream(t, hub.Options{})
	high, low := publish(t, s, "h", video), publish(t, s, "l", video)
	c, other := &counter{}, &counter{}
	var subs []*hub.Subscriber
	for _, w := range []hub.Waker{c, c, c, other} {
		sub, err := s.SubscribeWith("h", hub.StartKeyframe, w)
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		subs = append(subs, sub)
	}
	own := subscribe(t, s, "h", hub.StartKeyframe)
	play(t, high, "Kpp")
	c.since(t, "three units", 3)
	other.since(t, "three units", 3)
	if len(own.Wake()) != 1 || subs[0].Wake() != nil {
		t.Error("a subscriber alone has a channel")
	}
	play(t, low, "Kpp")
	c.since(t, "what nobody reads", 0)
	drain(subs[0])
	subs[0].SelectRendition("l")
	c.since(t, "a wish", 1)
	drain(subs[0])
	play(t, low, "p")
	c.since(t, "what one waits for", 1)
	play(t, high, "p")
	c.since(t, "what all read", 1)
	subs[1].Close()
	subs[1].Close()
	c.since(t, "one closed", 1)
	play(t, high, "p")
	c.since(t, "after one closed", 1)
	subs[2].Close()
	play(t, low, "K")
	drain(subs[0])
	c.since(t, "closed, and a keyframe", 2)
	play(t, high, "Kp")
	c.since(t, "what it has left", 0)
	other.since(t, "what it reads", 4)
}

// What ends a subscriber wakes its reader.
func TestTheEndWakes(t *testing.T) {
	h := hub.New(hub.Options{})
	s, err := h.Create("cam")
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{}
	sub, err := s.SubscribeWith("main", hub.StartGOP, c)
	if err != nil {
		t.Fatal(err)
	}
	if sub.Closed() {
		t.Error("closed at the beginning")
	}
	h.Close()
	c.since(t, "the end", 1)
	if _, err := sub.Next(t.Context()); !errors.Is(err, hub.ErrClosed) || !sub.Closed() {
		t.Errorf("%v", err)
	}
	if _, err := s.SubscribeWith("main", hub.StartGOP, c); !errors.Is(err, hub.ErrClosed) {
		t.Errorf("%v", err)
	}
}
