package push

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/hub"
	"sluice/internal/testpeer"
	"sluice/media"
	"sluice/negotiation"
	"sluice/peer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should come much sooner.
const patience = 30 * time.Second

func newEngine(t *testing.T) *peer.Engine {
	t.Helper()
	return testpeer.New(t, peer.Options{ConsentTimeout: 6 * time.Second})
}

// server is a WHIP server that takes all that it is sent.
type server struct {
	*httptest.Server
	engine *peer.Engine
	first  func(w http.ResponseWriter, r *http.Request) bool // may answer instead; nil: never

	mute           bool        // it refuses sound
	offers         chan string // that were posted, as many as fit
	posts, deletes atomic.Int32
	tokens         sync.Map     // the Authorization of all requests
	units          atomic.Int64 // of pictures, in all sessions
	width          atomic.Int64 // of the last picture

	mu         sync.Mutex
	receptions []*peer.Reception
	running    sync.WaitGroup
}

func serve(t *testing.T) *server {
	t.Helper()
	s := &server{engine: newEngine(t), offers: make(chan string, 8)}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		s.Close()
		s.leave()
		s.running.Wait()
	})
	return s
}

// leave ends all sessions.
func (s *server) leave() {
	s.mu.Lock()
	all := s.receptions
	s.receptions = nil
	s.mu.Unlock()
	for _, r := range all {
		r.Close()
	}
}

// vanish closes the port of all sessions without a word; new ones have another.
func (s *server) vanish(t *testing.T) {
	t.Helper()
	old, fresh := s.engine, newEngine(t)
	s.mu.Lock()
	s.engine = fresh
	s.mu.Unlock()
	if err := old.Close(); err != nil {
		t.Error(err)
	}
}

func (s *server) newest() *peer.Reception {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.receptions[len(s.receptions)-1]
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.tokens.Store(r.Header.Get("Authorization"), true)
	switch r.Method {
	case http.MethodPost:
		s.posts.Add(1)
		select {
		case s.offers <- string(body):
		default:
		}
	case http.MethodDelete:
		s.deletes.Add(1)
	}
	if s.first != nil && s.first(w, r) {
		return
	}
	if r.Method == http.MethodDelete {
		s.leave()
		return
	}
	if err := s.answer(w, string(body)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

func (s *server) answer(w http.ResponseWriter, sdp string) error {
	offer, err := negotiation.ParseOffer(sdp, negotiation.RolePublish)
	if err != nil {
		return err
	}
	plan, err := negotiation.Accept(offer, negotiation.Wish{})
	if err != nil {
		return err
	}
	s.mu.Lock()
	engine := s.engine
	s.mu.Unlock()
	r, err := engine.Receive(offer, plan, peer.ReceiveOptions{Loopback: true})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.receptions = append(s.receptions, r)
	s.mu.Unlock()
	s.running.Go(func() { _ = r.Run(context.Background(), s) })
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Location", "/session")
	w.WriteHeader(http.StatusCreated)
	text := r.Description()
	if s.mute {
		text = strings.Replace(text, "m=audio 9", "m=audio 0", 1)
	}
	_, _ = io.WriteString(w, text)
	return nil
}

// Track is of peer.Sink.
func (s *server) Track(_ string, t media.Track) {
	if t.Kind == media.Video {
		s.width.Store(int64(t.Width))
	}
}

// Unit is of peer.Sink.
func (s *server) Unit(_, track string, _ *media.AccessUnit) {
	if track == "video" {
		s.units.Add(1)
	}
}

// Tick is of peer.Sink.
func (s *server) Tick(time.Time) {}

// picture is a track of VP8 as it is known after a keyframe.
func picture(width int) media.Track {
	return media.Track{ID: "video", Kind: media.Video, Codec: media.VP8, ClockRate: 90000, Width: width, Height: width}
}

func sound(codec media.Codec) media.Track {
	t := media.Track{ID: "audio", Kind: media.Audio, Codec: codec, ClockRate: 8000, Channels: 1}
	if codec == media.Opus {
		t.ClockRate, t.Channels = 48000, 2
	}
	return t
}

// source publishes pictures, and the wishes for keyframes are counted.
type source struct {
	publisher *hub.Publisher
	width     int
	wishes    atomic.Int32
	quit      chan struct{}
	done      chan struct{}
	once      sync.Once
}

func publish(t *testing.T, s *hub.Stream, rendition string, tracks ...media.Track) *source {
	t.Helper()
	p, err := s.Publish(rendition, tracks)
	if err != nil {
		t.Fatal(err)
	}
	src := &source{publisher: p, width: tracks[0].Width, quit: make(chan struct{}), done: make(chan struct{})}
	go src.run()
	t.Cleanup(src.close)
	return src
}

func (s *source) run() {
	defer close(s.done)
	defer s.publisher.Close()
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for n := 0; ; {
		select {
		case <-every.C:
			key := n%10 == 0
			n++
			_ = s.publisher.Write("video", &media.AccessUnit{
				PTS: media.PTS(time.Now(), 90000), Keyframe: key, Data: [][]byte{s.vp8(key)},
			})
		case <-s.publisher.KeyframeRequests():
			s.wishes.Add(1)
		case <-s.quit:
			return
		}
	}
}

// vp8 is a picture whose content nobody looks at.
func (s *source) vp8(key bool) []byte {
	if key {
		return []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, byte(s.width), 0, byte(s.width), 0, 1, 2, 3}
	}
	return []byte{0x11, 0, 0, 1, 2, 3}
}

func (s *source) close() {
	s.once.Do(func() { close(s.quit) })
	<-s.done
}

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

// pushing is a pusher that runs until the test ends.
type pushing struct {
	*Pusher
	stream *hub.Stream
	log    *lines
	cancel context.CancelFunc
	done   chan struct{} // closed when Run has returned
}

func newStream(t *testing.T) *hub.Stream {
	t.Helper()
	stream, err := hub.New(hub.Options{}).Create("camera")
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func newPusher(t *testing.T, stream *hub.Stream, to string, e Sender) (*Pusher, *lines) {
	t.Helper()
	log := &lines{}
	p, err := New(Options{
		Stream: stream, URL: to + "/app/secret-key", Token: "secret-token", UserAgent: "Sluice/test", Engine: e,
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p, log
}

func start(t *testing.T, s *server, change func(*times)) *pushing {
	t.Helper()
	stream := newStream(t)
	p, log := newPusher(t, stream, "whip"+strings.TrimPrefix(s.URL, "http"), newEngine(t))
	if change != nil {
		change(&p.times)
	}
	ctx, cancel := context.WithCancel(t.Context())
	running := &pushing{Pusher: p, stream: stream, log: log, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(running.done)
		if err := p.Run(ctx); err == nil {
			t.Error("Run returned no error")
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-running.done
		if log.count("secret") != 0 {
			t.Error("the log tells a secret")
		}
	})
	return running
}

// until waits for what a push comes to.
func (p *pushing) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	limit := time.After(patience)
	again := time.NewTicker(5 * time.Millisecond) // a status has no signal
	defer again.Stop()
	for !is() {
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("waited in vain for %s: %+v", what, p.Status())
		}
	}
}

func (p *pushing) is(s State) func() bool {
	return func() bool { return p.Status().State == s }
}

// more waits for more pictures at the server.
func (p *pushing) more(t *testing.T, s *server) {
	t.Helper()
	before := s.units.Load()
	p.until(t, "more pictures", func() bool { return s.units.Load() > before+10 })
}
