package session

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/auth"
	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
	"sluice/peer"
	"sluice/rtpout"
	"sluice/transport"
)

// The tracks of the tests.
var (
	sound   = media.Track{ID: "audio", Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 2}
	picture = media.Track{ID: "video", Kind: media.Video, Codec: media.VP8, ClockRate: 90000}
	avc     = media.Track{
		ID: "video", Kind: media.Video, Codec: media.H264, ClockRate: 90000,
		Profile: media.VideoProfile{ProfileLevelID: [3]byte{0x42, 0xE0, 0x1F}, ChromaFormat: 1, Known: true},
	}
)

func sized(width, height int) media.Track {
	t := picture
	t.Width, t.Height = width, height
	return t
}

func unit(keyframe bool) *media.AccessUnit {
	now := time.Now()
	return &media.AccessUnit{PTS: media.PTS(now, 90000), Arrived: now, Keyframe: keyframe, Data: [][]byte{make([]byte, 100)}}
}

const (
	offerHead = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=ice-ufrag:ours\r\na=ice-pwd:0123456789abcdefghijkl\r\n" +
		"a=fingerprint:sha-256 " + "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\na=setup:actpass\r\n"
	offerAudio = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
	offerVideo = "m=video 9 UDP/TLS/RTP/SAVPF 96 102\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n" +
		"a=rtpmap:102 H264/90000\r\na=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
	offerLayers = "a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\na=simulcast:send l;m;h\r\n"

	viewerOffer    = offerHead + offerAudio + "a=recvonly\r\n" + offerVideo + "a=recvonly\r\n"
	publisherOffer = offerHead + offerAudio + "a=sendonly\r\n" + offerVideo + "a=sendonly\r\n"
	layeredOffer   = publisherOffer + offerLayers
)

var (
	vp8Offer   = onlyVP8(viewerOffer)
	soundOffer = strings.Replace(offerHead, "BUNDLE 0 1", "BUNDLE 0", 1) + offerAudio + "a=sendonly\r\n"
)

func onlyVP8(sdp string) string {
	a, b := strings.Index(sdp, "a=rtpmap:102"), strings.Index(sdp, "42e01f\r\n")
	return strings.Replace(sdp[:a]+sdp[b+len("42e01f\r\n"):], "96 102", "96", 1)
}

// fakeLink is a connection that goes nowhere.
type fakeLink struct {
	ready   chan struct{} // closed by connect
	over    chan struct{} // closed by lose and Close
	overOne sync.Once

	mu         sync.Mutex
	sdp        string
	err        error
	candidates []string
	restarts   int
	restartErr error
	onRestart  func() // nil: nothing
	accepted   string
	seen       transport.Evidence
}

func newFakeLink() *fakeLink {
	return &fakeLink{sdp: "sdp", ready: make(chan struct{}), over: make(chan struct{})}
}

func (l *fakeLink) connect() { close(l.ready) }

func (l *fakeLink) lose(err error) {
	l.overOne.Do(func() {
		l.mu.Lock()
		l.err = err
		l.mu.Unlock()
		close(l.over)
	})
}

func (l *fakeLink) Connected() <-chan struct{} { return l.ready }
func (l *fakeLink) Done() <-chan struct{}      { return l.over }
func (l *fakeLink) RemoteAddress() string      { return "" }

func (l *fakeLink) Description() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sdp
}

func (l *fakeLink) Evidence() transport.Evidence {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

func (l *fakeLink) Close() { l.lose(nil) }

func (l *fakeLink) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *fakeLink) Accept(answer string, _ []peer.ICEServer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accepted = answer
	return nil
}

func (l *fakeLink) AddCandidates(values []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.candidates = append(l.candidates, values...)
}

func (l *fakeLink) Restart(*negotiation.Fragment) (*negotiation.Fragment, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.onRestart != nil {
		l.onRestart()
	}
	if l.restartErr != nil {
		return nil, l.restartErr
	}
	l.restarts++
	return &negotiation.Fragment{ICEUfrag: "gateway", ICEPwd: "gatewaygatewaygatewaygateway"}, nil
}

// fakeSender is a viewer's connection. It keeps what it is to send.
type fakeSender struct {
	*fakeLink
	options rtpout.PlayOptions
	tracks  []media.Track // of an offer of ours
	sent    chan *hub.Unit
	feed    rtpout.Feed     // set by Start
	reading *hub.Subscriber // likewise
	reader  sync.WaitGroup
	counted atomic.Pointer[rtpout.Stats]
}

func (s *fakeSender) Stats() rtpout.Stats {
	if st := s.counted.Load(); st != nil {
		return *st
	}
	return rtpout.Stats{}
}

func (s *fakeSender) Start(f rtpout.Feed) (*hub.Subscriber, error) {
	sub, err := f.Stream.Subscribe(f.Rendition, f.Start)
	if err != nil {
		return nil, err
	}
	s.feed, s.reading = f, sub
	sub.RequestKeyframe()
	s.reader.Go(func() {
		defer sub.Close()
		s.read(sub)
	})
	return sub, nil
}

