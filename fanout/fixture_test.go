package fanout

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sluice/hub"
	"sluice/internal/testviewer"
	"sluice/media"
	"sluice/negotiation"
	"sluice/rtpout"
	"sluice/transport"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

var (
	picture = media.Track{ID: "video", Kind: media.Video, Codec: media.VP8, ClockRate: 90000}
	sound   = media.Track{ID: "audio", Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 2}
)

// house is a Fanout that runs, and a stream that is written to.
type house struct {
	*Fanout
	port    *transport.Port
	streams *hub.Hub
	stream  *hub.Stream
	source  *hub.Publisher
	total   rtpout.Counters
	stop    func() // ends Run
}

func newHouse(t testing.TB, o Options) *house {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	port, err := transport.Listen(t.Context(), transport.Options{ListenUDP: "127.0.0.1:0", ListenTCP: "127.0.0.1:0", GSO: true, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	o.Port, o.Log = port, log
	if o.Certificate, err = transport.NewCertificate(); err != nil {
		t.Fatal(err)
	}
	streams := hub.New(hub.Options{})
	stream, err := streams.Create("cam")
	if err != nil {
		t.Fatal(err)
	}
	source, err := stream.Publish(media.MainRendition, []media.Track{picture, sound})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Fanout: New(o), port: port, streams: streams, stream: stream, source: source}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = h.Run(ctx) })
	h.stop = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(func() {
		h.stop()
		if err := port.Close(); err != nil {
			t.Error(err)
		}
		streams.Close()
	})
	return h
}

// film writes pictures of size bytes, a keyframe each 20, and sound, until the test is over.
func (h *house) film(t testing.TB, size int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var filming sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		filming.Wait()
	})
	filming.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-tick.C:
				h.shoot(n, size)
			case <-ctx.Done():
				return
			}
		}
	})
}

func (h *house) shoot(n, size int) {
	now := time.Now()
	_ = h.source.Write("video", &media.AccessUnit{
		PTS: media.PTS(now, 90000), Arrived: now, Keyframe: n%20 == 0, Data: [][]byte{make([]byte, size)},
	})
	_ = h.source.Write("audio", &media.AccessUnit{
		PTS: media.PTS(now, 48000), Arrived: now, Keyframe: true, Data: [][]byte{{0xFC, 1, 2, 3}},
	})
}

// answer has the house answer an offer, and sends the stream once the viewer is there.
func (h *house) answer(t testing.TB, sdp string) *Session {
	t.Helper()
	offer, err := negotiation.ParseOffer(sdp, negotiation.RolePlay)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := negotiation.Decide([]media.Track{picture, sound}, offer, negotiation.Policy{}, negotiation.Capacity{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.Play(offer, plan, rtpout.PlayOptions{Loopback: true, Total: &h.total})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (h *house) start(t testing.TB, s *Session) *hub.Subscriber {
	t.Helper()
	await(t, s.Connected(), "connected")
	sub, err := s.Start(rtpout.Feed{Stream: h.stream, Rendition: media.MainRendition, Start: hub.StartGOP})
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// watch makes a viewer that is sent the stream.
func (h *house) watch(t testing.TB) (*Session, *viewer) {
	t.Helper()
	v := newViewer(t)
	s := h.answer(t, v.offer(t))
	v.accept(t, s.Description())
	h.start(t, s)
	await(t, v.connected, "connected on the viewer's side")
	return s, v
}

// viewer is the other end: a pion PeerConnection as the browser's.
type viewer struct {
	*webrtc.PeerConnection

	packets   chan *rtp.Packet // of the picture
	connected chan struct{}
	closed    chan struct{}
}

func newViewer(t testing.TB) *viewer {
	t.Helper()
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() && ip.To4() != nil })
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	v := &viewer{PeerConnection: pc, packets: make(chan *rtp.Packet, 4096), connected: make(chan struct{}), closed: make(chan struct{})}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	var connected, closed sync.Once
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			connected.Do(func() { close(v.connected) })
		case webrtc.PeerConnectionStateClosed:
			closed.Do(func() { close(v.closed) })
		}
	})
	pc.OnTrack(v.read)
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio} {
		if _, err := pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

func (v *viewer) read(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		if track.Kind() != webrtc.RTPCodecTypeVideo {
			continue
		}
		select {
		case v.packets <- p:
		default:
		}
	}
}

func (v *viewer) offer(t testing.TB) string {
	t.Helper()
	sdp, err := testviewer.Offer(v.PeerConnection, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sdp
}

func (v *viewer) accept(t testing.TB, answer string) {
	t.Helper()
	if err := v.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
}

// next is the next packet of the picture.
func (v *viewer) next(t testing.TB) *rtp.Packet {
	t.Helper()
	select {
	case p := <-v.packets:
		return p
	case <-time.After(patience):
		t.Fatal("no packet came")
		return nil
	}
}

func await(t testing.TB, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("never %s", what)
	}
}
