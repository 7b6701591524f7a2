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
	"sluice/negotiation"
	"sluice/peer"
	"sluice/transport"
)

// drain reads what the viewer was sent, as the names of the renditions.
func (s *fakeSender) drain() []string {
	var names []string
	for {
		select {
		case u := <-s.sent:
			names = append(names, u.Track.Rendition)
		default:
			return names
		}
	}
}

// B16: a viewer gets the best that it wishes for, and another as renditions come, go and grow, always from a keyframe on.
func TestViewerSwitches(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		low := b.source("l", sized(320, 180))
		s, v := b.play(PlayRequest{MaxWidth: 640})
		v.connect()
		synctest.Wait()
		b.write(low)
		if got := v.drain(); !slices.Equal(got, []string{"l"}) {
			t.Fatalf("at first: %v", got)
		}
		middle := b.source("m", sized(640, 360))
		high := b.source("h", sized(1280, 720))
		synctest.Wait()
		b.write(low)
		if got := v.drain(); !slices.Equal(got, []string{"l"}) {
			t.Errorf("before the better one's keyframe: %v", got)
		}
		b.write(middle)
		b.write(low)
		b.write(high)
		if got := v.drain(); !slices.Equal(got, []string{"m"}) {
			t.Errorf("after it: %v", got)
		}
		if err := s.SelectLayer(LayerChoice{RID: "h"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		b.write(high)
		b.write(middle)
		if got := v.drain(); !slices.Equal(got, []string{"h"}) {
			t.Errorf("after a choice: %v", got)
		}
		high.Close()
		synctest.Wait()
		b.write(low)
		b.write(middle)
		if got := v.drain(); !slices.Equal(got, []string{"m"}) {
			t.Errorf("without the chosen one: %v", got)
		}
		if err := s.SelectLayer(LayerChoice{}); err != nil {
			t.Fatal(err)
		}
		if err := middle.Update(sized(800, 450)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		b.write(low)
		if got := v.drain(); !slices.Equal(got, []string{"l"}) {
			t.Errorf("after one has grown: %v", got)
		}
		want := []Layer{{RID: "m", Width: 800, Height: 450}, {RID: "l", Width: 320, Height: 180, Active: true}}
		if got := s.Layers(); !slices.Equal(got, want) {
			t.Errorf("layers %+v, want %+v", got, want)
		}
	})
}

// B12: a viewer's wishes for a keyframe go to the rendition that it reads, and to that which it goes over to.
func TestViewerWantsKeyframes(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		low := b.source("l", sized(320, 180))
		asked := func(p *hub.Publisher) bool {
			select {
			case <-p.KeyframeRequests():
				return true
			default:
				return false
			}
		}
		_, v := b.play(PlayRequest{})
		if asked(low) {
			t.Error("asked for a viewer that is not connected")
		}
		v.connect()
		synctest.Wait()
		if !asked(low) {
			t.Error("not asked for the first keyframe")
		}
		b.write(low)
		high := b.source("h", sized(1280, 720))
		synctest.Wait()
		if !asked(high) || asked(low) {
			t.Error("not asked for a keyframe to switch at")
		}
		time.Sleep(lookInterval)
		synctest.Wait()
		if !asked(high) || asked(low) {
			t.Error("not asked again for a keyframe that did not come")
		}
		time.Sleep(lookInterval / 2)
		v.wantsKeyframe()
		if !asked(high) || !asked(low) {
			t.Error("the viewer's wish while it goes over went astray")
		}
		b.write(high)
		time.Sleep(time.Second)
		v.wantsKeyframe()
		if !asked(high) || asked(low) {
			t.Error("the viewer's wish went astray")
		}
	})
}

// B16, J23: choices that can't be followed.
func TestSelectLayerRefusals(t *testing.T) {
	onBench(t, Terms{Publish: true}, Options{}, func(b *bench) {
		p, r := b.publish("", layeredOffer)
		r.connect()
		r.sends("h", true)
		v, _ := b.play(PlayRequest{})
		for name, c := range map[string]struct {
			session *Session
			choice  LayerChoice
			want    Reason
		}{
			"there":           {v, LayerChoice{RID: "h"}, ""},
			"not there":       {v, LayerChoice{RID: "m"}, ReasonLayer},
			"no layer":        {v, LayerChoice{RID: strings.Repeat("x", 1000)}, ReasonLayer},
			"no such width":   {v, LayerChoice{MaxWidth: -1}, ReasonMalformedLayer},
			"no such height":  {v, LayerChoice{MaxHeight: -1}, ReasonMalformedLayer},
			"no such bitrate": {v, LayerChoice{MaxBitrate: -1}, ReasonMalformedLayer},
			"of a publisher":  {p, LayerChoice{}, ReasonLayer},
		} {
			if err := c.session.SelectLayer(c.choice); reasonOf(err) != c.want || err != nil && len(err.Error()) > 200 {
				t.Errorf("%s: %v, want %s", name, err, c.want)
			}
		}
		if p.Layers() != nil {
			t.Error("a publisher has layers")
		}
	})
}

