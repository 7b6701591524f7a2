package session

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/peer"
)

// renditions names what is published, and how many tracks of each.
func (b *bench) renditions() map[string]int {
	m := make(map[string]int)
	for _, r := range b.stream.Renditions() {
		m[r.Name] = len(r.Tracks)
	}
	return m
}

func (b *bench) wantRenditions(when string, want ...string) {
	b.t.Helper()
	var got []string
	for name := range b.renditions() {
		got = append(got, name)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		b.t.Errorf("%s: %v are published, want %v", when, got, want)
	}
}

var publishing = Terms{Publish: true}

// A58: a layer is published from its first keyframe on, with the sound; without layers there is one rendition.
func TestPublishedRenditions(t *testing.T) {
	for name, c := range map[string]struct {
		offer, rid, rendition string
		tracks                int
	}{
		"one picture": {publisherOffer, "", "main", 2},
		"a layer":     {layeredOffer, "m", "m", 2},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, publishing, Options{}, func(b *bench) {
				s, r := b.publish("", c.offer)
				r.connect()
				r.calls <- func(s peer.Sink) { s.Track("", sound); s.Unit("", "audio", unit(true)) }
				r.sends(c.rid, false)
				r.sends("unknown", true)
				b.wantRenditions("before the keyframe")
				if st, _ := b.stream.State(); st != hub.StateIdle {
					t.Errorf("the source is %s", st)
				}
				sub, err := b.stream.Subscribe(c.rendition, hub.StartKeyframe)
				if err != nil {
					t.Fatal(err)
				}
				defer sub.Close()
				r.sends(c.rid, true)
				b.wantRenditions("after it", c.rendition)
				if st, _ := b.stream.State(); st != hub.StateReady || b.renditions()[c.rendition] != c.tracks {
					t.Errorf("the source is %s, with %v", st, b.renditions())
				}
				if u, ok := sub.TryNext(); !ok || !u.Keyframe || u.Track.Codec != media.VP8 {
					t.Errorf("first comes %+v", u)
				}
				if i := s.Info(); i.Role != RolePublish || i.State != StateConnected || len(i.Choices) != 2 || i.Received.Packets != 7 {
					t.Errorf("%+v", i)
				}
				s.Close()
				b.wantRenditions("after the end")
				if st, why := b.stream.State(); st != hub.StateIdle || why != nil {
					t.Errorf("the source is %s: %v", st, why)
				}
			})
		})
	}
}

// A publisher without a picture publishes its sound.
func TestPublishedSound(t *testing.T) {
	onBench(t, publishing, Options{}, func(b *bench) {
		_, r := b.publish("", soundOffer)
		r.connect()
		r.calls <- func(s peer.Sink) { s.Track("", sound) }
		synctest.Wait()
		b.wantRenditions("before the first unit")
		r.calls <- func(s peer.Sink) { s.Unit("", "audio", unit(true)) }
		synctest.Wait()
		b.wantRenditions("after it", "main")
		if b.renditions()["main"] != 1 {
			t.Errorf("%v", b.renditions())
		}
	})
}

