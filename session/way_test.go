package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/fanout"
	"sluice/internal/testpeer"
	"sluice/media"
	"sluice/negotiation"
	"sluice/peer"
	"sluice/rtpout"
	"sluice/transport"
)

// fakeFast is a fast way that takes what fanout takes.
type fakeFast struct{ played int }

func (f *fakeFast) SlowReason(offer *negotiation.Offer) string { return fanout.SlowReason(offer) }

func (f *fakeFast) Play(*negotiation.Offer, *negotiation.Plan, rtpout.PlayOptions) (Sender, error) {
	f.played++
	return &fakeSender{fakeLink: newFakeLink()}, nil
}

const offerData = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=sctp-port:5000\r\n"

// A59: which way an offer goes.
func TestWays(t *testing.T) {
	data := strings.Replace(viewerOffer, "BUNDLE 0 1", "BUNDLE 0 1 2", 1) + offerData
	for name, c := range map[string]struct {
		offer string
		off   bool
		want  Route
	}{
		"plain":        {viewerOffer, false, Route{Way: WayFast}},
		"ICE-lite":     {strings.Replace(viewerOffer, "t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n", 1), false, Route{WaySlow, fanout.SlowICELite}},
		"passive":      {strings.Replace(viewerOffer, "setup:actpass", "setup:passive", 1), false, Route{WaySlow, fanout.SlowDTLSPassive}},
		"active":       {strings.Replace(viewerOffer, "setup:actpass", "setup:active", 1), false, Route{Way: WayFast}},
		"data channel": {data, false, Route{WaySlow, fanout.SlowData}},
		"switched off": {viewerOffer, true, Route{WaySlow, SlowConfigured}},
		"off and passive": {
			strings.Replace(viewerOffer, "setup:actpass", "setup:passive", 1), true, Route{WaySlow, SlowConfigured},
		},
	} {
		t.Run(name, func(t *testing.T) {
			offer, err := negotiation.ParseOffer(c.offer, negotiation.RolePlay)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := negotiation.Decide([]media.Track{picture, sound}, offer, negotiation.Policy{}, negotiation.Capacity{})
			if err != nil {
				t.Fatal(err)
			}
			fake := &fakeFast{}
			var fast Fast = fake
			if c.off {
				fast = nil
			}
			s, route, err := On(testpeer.New(t, peer.Options{}), fast).Play(offer, plan, rtpout.PlayOptions{Loopback: true})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if route != c.want || fake.played == 1 != (c.want.Way == WayFast) {
				t.Errorf("%+v, want %+v", route, c.want)
			}
		})
	}
}

// Both ways are told and counted, and so is a counter-offer.
func TestWaysAreCounted(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		b.source("main", picture, sound)
		s, _ := b.play(PlayRequest{})
		offered, _, err := b.Offer(t.Context(), PlayRequest{Stream: "cam"})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Info().Route; got != (Route{Way: WayFast}) || s.Route() != got {
			t.Errorf("%+v", got)
		}
		counter := Route{WaySlow, SlowCounterOffer}
		if got := offered.Info().Route; got != counter {
			t.Errorf("%+v, want %+v", got, counter)
		}
		offered.Close()
		if n := b.Routes(); len(n) != 2 || n[Route{Way: WayFast}] != 1 || n[counter] != 1 {
			t.Errorf("%+v", n)
		}
	})
}

// What a stream, and the configuration, say of the beginning goes to the sender.
func TestFeed(t *testing.T) {
	onBench(t, Terms{Start: 1}, Options{PaceBits: 7}, func(b *bench) {
		p := b.source("main", picture)
		_, v := b.play(PlayRequest{})
		b.write(p)
		v.connect()
		synctest.Wait()
		if v.feed.Stream != b.stream || v.feed.Rendition != "main" || v.feed.Start != 1 || v.feed.PaceBits != 7 {
			t.Errorf("%+v", v.feed)
		}
		if got := v.drain(); len(got) != 1 {
			t.Errorf("%v instead of the picture that was there", got)
		}
	})
}

