package session_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sluice/hub"
	"sluice/internal/testpeer"
	"sluice/internal/testviewer"
	"sluice/peer"
	"sluice/session"
)

// publisher is a pion PeerConnection that sends.
type publisher struct {
	*webrtc.PeerConnection

	video *webrtc.TrackLocalStaticRTP
	plis  chan struct{}
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	pc := newPeerConnection(t)
	video, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, "video", "s")
	if err != nil {
		t.Fatal(err)
	}
	transceiver, err := pc.AddTransceiverFromTrack(video, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		t.Fatal(err)
	}
	c := &publisher{PeerConnection: pc, video: video, plis: make(chan struct{}, 100)}
	go func() {
		for {
			packets, _, err := transceiver.Sender().ReadRTCP()
			if err != nil {
				return
			}
			for _, p := range packets {
				if _, ok := p.(*rtcp.PictureLossIndication); !ok {
					continue
				}
				select {
				case c.plis <- struct{}{}:
				default:
				}
			}
		}
	}()
	return c
}

func newPeerConnection(t *testing.T, options ...func(*webrtc.API)) *webrtc.PeerConnection {
	t.Helper()
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() && ip.To4() != nil })
	pc, err := webrtc.NewAPI(append(options, webrtc.WithSettingEngine(settings))...).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	return pc
}

func describe(t *testing.T, pc *webrtc.PeerConnection, o *webrtc.OfferOptions) string {
	t.Helper()
	sdp, err := testviewer.Offer(pc, o)
	if err != nil {
		t.Fatal(err)
	}
	return sdp
}

func accept(t *testing.T, pc *webrtc.PeerConnection, answer string) {
	t.Helper()
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
}

// send sends keyframes, each in a packet of its own, until stop is closed.
func (c *publisher) send(stop <-chan struct{}) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for n := uint16(1); ; n++ {
		select {
		case <-tick.C:
		case <-stop:
			return
		}
		h := rtp.Header{Version: 2, Marker: true, SequenceNumber: n, Timestamp: 900 * uint32(n)}
		_ = c.video.WriteRTP(&rtp.Packet{Header: h, Payload: []byte{0x10, 0x10, 0, 0, 0x9d, 1, 0x2a, 16, 0, 16, 0, 0}})
	}
}

// sending has a publisher send until the test is over.
func (c *publisher) sending(t *testing.T) {
	t.Helper()
	stop := make(chan struct{})
	var sender sync.WaitGroup
	sender.Go(func() { c.send(stop) })
	t.Cleanup(func() { close(stop); sender.Wait() })
}

// publishHouse takes publishers. consent is how long a silent one is kept; 0: 30 s.
func publishHouse(t *testing.T, o session.Options, consent time.Duration) *house {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	engine := testpeer.New(t, peer.Options{ConsentTimeout: consent})
	h := hub.New(hub.Options{})
	stream, err := h.Create("cam")
	if err != nil {
		t.Fatal(err)
	}
	m := session.New(session.InHub(h, session.Terms{Publish: true}), session.On(engine, nil), o)
	t.Cleanup(func() {
		m.Close()
		h.Close()
	})
	return &house{stream: stream, manager: m}
}

func (h *house) take(t *testing.T, c *publisher) *session.Session {
	t.Helper()
	s, answer, err := h.manager.Publish(t.Context(), session.PublishRequest{
		Stream: "cam", Offer: describe(t, c.PeerConnection, nil), Protocol: "test", RemoteAddress: "127.0.0.1:5", Loopback: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	accept(t, c.PeerConnection, answer)
	return s
}

func awaitState(t *testing.T, s *session.Session, want session.State) {
	t.Helper()
	for end := time.Now().Add(patience); s.Info().State != want; <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never %s", want)
		}
	}
}

func awaitPacket(t *testing.T, v *testviewer.Viewer) *rtp.Packet {
	t.Helper()
	select {
	case p := <-v.Video:
		return p
	case <-time.After(patience):
		t.Fatal("no packet arrived")
		return nil
	}
}

// B12, A14: what a publisher sends reaches a viewer, whose wish for a keyframe reaches the publisher. A second session
// takes over without a break for the viewer.
func TestPublishAndPlay(t *testing.T) {
	h := publishHouse(t, session.Options{}, 0)
	first, second := newPublisher(t), newPublisher(t)
	s1 := h.take(t, first)
	first.sending(t)
	awaitState(t, s1, session.StateConnected)
	_, v := h.watch(t)
	last := awaitPacket(t, v)
	select {
	case <-first.plis:
	case <-time.After(patience):
		t.Error("the publisher was not asked for a keyframe")
	}
	s2 := h.take(t, second)
	second.sending(t)
	awaitDone(t, s1)
	awaitState(t, s2, session.StateConnected)
	for range 200 {
		next := awaitPacket(t, v)
		if next.SequenceNumber != last.SequenceNumber+1 || next.SSRC != last.SSRC {
			t.Fatalf("%v follows %v", next.Header, last.Header)
		}
		last = next
	}
	if i := s2.Info(); i.Received.Packets == 0 || i.Received.Bytes == 0 || i.Role != session.RolePublish {
		t.Errorf("%+v", i)
	}
}

// lines picks the lines of an SDP that begin so, each once.
func lines(sdp string, prefixes ...string) string {
	var all []string
	for line := range strings.SplitSeq(sdp, "\r\n") {
		for _, p := range prefixes {
			if strings.HasPrefix(line, p) && !slices.Contains(all, line) {
				all = append(all, line)
			}
		}
	}
	return strings.Join(all, "\r\n") + "\r\n"
}

