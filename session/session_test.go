package session_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/pion/rtp"
	"go.uber.org/goleak"

	"sluice/hub"
	"sluice/internal/testpeer"
	"sluice/internal/testviewer"
	"sluice/media"
	"sluice/negotiation"
	"sluice/peer"
	"sluice/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

var vp8 = media.Track{ID: "video", Kind: media.Video, Codec: media.VP8, ClockRate: 90000}

// house is a hub with one stream and real connections.
type house struct {
	stream  *hub.Stream
	manager *session.Manager
}

func newHouse(t *testing.T, o session.Options) *house {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	engine := testpeer.New(t, peer.Options{})
	h := hub.New(hub.Options{})
	stream, err := h.Create("cam")
	if err != nil {
		t.Fatal(err)
	}
	m := session.New(session.InHub(h, session.Terms{}), session.On(engine, nil), o)
	t.Cleanup(func() {
		m.Close()
		h.Close()
	})
	return &house{stream: stream, manager: m}
}

func (h *house) publish(t *testing.T, track media.Track) *hub.Publisher {
	t.Helper()
	p, err := h.stream.Publish(media.MainRendition, []media.Track{track})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newViewer(t *testing.T, o testviewer.Options) (v *testviewer.Viewer, offer string) {
	t.Helper()
	v, err := testviewer.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	if offer, err = v.Offer(); err != nil {
		t.Fatal(err)
	}
	return v, offer
}

// video offers VP8 first, as browsers do, and H264.
var video = testviewer.Options{Video: []testviewer.Codec{testviewer.VP8, testviewer.H264}}

func (h *house) play(t *testing.T, offer string) (s *session.Session, answer string) {
	t.Helper()
	s, answer, err := h.manager.Play(t.Context(), session.PlayRequest{Stream: "cam", Offer: offer, Protocol: "test", RemoteAddress: "127.0.0.1:5", Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	return s, answer
}

// watch makes a session and waits until it is connected.
func (h *house) watch(t *testing.T) (*session.Session, *testviewer.Viewer) {
	t.Helper()
	v, offer := newViewer(t, video)
	s, answer := h.play(t, offer)
	if err := v.Accept(answer); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); s.Info().State != session.StateConnected; <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never connected")
		}
	}
	return s, v
}

func write(t *testing.T, p *hub.Publisher) {
	t.Helper()
	now := time.Now()
	err := p.Write("video", &media.AccessUnit{PTS: media.PTS(now, 90000), Arrived: now, Keyframe: true, Data: [][]byte{{0x10, 0, 0, 0x9d, 1, 0x2a, 1, 0, 1, 0}}})
	if err != nil {
		t.Fatal(err)
	}
}

// receive writes keyframes until one arrives.
func receive(t *testing.T, p *hub.Publisher, v *testviewer.Viewer) *rtp.Packet {
	t.Helper()
	for end := time.After(patience); ; {
		write(t, p)
		select {
		case got := <-v.Video:
			return got
		case <-time.After(20 * time.Millisecond):
		case <-end:
			t.Fatal("no packet arrived")
		}
	}
}

func awaitDone(t *testing.T, s *session.Session) {
	t.Helper()
	select {
	case <-s.Done():
	case <-time.After(patience):
		t.Fatal("the session never ended")
	}
}

// A79: sessions that never connect are freed.
func TestNeverConnected(t *testing.T) {
	h := newHouse(t, session.Options{ICETimeout: 200 * time.Millisecond})
	h.publish(t, vp8)
	_, offer := newViewer(t, video)
	var all []*session.Session
	for range 50 {
		s, _ := h.play(t, offer)
		all = append(all, s)
	}
	for _, s := range all {
		awaitDone(t, s)
		if s.Info().State != session.StateClosed {
			t.Error(s.Info().State)
		}
	}
	if n := len(h.manager.Sessions()); n != 0 || h.manager.Total() != 50 || h.stream.Wanted() {
		t.Errorf("%d sessions are left of %d; the stream is wanted: %v", n, h.manager.Total(), h.stream.Wanted())
	}
}