// Of renditions, only those are sent that the viewer can take; if none is left it is told to come again.
func TestViewerGetsWhatItCanTake(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		big := avc
		big.Width, big.Height = 1920, 1080
		first := b.source("big", big)
		low := b.source("low", sized(320, 180))
		s, v := b.play(PlayRequest{Offer: vp8Offer})
		v.connect()
		l := s.Listen(EventReconnect)
		synctest.Wait()
		b.write(first)
		b.write(low)
		if got := v.drain(); !slices.Equal(got, []string{"low"}) || len(s.Layers()) != 1 {
			t.Errorf("%v, %+v", got, s.Layers())
		}
		low.Close()
		synctest.Wait()
		if !isDone(s) || !errors.As(s.endedBy(), new(*SourceChangedError)) {
			t.Errorf("%v", s.endedBy())
		}
		if got, err := rest(l); len(got) != 1 || !errors.Is(err, ErrSessionOver) {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// B10: a waiting viewer is answered at once, with what the stream sent last or what most send, and gets media when
// there is a source.
func TestWaitingViewer(t *testing.T) {
	for name, c := range map[string]struct {
		last   []media.Track
		offer  string
		expect media.Codec
		source media.Track
		ends   bool
	}{
		"never published":              {nil, viewerOffer, media.H264, avc, false},
		"never published, VP8 only":    {nil, vp8Offer, media.VP8, picture, false},
		"published before":             {[]media.Track{picture, sound}, viewerOffer, media.VP8, picture, false},
		"published before, comes else": {[]media.Track{picture, sound}, viewerOffer, media.VP8, avc, true},
		"another than most send":       {nil, viewerOffer, media.H264, picture, true},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, publishing, Options{}, func(b *bench) {
				if c.last != nil {
					b.source("main", c.last...).Close()
				}
				began := time.Now()
				s, v := b.play(PlayRequest{Offer: c.offer, Wait: true})
				if video := s.Info().Choices[1]; time.Since(began) > 0 || video.Track.Codec != c.expect {
					t.Errorf("after %v: %+v", time.Since(began), video)
				}
				v.connect()
				l := s.Listen(EventActive, EventInactive, EventReconnect)
				defer l.Close()
				time.Sleep(30 * time.Second)
				p := b.source("h", c.source)
				synctest.Wait()
				if !c.ends {
					b.write(p)
				}
				got, _ := rest(l)
				want, sent := []EventKind{EventInactive, EventActive}, 1
				if c.ends {
					want, sent = []EventKind{EventInactive, EventReconnect}, 0
				}
				if !slices.Equal(kinds(got), want) || len(v.drain()) != sent || isDone(s) != c.ends {
					t.Errorf("%v, ended by %v", kinds(got), s.endedBy())
				}
			})
		})
	}
}

// B10, B11: a viewer without a source is let go after viewer_idle_timeout, which begins anew with each loss.
func TestIdleViewer(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		s, v := b.play(PlayRequest{Wait: true})
		v.connect()
		time.Sleep(59 * time.Second)
		p := b.source("main", avc)
		time.Sleep(time.Hour)
		p.Close()
		time.Sleep(59 * time.Second)
		if isDone(s) {
			t.Fatal("let go too early")
		}
		time.Sleep(2 * time.Second)
		if !isDone(s) || !errors.Is(s.endedBy(), ErrSourceGone) {
			t.Errorf("%v", s.endedBy())
		}
	})
}