func (s *fakeSender) read(sub *hub.Subscriber) {
	rendition := ""
	var checked *media.Track
	for {
		for u, ok := sub.TryNext(); ok; u, ok = sub.TryNext() {
			if u.Track != checked {
				if err := s.feed.Check(u.Track); errors.Is(err, rtpout.ErrUnfit) {
					continue
				} else if err != nil {
					s.lose(err)
					return
				}
				checked = u.Track
			}
			if u.Track.Rendition != rendition {
				rendition = u.Track.Rendition
				s.feed.Moved()
			}
			select {
			case s.sent <- u:
			case <-s.over:
				return
			}
		}
		if sub.Closed() {
			s.lose(hub.ErrClosed)
			return
		}
		select {
		case <-sub.Wake():
		case <-s.over:
			return
		}
	}
}

func (s *fakeSender) Close() {
	s.fakeLink.Close()
	s.reader.Wait()
}

// wantsKeyframe is what a sender does about a PLI.
func (s *fakeSender) wantsKeyframe() { s.reading.RequestKeyframe() }

// fakeReceiver is a publisher's connection.
type fakeReceiver struct {
	*fakeLink
	calls  chan func(peer.Sink)
	wishes chan string
}

func (r *fakeReceiver) Stats() peer.ReceptionStats { return peer.ReceptionStats{Packets: 7} }

func (r *fakeReceiver) RequestKeyframe(rid string) { r.wishes <- rid }

func (r *fakeReceiver) Run(ctx context.Context, s peer.Sink) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case f := <-r.calls:
			f(s)
		case now := <-tick.C:
			s.Tick(now)
		case <-r.over:
			return r.Err()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sends has the publisher send one unit of a layer's picture.
func (r *fakeReceiver) sends(rid string, keyframe bool) {
	r.calls <- func(s peer.Sink) {
		s.Track(rid, picture)
		s.Unit(rid, "video", unit(keyframe))
	}
	synctest.Wait()
}

// fakeEngine remembers the connections that it has made.
type fakeEngine struct {
	mu        sync.Mutex
	senders   []*fakeSender
	receivers []*fakeReceiver
	err       error
}

func (e *fakeEngine) Play(_ *negotiation.Offer, _ *negotiation.Plan, o rtpout.PlayOptions) (Sender, Route, error) {
	s, err := e.OfferPlay(nil, o)
	return s, Route{Way: WayFast}, err
}

func (e *fakeEngine) OfferPlay(tracks []media.Track, o rtpout.PlayOptions) (Sender, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := &fakeSender{fakeLink: newFakeLink(), options: o, tracks: tracks, sent: make(chan *hub.Unit, 1000)}
	e.senders = append(e.senders, s)
	return s, e.err
}

func (e *fakeEngine) Receive(*negotiation.Offer, *negotiation.Plan, peer.ReceiveOptions) (Receiver, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := &fakeReceiver{fakeLink: newFakeLink(), calls: make(chan func(peer.Sink)), wishes: make(chan string, 100)}
	e.receivers = append(e.receivers, r)
	return r, e.err
}

func (e *fakeEngine) sender(i int) *fakeSender {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.senders[i]
}

func (e *fakeEngine) receiver(i int) *fakeReceiver {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.receivers[i]
}

// bench is a manager with one stream, "cam", on a fake engine.
type bench struct {
	*Manager
	t      *testing.T
	stream *hub.Stream
	fake   *fakeEngine
}

// onBench runs a test in a bubble, where time passes as fast as it can.
func onBench(t *testing.T, terms Terms, o Options, f func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Log = slog.New(slog.DiscardHandler)
		h := hub.New(hub.Options{})
		stream, err := h.Create("cam")
		if err != nil {
			t.Fatal(err)
		}
		engine := &fakeEngine{}
		b := &bench{Manager: New(InHub(h, terms), engine, o), t: t, stream: stream, fake: engine}
		defer h.Close()
		defer b.Close()
		f(b)
	})
}

func (b *bench) source(rendition string, tracks ...media.Track) *hub.Publisher {
	b.t.Helper()
	p, err := b.stream.Publish(rendition, tracks)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// play makes a viewer's session, which is not connected yet.
func (b *bench) play(r PlayRequest) (*Session, *fakeSender) {
	b.t.Helper()
	r.Stream = "cam"
	if r.Offer == "" {
		r.Offer = viewerOffer
	}
	s, _, err := b.Play(b.t.Context(), r)
	if err != nil {
		b.t.Fatal(err)
	}
	return s, b.fake.sender(len(b.fake.senders) - 1)
}

// who is a principal of a name; nil for "".
func who(name string) *auth.Principal {
	if name == "" {
		return nil
	}
	return &auth.Principal{Name: name, Anonymous: name == "anonymous", Kind: auth.ModeInternal}
}

// publish makes a publisher's session, which is not connected yet.
func (b *bench) publish(principal, offer string) (*Session, *fakeReceiver) {
	b.t.Helper()
	s, _, err := b.Publish(b.t.Context(), PublishRequest{Stream: "cam", Offer: offer, Principal: who(principal)})
	if err != nil {
		b.t.Fatal(err)
	}
	return s, b.fake.receiver(len(b.fake.receivers) - 1)
}

// write writes a keyframe and waits until all is quiet.
func (b *bench) write(p *hub.Publisher) {
	b.t.Helper()
	if err := p.Write("video", unit(true)); err != nil {
		b.t.Fatal(err)
	}
	synctest.Wait()
}

func reasonOf(err error) Reason {
	if err == nil {
		return ""
	}
	return refusalOf(err).Reason
}

func isDone(s *Session) bool {
	select {
	case <-s.Done():
		return true
	default:
		return false
	}
}

func (s *Session) endedBy() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}
