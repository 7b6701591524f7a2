package whep

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
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
	"sluice/rtpout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should come much sooner.
const patience = 30 * time.Second

var (
	vp8  = media.Track{ID: "video", Kind: media.Video, Codec: media.VP8, ClockRate: 90000}
	opus = media.Track{ID: "audio", Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 2}
)

func newEngine(t *testing.T) *peer.Engine {
	t.Helper()
	return testpeer.New(t, peer.Options{})
}

// server is a WHEP server that sends pictures of VP8 and sound of Opus to one viewer at a time.
type server struct {
	*httptest.Server
	engine *peer.Engine
	first  func(w http.ResponseWriter, r *http.Request) bool // may answer instead; nil: never

	offers                   atomic.Bool // counter-offers
	noPictures, noSound      atomic.Bool
	restarts, deletes, posts atomic.Int32
	wishes                   chan struct{} // keyframe requests of the viewer, as many as fit
	sdps, fragments          chan string   // offers and candidates of the viewer, as many as fit
	links                    []string      // of the answer

	stream     *hub.Stream
	publisher  *hub.Publisher
	mu         sync.Mutex
	connection *peer.Connection
	started    *peer.Connection // owned by send
}

func serve(t *testing.T) *server {
	t.Helper()
	s := &server{engine: newEngine(t), wishes: make(chan struct{}, 64), sdps: make(chan string, 8), fragments: make(chan string, 8)}
	s.publish(t)
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		s.send(stop)
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
		s.Close()
		if c := s.viewer(); c != nil {
			c.Close()
		}
	})
	return s
}