// A73: an ICE restart over Patch, after which media go on.
func TestRestart(t *testing.T) {
	h := publishHouse(t, session.Options{}, 0)
	c := newPublisher(t)
	s := h.take(t, c)
	c.sending(t)
	awaitState(t, s, session.StateConnected)
	answer := c.RemoteDescription().SDP
	offer := describe(t, c.PeerConnection, &webrtc.OfferOptions{ICERestart: true})
	ours, err := s.Patch(lines(offer, "a=ice-ufrag", "a=ice-pwd", "m=", "a=mid", "a=candidate"), session.GenerationAny)
	if err != nil {
		t.Fatal(err)
	}
	for _, credential := range []string{"a=ice-ufrag:", "a=ice-pwd:"} {
		answer = strings.ReplaceAll(answer, lines(answer, credential), lines(ours, credential))
	}
	accept(t, c.PeerConnection, answer)
	if s.Generation() != 2 {
		t.Errorf("generation %d", s.Generation())
	}
	before := s.Info().Received.Packets
	for end := time.Now().Add(patience); s.Info().Received.Packets < before+200; <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no media after the restart")
		}
	}
	if _, err := s.Patch(lines(offer, "a=ice-ufrag", "a=ice-pwd"), 1); err == nil {
		t.Error("a fragment of the old generation was taken")
	}
}

// B6: a viewer that answers our offer gets media.
func TestCounterOffer(t *testing.T) {
	h := newHouse(t, session.Options{})
	p := h.publish(t, vp8)
	s, offer, err := h.manager.Offer(t.Context(), session.PlayRequest{Stream: "cam", Protocol: "test", Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	pc := newPeerConnection(t)
	packets := make(chan struct{}, 1)
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		if _, _, err := track.ReadRTP(); err == nil {
			packets <- struct{}{}
		}
	})
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		t.Fatal(err)
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(answer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	if err := s.Answer(pc.LocalDescription().SDP); err != nil {
		t.Fatal(err)
	}
	awaitState(t, s, session.StateConnected)
	for end := time.After(patience); ; {
		write(t, p)
		select {
		case <-packets:
			return
		case <-time.After(20 * time.Millisecond):
		case <-end:
			t.Fatal("no packet arrived")
		}
	}
}

// J57: the same offer twice makes two sessions that have nothing in common.
func TestSameOfferTwice(t *testing.T) {
	h := newHouse(t, session.Options{})
	h.publish(t, vp8)
	_, offer := newViewer(t, video)
	a, first := h.play(t, offer)
	b, second := h.play(t, offer)
	if a.ID() == b.ID() || lines(first, "a=ice-ufrag") == lines(second, "a=ice-ufrag") || lines(first, "a=ice-pwd") == lines(second, "a=ice-pwd") {
		t.Errorf("alike: %s and %s", first, second)
	}
	a.Close()
	if b.Info().State == session.StateClosed {
		t.Error("one has ended the other")
	}
}

// A79, A14: 200 publishers and their viewers that come and go in random order, connected or not, leave nothing.
func TestRandomSessionsLeakNothing(t *testing.T) {
	h := publishHouse(t, session.Options{ICETimeout: 2 * time.Second}, 4*time.Second)
	before, files := runtime.NumGoroutine(), openFiles(t)
	type pair struct {
		session *session.Session
		peer    *webrtc.PeerConnection
	}
	open := make(map[int]pair)
	stop := func(p pair, kind int) {
		if kind > 0 {
			p.session.Close()
		}
		_ = p.peer.GracefulClose()
	}
	for n := range 200 {
		c := newPublisher(t)
		s, answer, err := h.manager.Publish(context.Background(), session.PublishRequest{
			Stream: "cam", Offer: describe(t, c.PeerConnection, nil), Loopback: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		if rand.IntN(3) > 0 {
			accept(t, c.PeerConnection, answer)
		}
		open[n] = pair{s, c.PeerConnection}
		for key, p := range open { // in random order
			if len(open) > 10 || rand.IntN(4) == 0 {
				stop(p, rand.IntN(3))
				delete(open, key)
			}
		}
	}
	for _, p := range open {
		stop(p, 0)
	}
	for end := time.Now().Add(patience); len(h.manager.Sessions()) > 0 || runtime.NumGoroutine() > before+5 || openFiles(t) > files+2; {
		if time.Now().After(end) {
			t.Fatalf("%d sessions; goroutines: %d before, %d after; files: %d and %d",
				len(h.manager.Sessions()), before, runtime.NumGoroutine(), files, openFiles(t))
		}
		<-time.After(20 * time.Millisecond)
	}
	if st, _ := h.stream.State(); st != hub.StateIdle || len(h.stream.Renditions()) != 0 {
		t.Errorf("the source is %s, %v", st, h.stream.Renditions())
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// J78, J79: restarts that race the end of their session, before and after it is connected, are answered or find it gone.
func TestRestartRacesClose(t *testing.T) {
	h := publishHouse(t, session.Options{}, 0)
	for n := range 20 {
		c := newPublisher(t)
		s := h.take(t, c)
		if n%2 == 0 {
			awaitState(t, s, session.StateConnected)
		}
		fragment := fmt.Sprintf("a=ice-ufrag:next%d\r\na=ice-pwd:abcdefghijkl0123456789\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n", n)
		var race sync.WaitGroup
		race.Go(func() {
			var refusal *session.Refusal
			if _, err := s.Patch(fragment, session.GenerationAny); err != nil && (!errors.As(err, &refusal) || refusal.Reason != session.ReasonGone) {
				t.Errorf("%v", err)
			}
		})
		race.Go(func() {
			<-time.After(time.Duration(rand.IntN(3000)) * time.Microsecond)
			s.Close()
		})
		race.Wait()
	}
}