// A viewer costs one goroutine of the session's, from its answer to its end, beside those of its sender.
func TestGoroutinesOfAViewer(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		b.source("main", picture)
		const viewers, few = 50, 5 // goroutines that have told their end may still be counted
		before := runtime.NumGoroutine()
		for range viewers {
			b.play(PlayRequest{})
		}
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n > viewers+few {
			t.Errorf("%d goroutines for %d viewers that connect", n, viewers)
		}
		for i := range viewers {
			b.fake.sender(i).connect()
		}
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n > 2*viewers+few { // the fake sender has one
			t.Errorf("%d goroutines for %d viewers and as many senders", n, viewers)
		}
	})
}

// While nothing happens a viewer's session does nothing: no timer is set for it.
func TestQuietViewer(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		p := b.source("main", picture)
		s, v := b.play(PlayRequest{})
		v.connect()
		b.write(p)
		time.Sleep(2 * lookInterval) // what was under way comes to rest
		began := time.Now()
		timeout := time.AfterFunc(24*time.Hour, func() {})
		defer timeout.Stop()
		w := newWatch(s.viewer)
		w.step = nil
		w.limit.stop()
		if err := w.look(); err != nil {
			t.Fatal(err)
		}
		if w.tick.isSet || w.idle.isSet || w.limit.isSet {
			t.Errorf("a timer is set: %+v", w)
		}
		l := s.Listen()
		defer l.Close()
		if err := w.look(); err != nil || !w.tick.isSet {
			t.Errorf("nobody counts the viewers for those who listen: %v", err)
		}
		w.stop()
		if time.Since(began) != 0 {
			t.Error("time has passed")
		}
	})
}

// However many viewers come and go, one that stays looks ten times a second at most, and sees the newest in the end.
func TestManyChanges(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		b.source("main", picture)
		s, v := b.play(PlayRequest{})
		v.connect()
		synctest.Wait()
		w := newWatch(s.viewer)
		w.limit.stop()
		for n := range maxLooks + 1 {
			if n > 0 && w.changed == nil {
				t.Fatalf("blind after %d looks", n)
			}
			if err := w.look(); err != nil {
				t.Fatal(err)
			}
		}
		if w.changed != nil || !w.tick.isSet {
			t.Errorf("it looks again before the tick, which is set: %v", w.tick.isSet)
		}
		if err := w.lookAround(); err != nil || w.changed == nil || w.looks != 1 {
			t.Errorf("after the tick: %v, %d looks", err, w.looks)
		}
		w.stop()
	})
}

// A thousand viewers at once are let in up to the limit, and all others told when to come again; a place that is given
// back is given to the next.
func TestThousandViewersAtOnce(t *testing.T) {
	onBench(t, Terms{}, Options{Limits: Limits{HalfOpen: 64}, Log: slog.New(slog.DiscardHandler)}, func(b *bench) {
		b.source("main", picture)
		var mu sync.Mutex
		var wave sync.WaitGroup
		served, refused := 0, 0
		for i := range 1000 {
			wave.Go(func() {
				_, _, err := b.Play(context.WithoutCancel(t.Context()), PlayRequest{
					Stream: "cam", Offer: viewerOffer, RemoteAddress: fmt.Sprintf("192.0.2.%d:5", i%250),
				})
				mu.Lock()
				defer mu.Unlock()
				var r *Refusal
				switch {
				case err == nil:
					served++
				case errors.As(err, &r) && r.Reason == ReasonLimit && r.RetryAfter > 0:
					refused++
				default:
					t.Errorf("%v", err)
				}
			})
		}
		wave.Wait()
		if served != 64 || refused != 936 {
			t.Errorf("%d served, %d refused", served, refused)
		}
		b.fake.sender(0).lose(&transport.UnreachableError{})
		synctest.Wait()
		if _, _, err := b.Play(t.Context(), PlayRequest{Stream: "cam", Offer: viewerOffer}); err != nil {
			t.Errorf("after one has gone: %v", err)
		}
	})
}