// B10: a stream that nobody publishes is refused at once, to the patient after 4 s; a publisher on its way is waited for.
func TestNobodyPublishes(t *testing.T) {
	onBench(t, publishing, Options{}, func(b *bench) {
		for _, c := range []struct {
			patient     bool
			wait, retry time.Duration
		}{{false, 0, 2 * time.Second}, {true, 4 * time.Second, 0}} {
			began := time.Now()
			_, _, err := b.Play(b.t.Context(), PlayRequest{Stream: "cam", Offer: viewerOffer, Patient: c.patient})
			r := refusalOf(err)
			if time.Since(began) != c.wait || r.Reason != ReasonSourceOffline || r.RetryAfter != c.retry || r.Error() != `nobody publishes to stream "cam" now` {
				t.Errorf("after %v: %+v", time.Since(began), r)
			}
		}
		b.stream.SetState(hub.StateFailed, errors.New("the camera refuses"))
		began := time.Now()
		if err := errorOf(b.Play(b.t.Context(), PlayRequest{Stream: "cam", Offer: viewerOffer})); reasonOf(err) != ReasonSourceOffline || time.Since(began) > 0 {
			t.Errorf("a source that has failed: %v after %v", err, time.Since(began))
		}
		b.stream.SetState(hub.StateIdle, nil)
		_, r := b.publish("", publisherOffer)
		began = time.Now()
		_, _, err := b.Play(b.t.Context(), PlayRequest{Stream: "cam", Offer: viewerOffer})
		if refusal := refusalOf(err); refusal.Error() != `stream "cam" has no picture yet: its source is connecting` || time.Since(began) != 4*time.Second { // A13
			t.Errorf("with a publisher who sends nothing: %v after %v", err, time.Since(began))
		}
		go func() {
			time.Sleep(3 * time.Second)
			r.connect()
			r.calls <- func(s peer.Sink) { s.Track("", picture); s.Unit("", "video", unit(true)) }
		}()
		b.play(PlayRequest{})
	})
}

// B15: what a viewer is told of its stream. Who begins to listen is told the present state, by age: the order of kinds
// means nothing to a client, and here is that of a session that has looked at its stream already.
func TestViewerEvents(t *testing.T) {
	onBench(t, publishing, Options{}, func(b *bench) {
		high := b.source("h", sized(1280, 720))
		low := b.source("l", sized(320, 180))
		s, v := b.play(PlayRequest{})
		synctest.Wait()
		l := s.Listen()
		defer l.Close()
		step := func(what string, want ...EventKind) []Event {
			t.Helper()
			synctest.Wait()
			got, _ := rest(l)
			if !slices.Equal(kinds(got), want) {
				t.Errorf("%s: %v, want %v", what, kinds(got), want)
			}
			return got
		}
		step("at first", EventActive, EventLayers, EventViewerCount)
		v.connect()
		synctest.Wait()
		b.write(high)
		if got := step("the picture comes", EventLayers); len(got) == 1 && !got[0].Layers[0].Active {
			t.Errorf("%+v", got)
		}
		for range 3 {
			_, other := b.play(PlayRequest{})
			other.connect()
		}
		time.Sleep(900 * time.Millisecond)
		step("others come, less than a second ago")
		time.Sleep(200 * time.Millisecond)
		if got := step("others come", EventViewerCount); len(got) == 1 && got[0].Viewers != 4 {
			t.Errorf("%+v", got)
		}
		low.Close()
		if got := step("a layer goes", EventLayers); len(got) == 1 && len(got[0].Layers) != 1 {
			t.Errorf("%+v", got)
		}
		high.Close()
		step("the source goes", EventInactive, EventLayers)
		time.Sleep(10 * time.Second)
		step("nothing happens")
		b.source("h", sized(1280, 720))
		step("the source returns", EventActive, EventLayers)
		go b.Close()
		step("the gateway stops", EventReconnect) // I33
		if _, err := rest(l); !errors.Is(err, ErrSessionOver) {
			t.Error(err)
		}
	})
}

// B14: a viewer that takes nothing holds up neither the source nor another one.
func TestStuckViewer(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		p := b.source("main", picture)
		_, stuck := b.play(PlayRequest{})
		_, other := b.play(PlayRequest{})
		stuck.sent = nil // it waits for ever to send
		stuck.connect()
		other.connect()
		synctest.Wait()
		for range 500 {
			b.write(p)
		}
		if n := len(other.drain()); n != 500 {
			t.Errorf("the other got %d units", n)
		}
		stuck.lose(transport.ErrPeerLeft)
	})
}