// A publisher that negotiates a picture of which nothing comes publishes its sound after 3 s, and the picture with it when
// it comes after all. Viewers who can take it get it, on the sequence numbers that they have, or are told to come again.
func TestPublishedSoundBeforePicture(t *testing.T) {
	for name, c := range map[string]struct {
		offer, rid, rendition string
	}{"one picture": {publisherOffer, "", "main"}, "layers": {layeredOffer, "m", "m"}} {
		t.Run(name, func(t *testing.T) {
			onBench(t, publishing, Options{}, func(b *bench) {
				_, r := b.publish("", c.offer)
				r.connect()
				hears := func(d time.Duration) {
					for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
						r.calls <- func(s peer.Sink) { s.Track("", sound); s.Unit("", "audio", soundUnit()) }
					}
					synctest.Wait()
				}
				waiting, ahead := b.play(PlayRequest{Wait: true, Offer: vp8Offer})
				ahead.connect()
				hears(soundAlone - 100*time.Millisecond)
				b.wantRenditions("while the picture may come")
				hears(200 * time.Millisecond)
				b.wantRenditions("without a picture", "main")
				late, link := b.play(PlayRequest{Offer: vp8Offer})
				listener, _ := b.play(PlayRequest{Offer: strings.ReplaceAll(soundOffer, "sendonly", "recvonly")})
				link.connect()
				hears(time.Second)
				if n := len(link.drain()); n < 45 || len(ahead.drain()) < n {
					t.Errorf("%d units of sound arrive", n)
				}
				r.sends(c.rid, false)
				b.wantRenditions("before the keyframe", "main")
				r.sends(c.rid, true)
				b.wantRenditions("with the picture", c.rendition)
				hears(100 * time.Millisecond)
				if got := b.renditions()[c.rendition]; got != 2 || isDone(waiting) || isDone(listener) {
					t.Errorf("%d tracks; ended by %v and %v", got, waiting.endedBy(), listener.endedBy())
				}
				if kinds := ahead.kinds(); !slices.Equal(kinds[:min(2, len(kinds))], []media.Kind{media.Video, media.Audio}) {
					t.Errorf("a viewer that can take the picture gets %v", kinds)
				}
				if !errors.As(late.endedBy(), new(*SourceChangedError)) {
					t.Errorf("a viewer that can't is not told: %v", late.endedBy())
				}
				if st, _ := b.stream.State(); st != hub.StateReady {
					t.Errorf("the source is %s", st)
				}
			})
		})
	}
}

// A picture whose layers come and go is not taken for none: the sound is not published beside it.
func TestSoundStaysWithReturnedLayers(t *testing.T) {
	onBench(t, publishing, Options{}, func(b *bench) {
		_, r := b.publish("", layeredOffer)
		r.connect()
		for _, flowing := range []string{"h", "l", "h"} {
			r.sends(flowing, true)
			for range 30 {
				time.Sleep(100 * time.Millisecond)
				r.sends(flowing, false)
				r.calls <- func(s peer.Sink) { s.Track("", sound); s.Unit("", "audio", soundUnit()) }
			}
			b.wantRenditions("one flows", flowing)
		}
	})
}

func soundUnit() *media.AccessUnit {
	now := time.Now()
	return &media.AccessUnit{PTS: media.PTS(now, 48000), Arrived: now, Keyframe: true, Data: [][]byte{{0xFC}}}
}

// kinds reads what the viewer was sent.
func (s *fakeSender) kinds() []media.Kind {
	var all []media.Kind
	for len(s.sent) > 0 {
		all = append(all, (<-s.sent).Track.Kind)
	}
	return all
}

// A58: all layers carry the very same sound, and what is learnt of a track reaches those who watch.
func TestLayersShareTheirSound(t *testing.T) {
	onBench(t, publishing, Options{}, func(b *bench) {
		_, r := b.publish("", layeredOffer)
		r.connect()
		r.sends("h", true)
		r.sends("l", true)
		var heard []*hub.Unit
		var subs []*hub.Subscriber
		for _, name := range []string{"h", "l"} {
			sub, _ := b.stream.Subscribe(name, hub.StartGOP)
			defer sub.Close()
			subs = append(subs, sub)
			sub.TryNext() // the keyframe
		}
		r.calls <- func(s peer.Sink) {
			s.Unit("", "audio", unit(true))
			s.Track("h", sized(1280, 720))
			s.Track("", media.Track{ID: "audio", Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 1})
		}
		synctest.Wait()
		for _, sub := range subs {
			u, ok := sub.TryNext()
			if !ok {
				t.Fatal("nothing is heard")
			}
			heard = append(heard, u)
		}
		if heard[0].AccessUnit != heard[1].AccessUnit {
			t.Error("the sound has been copied")
		}
		if best := b.stream.Renditions()[0]; best.Name != "h" || best.Tracks[0].Width != 1280 || best.Tracks[1].Channels != 1 {
			t.Errorf("%+v", best)
		}
	})
}

