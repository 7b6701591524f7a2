package peer

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sluice/media"
	"sluice/negotiation"
)

// publisher is the other end: a pion PeerConnection that sends.
type publisher struct {
	*webrtc.PeerConnection

	video, audio *webrtc.TrackLocalStaticRTP
	feedback     chan rtcp.Packet // of the video, as many as fit
	connected    chan struct{}
	next         uint16 // sequence number of publishUntil
}

func newPublisher(t testing.TB, settings ...webrtc.SettingEngine) *publisher {
	t.Helper()
	p := newSoundPublisher(t, settings...)
	p.video = p.addTrack(t, webrtc.MimeTypeVP8, 90000, "video")
	return p
}

// newSoundPublisher makes one that sends sound alone, with settings of its own if they are given.
func newSoundPublisher(t testing.TB, own ...webrtc.SettingEngine) *publisher {
	t.Helper()
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(onlyLoopback)
	for _, s := range own {
		settings = s
	}
	codecs, interceptors := &webrtc.MediaEngine{}, &interceptor.Registry{}
	if err := codecs.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	if err := webrtc.RegisterDefaultInterceptors(codecs, interceptors); err != nil {
		t.Fatal(err)
	}
	if err := webrtc.ConfigureTWCCHeaderExtensionSender(codecs, interceptors); err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(codecs),
		webrtc.WithInterceptorRegistry(interceptors)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	p := &publisher{PeerConnection: pc, feedback: make(chan rtcp.Packet, 256), connected: make(chan struct{})}
	var once sync.Once
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(p.connected) })
		}
	})
	p.audio = p.addTrack(t, webrtc.MimeTypeOpus, 48000, "audio")
	return p
}

func (p *publisher) addTrack(t testing.TB, mime string, clock uint32, id string) *webrtc.TrackLocalStaticRTP {
	t.Helper()
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime, ClockRate: clock}, id, "s")
	if err != nil {
		t.Fatal(err)
	}
	transceiver, err := p.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		t.Fatal(err)
	}
	go p.readFeedback(transceiver.Sender())
	return track
}

func (p *publisher) readFeedback(s *webrtc.RTPSender) {
	for {
		packets, _, err := s.ReadRTCP()
		if err != nil {
			return
		}
		for _, f := range packets {
			select {
			case p.feedback <- f:
			default:
			}
		}
	}
}

func (p *publisher) offer(t testing.TB) string {
	t.Helper()
	return (&viewer{PeerConnection: p.PeerConnection}).offer(t)
}

func (p *publisher) accept(t testing.TB, answer string) {
	t.Helper()
	(&viewer{PeerConnection: p.PeerConnection}).accept(t, answer)
}

// vp8Packet is a keyframe of 16x16 pixels, or a picture that follows one, in a packet of its own.
func vp8Packet(seq uint16, timestamp uint32, key bool) *rtp.Packet {
	p := &rtp.Packet{Header: rtp.Header{Version: 2, Marker: true, SequenceNumber: seq, Timestamp: timestamp}}
	if key {
		p.Payload = []byte{0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0, 1, 2, 3}
	} else {
		p.Payload = []byte{0x10, 0x11, 0, 0, 1, 2, 3}
	}
	return p
}

// gathering is a Sink that keeps what it is given.
type gathering struct {
	mu     sync.Mutex
	tracks map[string]media.Track // by rid/id
	units  map[string]int
	got    chan string // rid/id of each unit, as many as fit
	ticks  int
}

func newGathering() *gathering {
	return &gathering{tracks: map[string]media.Track{}, units: map[string]int{}, got: make(chan string, 1024)}
}

func (g *gathering) Track(rid string, t media.Track) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tracks[rid+"/"+t.ID] = t
}

func (g *gathering) Unit(rid, track string, _ *media.AccessUnit) {
	g.mu.Lock()
	g.units[rid+"/"+track]++
	g.mu.Unlock()
	select {
	case g.got <- rid + "/" + track:
	default:
	}
}

func (g *gathering) Tick(time.Time) { g.ticks++ }

// forget empties got.
func (g *gathering) forget() {
	for len(g.got) > 0 {
		<-g.got
	}
}

func (g *gathering) count(key string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.units[key]
}

// await waits for so many units in all.
func (g *gathering) await(t testing.TB, key string, n int) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); g.count(key) < n; {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%d units of %s came, want %d", g.count(key), key, n)
		}
	}
}

// receive has the engine answer a publisher.
func receive(t testing.TB, e *Engine, sdp string) *Reception {
	t.Helper()
	offer, err := negotiation.ParseOffer(sdp, negotiation.RolePublish)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := negotiation.Accept(offer, negotiation.Wish{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Receive(offer, plan, ReceiveOptions{Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// run runs a Reception until the test ends, and tells how it ended.
func run(t testing.TB, r *Reception, s Sink) <-chan error {
	t.Helper()
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { ended <- r.Run(ctx, s) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return ended
}

// publishUntil sends pictures and sound until the sink has units of both.
func (p *publisher) publishUntil(t testing.TB, g *gathering, want ...string) {
	t.Helper()
	missing := map[string]bool{}
	for _, w := range want {
		missing[w] = true
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for ; len(missing) > 0; p.next++ {
		seq := p.next
		_ = p.video.WriteRTP(vp8Packet(seq, uint32(seq)*1800, seq%10 == 0))
		_ = p.audio.WriteRTP(&rtp.Packet{
			Header:  rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: uint32(seq) * 960, Marker: seq == 0},
			Payload: []byte{0xf8, 0xff, 0xfe},
		})
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("no unit of %v arrived", missing)
		}
		for len(g.got) > 0 {
			delete(missing, <-g.got)
		}
	}
}

// A1, A50, A51, A57, A81: a publisher is answered, connects in every DTLS role and without candidates, and its units come.
func TestReceive(t *testing.T) {
	for name, change := range map[string]*strings.Replacer{
		"actpass":       strings.NewReplacer(),
		"active":        strings.NewReplacer("a=setup:actpass", "a=setup:active"),
		"passive":       strings.NewReplacer("a=setup:actpass", "a=setup:passive"),
		"no candidates": strings.NewReplacer("a=candidate:", "a=x-none:"),
	} {
		t.Run(name, func(t *testing.T) {
			e, p, g := newEngine(t, Options{}), newPublisher(t), newGathering()
			r := receive(t, e, change.Replace(p.offer(t)))
			run(t, r, g)
			for _, line := range []string{"a=recvonly\r\n", "a=rtcp-mux-only\r\n", "nack pli\r\n", " transport-cc\r\n"} {
				if !strings.Contains(r.Description(), line) {
					t.Errorf("the answer has no %q:\n%s", line, r.Description())
				}
			}
			p.accept(t, r.Description())
			await(t, r.Connected(), "connected")
			p.publishUntil(t, g, "/video", "/audio")
			g.mu.Lock()
			defer g.mu.Unlock()
			if v := g.tracks["/video"]; v.Codec != media.VP8 || v.Width != 16 {
				t.Errorf("the video is %+v", v)
			}
		})
	}
}