// B11: a source that returns and of which too little is known yet ends nobody's session, under the strict policy as well.
func TestSourceReturnsUnknown(t *testing.T) {
	strict := Options{Policy: negotiation.Policy{H264: negotiation.H264Strict}}
	onBench(t, Terms{}, strict, func(b *bench) {
		p := b.source("main", avc)
		s, v := b.play(PlayRequest{})
		v.connect()
		synctest.Wait()
		p.Close()
		unknown := avc
		unknown.Profile = media.VideoProfile{}
		p = b.source("main", unknown)
		synctest.Wait()
		if isDone(s) {
			t.Fatalf("%v", s.endedBy())
		}
		if err := p.Update(avc); err != nil {
			t.Fatal(err)
		}
		b.write(p)
		if len(v.drain()) != 1 || isDone(s) {
			t.Errorf("nothing arrives: %v", s.endedBy())
		}
	})
}

// I33: those who wait for a source when the gateway stops are told at once.
func TestCloseWhileWaiting(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		b.stream.SetState(hub.StateConnecting, nil)
		refused := make(chan error, 1)
		go func() {
			_, _, err := b.Play(b.t.Context(), PlayRequest{Stream: "cam", Offer: viewerOffer})
			refused <- err
		}()
		time.Sleep(time.Second)
		began := time.Now()
		b.Close()
		if err := <-refused; reasonOf(err) != ReasonShutdown || time.Since(began) > 0 {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		for name, err := range map[string]error{
			"Play":    errorOf(b.Play(b.t.Context(), PlayRequest{Stream: "cam", Offer: viewerOffer})),
			"Offer":   errorOf(b.Offer(b.t.Context(), PlayRequest{Stream: "cam"})),
			"Publish": errorOf(b.Publish(b.t.Context(), PublishRequest{Stream: "cam", Offer: publisherOffer})),
		} {
			if reasonOf(err) != ReasonShutdown {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// No session begins on terms that a reload has ended while it was made: nobody would end it. Who waits is told at once.
func TestTermsOfThePast(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		past := make(chan struct{})
		b.streams = InHub(b.streams.(inHub).hub, Terms{Publish: true, Past: past})
		refused := make(chan error, 1)
		go func() {
			refused <- errorOf(b.Play(b.t.Context(), PlayRequest{Stream: "cam", Offer: viewerOffer, Patient: true}))
		}()
		time.Sleep(time.Second)
		began := time.Now()
		close(past)
		if err := <-refused; reasonOf(err) != ReasonAltered || time.Since(began) > 0 {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		for name, err := range map[string]error{
			"Play":    errorOf(b.Play(b.t.Context(), PlayRequest{Stream: "cam", Offer: viewerOffer, Wait: true})),
			"Offer":   errorOf(b.Offer(b.t.Context(), PlayRequest{Stream: "cam", Wait: true})),
			"Publish": errorOf(b.Publish(b.t.Context(), PublishRequest{Stream: "cam", Offer: publisherOffer})),
		} {
			if r := new(Refusal); !errors.As(err, &r) || r.Reason != ReasonAltered || r.RetryAfter != retryAltered {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := len(b.Sessions()); n != 0 || b.desk.taken("cam") {
			t.Errorf("%d sessions have begun, or the stream is taken", n)
		}
	})
}

func errorOf(_ *Session, _ string, err error) error { return err }

// A wish for a bit rate counts from the first decision on, and is followed with 10 % to either side.
func TestViewerFollowsBitrate(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		high, low := b.source("h", sized(1280, 720)), b.source("l", sized(320, 180))
		var v *fakeSender
		flow := func(kbps int) (reading string) {
			for range 50 {
				time.Sleep(100 * time.Millisecond)
				for p, size := range map[*hub.Publisher]int{high: kbps * 1000 / 8 / 10, low: 100} {
					now := time.Now()
					au := &media.AccessUnit{PTS: media.PTS(now, 90000), Arrived: now, Keyframe: true, Data: [][]byte{make([]byte, size)}}
					if err := p.Write("video", au); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				if v == nil {
					continue
				}
				if sent := v.drain(); len(sent) > 0 {
					reading = sent[len(sent)-1]
				}
			}
			return reading
		}
		flow(1050)
		s, first := b.play(PlayRequest{MaxBitrate: 1000})
		if w := s.Info().Choices[1].Track.Width; w != 320 {
			t.Errorf("decided on the picture of width %d", w)
		}
		v = first
		v.connect()
		for _, c := range []struct {
			kbps int
			want string
		}{{950, "l"}, {850, "h"}, {950, "h"}, {1050, "h"}, {1200, "l"}, {950, "l"}, {850, "h"}} {
			if got := flow(c.kbps); got != c.want {
				t.Errorf("at %d kbit/s: %q, want %q", c.kbps, got, c.want)
			}
		}
	})
}