// A58: a layer that stops while another flows costs only itself; it returns at its next keyframe, for which it is asked
// once. When all are silent none is given up.
func TestLayerStopsAndReturns(t *testing.T) {
	onBench(t, publishing, Options{}, func(b *bench) {
		_, r := b.publish("", layeredOffer)
		r.connect()
		for _, rid := range []string{"h", "m", "l"} {
			r.sends(rid, true)
		}
		b.wantRenditions("all flow", "h", "l", "m")
		time.Sleep(time.Minute)
		b.wantRenditions("all are silent", "h", "l", "m")
		for range 21 {
			r.sends("l", false)
			r.sends("m", false)
			time.Sleep(100 * time.Millisecond)
		}
		b.wantRenditions("h has stopped", "l", "m")
		if len(r.wishes) != 0 {
			t.Errorf("asked for a keyframe of %q", <-r.wishes)
		}
		r.sends("h", false)
		r.sends("h", false)
		if len(r.wishes) != 1 || <-r.wishes != "h" {
			t.Error("a layer that returns is not asked for a keyframe, or twice")
		}
		b.wantRenditions("h has returned without a keyframe", "l", "m")
		r.sends("h", true)
		b.wantRenditions("h has returned", "h", "l", "m")
	})
}

// B12: viewers' wishes for a keyframe reach the layer that they watch, merged to one each 500 ms; none is sent
// without a wish, but for one to a layer whose first packets hold none.
func TestKeyframeWishes(t *testing.T) {
	onBench(t, publishing, Options{}, func(b *bench) {
		_, r := b.publish("", layeredOffer)
		r.connect()
		r.sends("l", true)
		r.calls <- func(s peer.Sink) { s.Track("h", picture) }
		time.Sleep(450 * time.Millisecond)
		if len(r.wishes) != 0 {
			t.Errorf("asked for a keyframe of %q too soon", <-r.wishes)
		}
		time.Sleep(5 * time.Second)
		if len(r.wishes) != 1 || <-r.wishes != "h" {
			t.Error("a layer that begins without a keyframe is not asked for one, or twice")
		}
		r.sends("h", true)
		for range 20 {
			b.stream.RequestKeyframe("h")
			b.stream.RequestKeyframe("gone")
			synctest.Wait()
		}
		if len(r.wishes) != 1 || <-r.wishes != "h" {
			t.Errorf("%d more wishes", len(r.wishes))
		}
		time.Sleep(600 * time.Millisecond)
		r.sends("l", true)
		b.stream.RequestKeyframe("l")
		synctest.Wait()
		if len(r.wishes) != 1 || <-r.wishes != "l" {
			t.Errorf("%d more wishes, later", len(r.wishes))
		}
	})
}

// J122: a flood of wishes reaches the publisher as two a second.
func TestKeyframeFlood(t *testing.T) {
	onBench(t, publishing, Options{}, func(b *bench) {
		_, r := b.publish("", publisherOffer)
		r.connect()
		r.sends("", true)
		_, v := b.play(PlayRequest{})
		v.connect()
		synctest.Wait()
		for range 10_000 {
			time.Sleep(time.Millisecond)
			v.wantsKeyframe()
			if len(v.sent) < cap(v.sent) {
				r.sends("", false)
			}
		}
		if n := len(r.wishes); n < 10 || n > 21 {
			t.Errorf("%d wishes in 10 s", n)
		}
	})
}

// A stream that is removed under a publisher ends its session.
func TestStreamRemovedUnderPublisher(t *testing.T) {
	for name, before := range map[string]bool{"before it publishes": true, "while it does": false} {
		t.Run(name, func(t *testing.T) {
			onBench(t, publishing, Options{}, func(b *bench) {
				s, r := b.publish("", publisherOffer)
				r.connect()
				if !before {
					r.sends("", true)
				}
				if err := b.streams.(inHub).hub.Remove("cam"); err != nil {
					t.Fatal(err)
				}
				r.sends("", true)
				if !isDone(s) || !errors.Is(s.endedBy(), hub.ErrClosed) {
					t.Errorf("%v", s.endedBy())
				}
			})
		})
	}
}