// B11, E4: viewers outlive a source that returns in time, on one line of sequence numbers.
func TestSourceGoesAndReturns(t *testing.T) {
	h := newHouse(t, session.Options{})
	p := h.publish(t, vp8)
	s, v := h.watch(t)
	last := receive(t, p, v)
	p.Close()
	<-time.After(50 * time.Millisecond)
	p = h.publish(t, vp8)
	for seen := 0; seen < 3; seen++ {
		next := receive(t, p, v)
		if next.SequenceNumber != last.SequenceNumber+1 || next.SSRC != last.SSRC || int32(next.Timestamp-last.Timestamp) <= 0 {
			t.Fatalf("%v follows %v", next.Header, last.Header)
		}
		last = next
	}
	select {
	case <-s.Done():
		t.Fatal("the session has ended")
	default:
	}
}

// B11: viewers of a source that does not return are let go.
func TestSourceGoesForGood(t *testing.T) {
	h := newHouse(t, session.Options{ViewerIdleTimeout: 500 * time.Millisecond})
	p := h.publish(t, vp8)
	s, _ := h.watch(t)
	gone := time.Now()
	p.Close()
	awaitDone(t, s)
	if took := time.Since(gone); took < 400*time.Millisecond || took > 10*time.Second {
		t.Errorf("the viewer was let go after %v", took)
	}
}

// B11, E44, E45: a source that now sends what the negotiated payload can't carry ends the session.
func TestSourceChanges(t *testing.T) {
	h264 := media.Track{
		ID: "video", Kind: media.Video, Codec: media.H264, ClockRate: 90000,
		Profile: media.VideoProfile{ProfileLevelID: [3]byte{0x42, 0xE0, 0x1F}, ChromaFormat: 1, Known: true},
	}
	main, bFrames := h264, h264
	main.Profile.ProfileLevelID = [3]byte{0x4D, 0x00, 0x1F}
	bFrames.BFrames = true
	for name, c := range map[string]struct {
		from, to media.Track
		policy   negotiation.H264Policy
		ends     bool
	}{
		"another codec":             {h264, vp8, "", true},
		"another codec, returning":  {vp8, h264, "", true},
		"B-frames":                  {h264, bFrames, "", true},
		"larger profile, lenient":   {h264, main, negotiation.H264Lenient, false},
		"larger profile, strict":    {h264, main, negotiation.H264Strict, true},
		"the same, known once more": {h264, h264, negotiation.H264Strict, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, session.Options{Policy: negotiation.Policy{H264: c.policy}})
			p := h.publish(t, c.from)
			s, v := h.watch(t)
			p.Close()
			p = h.publish(t, c.to)
			if !c.ends {
				receive(t, p, v)
				return
			}
			write(t, p)
			awaitDone(t, s)
		})
	}
}

