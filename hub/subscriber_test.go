package hub_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/hub"
	"sluice/media"
)

// E50, B12: a viewer begins at a keyframe: the next one, or the newest that is held, never an older one. What the ring
// holds of sound is old by then.
func TestJoiningAtAnyPointOfAGOP(t *testing.T) {
	const before, after = "KapapKapap", "apKappK"
	for n := range len(before) + 1 {
		for start, name := range map[hub.Start]string{hub.StartKeyframe: "keyframe", hub.StartGOP: "gop"} {
			t.Run(fmt.Sprintf("%s after %q", name, before[:n]), func(t *testing.T) {
				s := newStream(t, hub.Options{})
				p := publish(t, s, "main", video, audio)
				play(t, p, before[:n])
				sub := subscribe(t, s, "main", start)
				play(t, p, before[n:]+after)
				want := before[n:] + after
				if gop := strings.LastIndexByte(before[:n], 'K'); start == hub.StartGOP && gop >= 0 {
					want = strings.ReplaceAll(before[gop:n], "a", "") + want
				}
				want = want[strings.IndexByte(want, 'K'):]
				if got := drain(sub); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
	}
}

func TestAudioOnlyBeginsAtOnce(t *testing.T) {
	s := newStream(t, hub.Options{})
	p := publish(t, s, "main", audio)
	sub := subscribe(t, s, "main", hub.StartKeyframe)
	play(t, p, "aaa")
	if got := drain(sub); got != "aaa" {
		t.Errorf("got %q", got)
	}
}

// A reader that slept longer than the ring holds goes on at the newest keyframe; what it lost is counted, and
// the writer never waited for it.
func TestSlowReaderGoesOnAtTheNewestKeyframe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStream(t, hub.Options{})
		p := publish(t, s, "main", video, audio)
		sub := subscribe(t, s, "main", hub.StartKeyframe)
		for range 20 {
			play(t, p, "Kaapaapaap")
			time.Sleep(time.Second)
		}
		got := drain(sub)
		if want := strings.Repeat("Kaapaapaap", len(got)/10); got != want || len(got) > 40 {
			t.Errorf("got %d units: %q", len(got), got)
		}
		if n := sub.Dropped()[hub.DropTooSlow]; n != uint64(200-len(got)) {
			t.Errorf("%d counted as dropped, %d were", n, 200-len(got))
		}
		if n := s.Stats().Dropped[hub.DropTooSlow]; n != sub.Dropped()[hub.DropTooSlow] {
			t.Errorf("the stream counts %d", n)
		}
	})
}

// With a GOP longer than the ring there is no keyframe to go back to: sound goes on at once, the picture with
// the next keyframe.
func TestSlowReaderOfALongGOPHearsBeforeItSees(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStream(t, hub.Options{})
		p := publish(t, s, "main", video, audio)
		sub := subscribe(t, s, "main", hub.StartKeyframe)
		play(t, p, "K")
		drain(sub)
		for range 30 {
			play(t, p, "pa")
			time.Sleep(time.Second)
		}
		drain(sub)
		if len(p.KeyframeRequests()) != 1 {
			t.Error("no keyframe is asked for")
		}
		play(t, p, "papaKpa")
		if got := drain(sub); got != "aaKpa" {
			t.Errorf("got %q", got)
		}
		if sub.Dropped()[hub.DropWaitingKeyframe] == 0 {
			t.Error("pictures skipped on the way to the keyframe are not counted")
		}
	})
}

func TestRingIsBoundedByBytesAndAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStream(t, hub.Options{RingMaxAge: 5 * time.Second, RingMaxBytes: 10_000})
		p := publish(t, s, "main", video, audio)
		for range 50 {
			play(t, p, "Kppppppppp")
		}
		if b := s.Stats().RingBytes; b > 10_000 || b < 9_000 {
			t.Errorf("%d bytes held", b)
		}
		for range 10 {
			time.Sleep(time.Second)
			play(t, p, "p")
		}
		if b := s.Stats().RingBytes; b > 600 {
			t.Errorf("%d bytes are older than 5 s", b)
		}
		play(t, p, "K")
		time.Sleep(3 * time.Second)
		play(t, p, "p")
		if b := s.Stats().RingBytes; b != 200 {
			t.Errorf("%d bytes held: older than the GOP and 2 s should be freed", b)
		}
	})
}

// E4: a source that comes back after a loss goes on under the same subscribers, at its first keyframe.
func TestSubscribersSurviveAReconnectingPublisher(t *testing.T) {
	s := newStream(t, hub.Options{})
	p := publish(t, s, "main", video, audio)
	sub := subscribe(t, s, "main", hub.StartKeyframe)
	play(t, p, "Kap")
	if got := drain(sub); got != "Kap" {
		t.Errorf("before: %q", got)
	}
	p.Close()
	if got := drain(sub); got != "" {
		t.Errorf("between: %q", got)
	}
	p = publish(t, s, "main", video, audio)
	play(t, p, "apapKapp")
	if got := drain(sub); got != "aaKapp" {
		t.Errorf("after: %q", got)
	}
}

