package peer

import (
	"context"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"sluice/hub"
	"sluice/internal/testviewer"
	"sluice/media"
	"sluice/negotiation"
	"sluice/rtpout"
	"sluice/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

var (
	vp8  = media.Track{ID: "video", Kind: media.Video, Codec: media.VP8, ClockRate: 90000}
	opus = media.Track{ID: "audio", Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 2}
)

// newEngine makes an engine on a port of its own: of 127.0.0.1, unless change says otherwise.
func newEngine(t testing.TB, o Options, change ...func(*transport.Options)) *Engine {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	ports := transport.Options{ListenUDP: "127.0.0.1:0", Log: o.Log}
	for _, f := range change {
		f(&ports)
	}
	port, err := transport.Listen(t.Context(), ports)
	if err != nil {
		t.Fatal(err)
	}
	if o.Certificate, err = transport.NewCertificate(); err != nil {
		t.Fatal(err)
	}
	o.Conn, o.Hosts = port.Others(), port
	e := NewEngine(t.Context(), o)
	var reading sync.WaitGroup
	reading.Go(func() {
		if err := port.Run(context.WithoutCancel(t.Context()), transport.Nobody{}); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := port.Close(); err != nil {
			t.Error(err)
		}
		reading.Wait()
	})
	return e
}

// playing is a connection and what it is fed with.
type playing struct {
	*Connection
	track     string         // that is published; "": nothing yet
	publisher *hub.Publisher // likewise
}

// feeds starts to send a stream of one track, unless it does already.
func (p *playing) feeds(t testing.TB, track media.Track) {
	t.Helper()
	if p.track != "" {
		return
	}
	h := hub.New(hub.Options{})
	t.Cleanup(h.Close)
	stream, err := h.Create("cam")
	if err != nil {
		t.Fatal(err)
	}
	if p.publisher, err = stream.Publish(media.MainRendition, []media.Track{track}); err != nil {
		t.Fatal(err)
	}
	if _, err = p.Start(rtpout.Feed{Stream: stream, Rendition: media.MainRendition}); err != nil {
		t.Fatal(err)
	}
	p.track = track.ID
}

func (p *playing) write(t testing.TB, au *media.AccessUnit) {
	t.Helper()
	if err := p.publisher.Write(p.track, au); err != nil {
		t.Fatal(err)
	}
}

// viewer is the other end: a pion PeerConnection as the browser's.
type viewer struct {
	*webrtc.PeerConnection

	packets   chan *rtp.Packet
	connected chan struct{} // closed when the handshake is through on this side too
	closed    chan struct{} // closed when the connection has ended
}

func newViewer(t testing.TB, profiles ...dtls.SRTPProtectionProfile) *viewer {
	t.Helper()
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(onlyLoopback)
	if len(profiles) > 0 {
		settings.SetSRTPProtectionProfiles(profiles...)
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	v := &viewer{PeerConnection: pc, packets: make(chan *rtp.Packet, 64), connected: make(chan struct{}), closed: make(chan struct{})}
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
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			select {
			case v.packets <- p:
			default:
			}
		}
	})
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio} {
		if _, err := pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
			t.Fatal(err)
		}
	}
	return v
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

// answerTo has the engine answer an offer with VP8 and Opus.
func answerTo(t testing.TB, e *Engine, sdp string, o rtpout.PlayOptions) *playing {
	t.Helper()
	offer, err := negotiation.ParseOffer(sdp, negotiation.RolePlay)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := negotiation.Decide([]media.Track{vp8, opus}, offer, negotiation.Policy{}, negotiation.Capacity{})
	if err != nil {
		t.Fatal(err)
	}
	o.Loopback = true
	c, err := e.Play(offer, plan, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &playing{Connection: c}
}

// connect makes a viewer and waits until it is connected; change, if any, is made to the offer.
func connect(t testing.TB, e *Engine, change *strings.Replacer, profiles ...dtls.SRTPProtectionProfile) (*playing, *viewer) {
	t.Helper()
	v := newViewer(t, profiles...)
	sdp := v.offer(t)
	if change != nil {
		sdp = change.Replace(sdp)
	}
	c := answerTo(t, e, sdp, rtpout.PlayOptions{})
	v.accept(t, c.Description())
	await(t, c.Connected(), "connected")
	await(t, v.connected, "connected on the viewer's side")
	return c, v
}

func await(t testing.TB, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("never %s", what)
	}
}

// sound is one Opus frame of size bytes.
func sound(size int) *media.AccessUnit {
	now := time.Now()
	return &media.AccessUnit{PTS: media.PTS(now, 48000), Arrived: now, Keyframe: true, Data: [][]byte{make([]byte, size)}}
}

// hidden is an offer without candidates: there is no way past a relay then.
func hidden(offer string) string {
	return regexp.MustCompile("a=candidate:.*\r\n").ReplaceAllString(offer, "")
}

func onlyLoopback(ip net.IP) bool { return ip.IsLoopback() && ip.To4() != nil }

var fingerprint = regexp.MustCompile(`(a=fingerprint:sha-256 )[0-9A-F:]+`)

// withForeignFingerprint names a certificate in the offer that is not its own: the hash is all zeros, since a digit that
// is overwritten may be what it was.
func withForeignFingerprint(offer string) string {
	return fingerprint.ReplaceAllString(offer, "${1}00"+strings.Repeat(":00", 31))
}