func (s *server) viewer() *peer.Connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connection
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch {
	case r.Method == http.MethodPost:
		s.posts.Add(1)
		note(s.sdps, string(body))
	case r.Method == http.MethodPatch && r.Header.Get("If-Match") == "*":
		s.restarts.Add(1)
	case r.Method == http.MethodDelete:
		s.deletes.Add(1)
	}
	if s.first != nil && s.first(w, r) {
		return
	}
	var err error
	switch {
	case r.Method == http.MethodPost && s.offers.Load():
		err = s.offer(w)
	case r.Method == http.MethodPost:
		err = s.answer(w, string(body))
	case r.Method == http.MethodPatch && r.Header.Get("Content-Type") == "application/sdp":
		err = s.viewer().Accept(string(body), nil)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPatch && r.Header.Get("If-Match") != "*":
		note(s.fragments, string(body))
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPatch:
		err = s.restart(w, string(body))
	default:
		s.viewer().Close()
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

func note[T any](c chan T, what T) {
	select {
	case c <- what:
	default:
	}
}

// publish makes the stream that the viewer is sent.
func (s *server) publish(t *testing.T) {
	t.Helper()
	h := hub.New(hub.Options{})
	t.Cleanup(h.Close)
	stream, err := h.Create("cam")
	if err == nil {
		s.stream = stream
		s.publisher, err = stream.Publish(media.MainRendition, []media.Track{vp8, opus})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (s *server) options() rtpout.PlayOptions { return rtpout.PlayOptions{Loopback: true} }

func (s *server) answer(w http.ResponseWriter, sdp string) error {
	offer, err := negotiation.ParseOffer(sdp, negotiation.RolePlay)
	if err != nil {
		return err
	}
	plan, err := negotiation.Decide([]media.Track{vp8, opus}, offer, negotiation.Policy{}, negotiation.Capacity{})
	if err != nil {
		return err
	}
	c, err := s.engine.Play(offer, plan, s.options())
	if err != nil {
		return err
	}
	s.describe(w, c, http.StatusCreated)
	return nil
}

func (s *server) offer(w http.ResponseWriter) error {
	c, err := s.engine.OfferPlay([]media.Track{vp8, opus}, s.options())
	if err != nil {
		return err
	}
	s.describe(w, c, http.StatusNotAcceptable)
	return nil
}

func (s *server) describe(w http.ResponseWriter, c *peer.Connection, status int) {
	s.mu.Lock()
	s.connection = c
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Location", "/session")
	w.Header().Set("ETag", `"1"`)
	w.Header()["Link"] = s.links
	w.WriteHeader(status)
	_, _ = io.WriteString(w, c.Description())
}

func (s *server) restart(w http.ResponseWriter, text string) error {
	f, err := negotiation.ParseFragment(text)
	if err != nil {
		return err
	}
	ours, err := s.viewer().Restart(f)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/trickle-ice-sdpfrag")
	_, _ = io.WriteString(w, ours.String())
	return nil
}

// send sends a picture and a packet of sound each 20 ms to whoever is connected.
func (s *server) send(stop <-chan struct{}) {
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for n := uint64(1); ; n++ {
		select {
		case <-every.C:
		case <-stop:
			return
		}
		select {
		case <-s.publisher.KeyframeRequests():
			note(s.wishes, struct{}{})
		default:
		}
		c := s.viewer()
		if c == nil || !isClosed(c.Connected()) || isClosed(c.Done()) {
			continue
		}
		s.start(c)
		now := time.Now()
		if !s.noPictures.Load() {
			key := n%10 == 0
			_ = s.publisher.Write("video", &media.AccessUnit{
				PTS: media.PTS(now, 90000), Arrived: now, Keyframe: key, Data: [][]byte{picture8(key)},
			})
		}
		if !s.noSound.Load() {
			_ = s.publisher.Write("audio", &media.AccessUnit{
				PTS: media.PTS(now, 48000), Arrived: now, Keyframe: true, Data: [][]byte{{0xf8, 0xff, 0xfe}},
			})
		}
	}
}

// start has a connection sent to, once.
func (s *server) start(c *peer.Connection) {
	if s.started == c {
		return
	}
	s.started = c
	_, _ = c.Start(rtpout.Feed{Stream: s.stream, Rendition: media.MainRendition})
}

// picture8 is a VP8 picture of 16x16 pixels, whose content nobody looks at.
func picture8(key bool) []byte {
	if key {
		return []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0, 1, 2, 3}
	}
	return []byte{0x11, 0, 0, 1, 2, 3}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// pulled runs a source against a hub.
type pulled struct {
	source *Source
	stream *hub.Stream
	cancel context.CancelFunc
	ended  chan error // capacity 1

	publications atomic.Int32
}

func newSource(t *testing.T, s *server) *Source {
	t.Helper()
	source, err := New(Options{
		URL: "whep" + strings.TrimPrefix(s.URL, "http") + "/live/whep", Token: "token", UserAgent: "Sluice/test",
		Engine: newEngine(t), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// start runs a source until the test ends.
func start(t *testing.T, source *Source) *pulled {
	t.Helper()
	stream, err := hub.New(hub.Options{}).Create("camera")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	p := &pulled{source: source, stream: stream, cancel: cancel, ended: make(chan error, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.ended <- p.run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return p
}

func (p *pulled) run(ctx context.Context) error {
	var publisher *hub.Publisher
	err := p.source.Run(ctx, func(tracks []media.Track) (*hub.Publisher, error) {
		if publisher != nil {
			publisher.Close()
		}
		p.publications.Add(1)
		var err error
		publisher, err = p.stream.Publish(media.MainRendition, tracks)
		return publisher, err
	})
	if publisher != nil {
		publisher.Close()
	}
	return err
}

// until waits for a state of the stream.
func (p *pulled) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	limit := time.After(patience)
	again := time.NewTicker(5 * time.Millisecond) // not all that is waited for is a change of the stream
	defer again.Stop()
	for !is() {
		select {
		case <-again.C:
		case err := <-p.ended:
			t.Fatalf("the source ended before %s: %v", what, err)
		case <-limit:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (p *pulled) carries(want ...media.Codec) func() bool {
	return func() bool {
		var codecs []media.Codec
		for _, t := range p.stream.Tracks(media.MainRendition) {
			codecs = append(codecs, t.Codec)
		}
		return slices.Equal(codecs, want)
	}
}

// end waits for the error that the source ends with.
func (p *pulled) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-p.ended:
		if err == nil {
			t.Fatal("the source ended without an error")
		}
		return err
	case <-time.After(patience):
		t.Fatal("the source does not end")
		return errors.New("unreachable")
	}
}