func TestSwitchingRenditionsAtAKeyframe(t *testing.T) {
	s := newStream(t, hub.Options{})
	high, low := publish(t, s, "main", video), publish(t, s, "low", video)
	sub := subscribe(t, s, "main", hub.StartKeyframe)
	rendition := func() (r []string) {
		for {
			u, ok := sub.TryNext()
			if !ok {
				return r
			}
			r = append(r, u.Track.Rendition)
		}
	}
	step := func(name, wantRenditions string, f func()) {
		t.Helper()
		f()
		if got := strings.Join(rendition(), " "); got != wantRenditions {
			t.Errorf("%s: got %q, want %q", name, got, wantRenditions)
		}
	}
	step("high at first", "main main", func() { play(t, high, "Kp"); play(t, low, "Kp") })
	step("high until low has a keyframe", "main", func() {
		sub.SelectRendition("low")
		drain(sub)
		play(t, low, "p")
		play(t, high, "p")
	})
	step("low from its keyframe", "low low", func() { play(t, low, "Kp"); play(t, high, "Kp") })
	step("a rendition that is not there is waited for", "low", func() {
		sub.SelectRendition("tiny")
		drain(sub)
		play(t, low, "p")
	})
	step("and back again", "main main", func() {
		sub.SelectRendition("main")
		drain(sub)
		play(t, high, "Kp")
	})
	select {
	case <-low.KeyframeRequests():
	default:
		t.Error("the rendition switched to was not asked for a keyframe")
	}
}

// B12: wishes of many viewers are one request each 500 ms; one that came too soon is passed on later, unless a
// keyframe has come meanwhile.
func TestKeyframeRequestsAreMerged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStream(t, hub.Options{})
		p := publish(t, s, "main", video)
		asked := func() int {
			select {
			case <-p.KeyframeRequests():
				return 1
			default:
				return 0
			}
		}
		for range 100 {
			subscribe(t, s, "main", hub.StartKeyframe).RequestKeyframe()
		}
		if asked() != 1 || asked() != 0 {
			t.Error("100 wishes at once are not one request")
		}
		time.Sleep(400 * time.Millisecond)
		play(t, p, "p")
		if asked() != 0 {
			t.Error("a second request within 500 ms")
		}
		time.Sleep(200 * time.Millisecond)
		play(t, p, "p")
		if asked() != 1 {
			t.Error("the wishes that came too soon are lost")
		}
		subscribe(t, s, "main", hub.StartKeyframe).RequestKeyframe()
		play(t, p, "K")
		time.Sleep(time.Second)
		play(t, p, "p")
		if asked() != 0 {
			t.Error("a wish that a keyframe has fulfilled was passed on")
		}
		if st := s.Stats(); st.KeyframesWanted != 101 || st.KeyframesAsked != 2 {
			t.Errorf("counted %d wishes, %d requests", st.KeyframesWanted, st.KeyframesAsked)
		}
	})
}

// wakeFunc is a waker that does something.
type wakeFunc struct{ wake func() }

func (f *wakeFunc) Wake() { f.wake() }

// A wish that comes as a keyframe is written is of somebody who may have come too late for that one.
func TestKeyframeRequestWhileAKeyframeIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStream(t, hub.Options{})
		p := publish(t, s, "main", video)
		s.RequestKeyframe("main")
		if asked(p) != 1 {
			t.Fatal("the first wish is not passed on at once")
		}
		var late *hub.Subscriber
		joins := &wakeFunc{func() {
			if late == nil {
				late = subscribe(t, s, "main", hub.StartKeyframe)
				late.RequestKeyframe()
			}
		}}
		sub, err := s.SubscribeWith("main", hub.StartKeyframe, joins)
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		play(t, p, "K")
		time.Sleep(500 * time.Millisecond)
		play(t, p, "p")
		if asked(p) != 1 {
			t.Error("the wish is lost")
		}
	})
}

func TestClosingInEveryOrder(t *testing.T) {
	for order := range 24 {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			h := hub.New(hub.Options{})
			s, _ := h.Create("cam")
			p := publish(t, s, "main", video)
			q := publish(t, s, "low", video)
			a := subscribe(t, s, "main", hub.StartKeyframe)
			b := subscribe(t, s, "low", hub.StartGOP)
			b.SelectRendition("main")
			b.TryNext()
			ends := []func(){p.Close, q.Close, a.Close, b.Close}
			for i, n := 3, order; i >= 0; i-- {
				k := n % (i + 1)
				ends[k]()
				ends = append(ends[:k], ends[k+1:]...)
				n /= i + 1
				drain(a)
				drain(b)
			}
			h.Close()
			if s.Wanted() || s.Tracks("main") != nil {
				t.Error("something is left")
			}
			if _, err := s.Publish("main", nil); err == nil {
				t.Error("a removed stream takes publishers")
			}
			if _, err := s.Subscribe("main", hub.StartGOP); err == nil {
				t.Error("a removed stream takes subscribers")
			}
		})
	}
}

// Readers at different speeds beside a writer: each sees indexes that only grow, and a keyframe after each gap.
func TestConcurrentReadersNeverSeeABrokenGOP(t *testing.T) {
	s := newStream(t, hub.Options{RingMaxBytes: 20_000})
	p := publish(t, s, "main", video)
	done := make(chan struct{})
	errs := make(chan error, 8)
	for i := range 8 {
		sub := subscribe(t, s, "main", hub.Start(i%2))
		go func() { errs <- readUntil(sub, done, i) }()
	}
	for i := range 20_000 {
		if err := p.Write("video", &media.AccessUnit{
			Arrived: time.Now(), Keyframe: i%30 == 0, Data: [][]byte{make([]byte, 100)},
		}); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func readUntil(sub *hub.Subscriber, done <-chan struct{}, seed int) error {
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	var last uint64
	for {
		u, ok := sub.TryNext()
		switch {
		case ok && u.Index <= last:
			return fmt.Errorf("index %d after %d", u.Index, last)
		case ok && u.Index != last+1 && !u.Keyframe:
			return fmt.Errorf("index %d after %d is no keyframe", u.Index, last)
		case ok:
			last = u.Index
		}
		if !ok || r.IntN(100) == 0 {
			select {
			case <-done:
				return nil
			case <-sub.Wake():
			}
		}
	}
}