// B10: a source that is being started is waited for; one that has failed is not. To the moment: TestNobodyPublishes.
func TestOnDemand(t *testing.T) {
	h := newHouse(t, session.Options{})
	_, offer := newViewer(t, video)
	request := session.PlayRequest{Stream: "cam", Offer: offer, Loopback: true}
	h.stream.SetState(hub.StateConnecting, nil)
	published := make(chan *hub.Publisher, 1)
	go func() {
		for changed := h.stream.Changed(); !h.stream.Wanted(); changed = h.stream.Changed() {
			<-changed
		}
		p, _ := h.stream.Publish(media.MainRendition, []media.Track{vp8})
		published <- p
	}()
	s, _, err := h.manager.Play(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	(<-published).Close()

	h.stream.SetState(hub.StateFailed, errors.New("the camera refuses"))
	began := time.Now()
	_, _, err = h.manager.Play(t.Context(), request)
	checkRefusal(t, err, session.ReasonSourceOffline, `stream "cam" is offline: the camera refuses`)
	if took := time.Since(began); took > 3900*time.Millisecond {
		t.Errorf("the refusal took %v", took)
	}
	h.stream.SetState(hub.StateConnecting, nil)
	began = time.Now()
	_, _, err = h.manager.Play(t.Context(), request)
	checkRefusal(t, err, session.ReasonSourceOffline, `stream "cam" has no picture yet: its source is connecting`)
	if took := time.Since(began); took < 3900*time.Millisecond || took > 20*time.Second { // A13
		t.Errorf("the refusal took %v", took)
	}
}

func checkRefusal(t *testing.T, err error, reason session.Reason, text string) {
	t.Helper()
	var r *session.Refusal
	if !errors.As(err, &r) || r.Reason != reason || text != "" && r.Error() != text {
		t.Errorf("%v, want %s: %s", err, reason, text)
	}
}

// The reason of each refusal.
func TestRefusals(t *testing.T) {
	h := newHouse(t, session.Options{})
	h.publish(t, vp8)
	_, good := newViewer(t, video)
	_, h264 := newViewer(t, testviewer.Options{Video: []testviewer.Codec{testviewer.H264}})
	for _, c := range []struct {
		stream, offer string
		want          session.Reason
	}{
		{"none", good, session.ReasonNoStream},
		{"cam", "hello", session.ReasonMalformedSDP},
		{"cam", string(make([]byte, 1<<20)), session.ReasonTooLarge},
		{"cam", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", session.ReasonUnservable},
		{"cam", h264, session.ReasonCodec},
	} {
		_, _, err := h.manager.Play(t.Context(), session.PlayRequest{Stream: c.stream, Offer: c.offer})
		checkRefusal(t, err, c.want, "")
	}
}

// I33: Close tells the viewers, refuses new ones and may be called twice.
func TestClose(t *testing.T) {
	h := newHouse(t, session.Options{})
	h.publish(t, vp8)
	s, v := h.watch(t)
	over := make(chan struct{})
	s.OnDone(func() {
		defer close(over)
		if n := len(h.manager.Sessions()); n != 0 {
			t.Errorf("%d sessions are known when the only one is said to be over", n)
		}
	})
	h.manager.Close()
	h.manager.Close()
	awaitDone(t, s)
	<-over
	if _, ok := h.manager.Session(s.ID()); ok {
		t.Error("the session is still known")
	}
	select {
	case <-v.Closed:
	case <-time.After(patience):
		t.Error("the viewer was not told")
	}
	_, offer := newViewer(t, video)
	_, _, err := h.manager.Play(context.Background(), session.PlayRequest{Stream: "cam", Offer: offer})
	checkRefusal(t, err, session.ReasonShutdown, "the gateway is shutting down")
	called := false
	s.OnDone(func() { called = true })
	if !called {
		t.Error("OnDone of a session that is over did not call")
	}
}

// A7: after Close nothing of the session is left, at once.
func TestSessionClose(t *testing.T) {
	h := newHouse(t, session.Options{})
	h.publish(t, vp8)
	s, _ := h.watch(t)
	began := time.Now()
	s.Close()
	if n := len(h.manager.Sessions()); n != 0 || h.stream.Viewers() != 0 || time.Since(began) > 10*time.Second {
		t.Errorf("%d sessions, %d viewers after %v", n, h.stream.Viewers(), time.Since(began))
	}
}

// A patient viewer is let in by the camera's coming, though the last try has failed; one who has waited in vain may
// ask again at once.
func TestPatientViewerWaitsForAFailedSource(t *testing.T) {
	h := newHouse(t, session.Options{})
	h.stream.SetState(hub.StateFailed, errors.New("the camera refuses"))
	changed := h.stream.Changed()
	published := make(chan *hub.Publisher, 1)
	go func() {
		<-changed // the viewer wants the stream
		p, _ := h.stream.Publish(media.MainRendition, []media.Track{vp8})
		published <- p
	}()
	_, offer := newViewer(t, video)
	patient := session.PlayRequest{Stream: "cam", Offer: offer, Loopback: true, Patient: true}
	s, _, err := h.manager.Play(t.Context(), patient)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	(<-published).Close()

	_, _, err = h.manager.Play(t.Context(), patient)
	var refusal *session.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != session.ReasonSourceOffline || refusal.RetryAfter != 0 {
		t.Errorf("after waiting: %+v", err)
	}
}
