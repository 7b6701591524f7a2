package whep

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/hub"
	"sluice/ingest/whip"
	"sluice/media"
	"sluice/push"
	"sluice/session"
	"sluice/signalling/resource"
	"sluice/whep"
)

// gateway is the WHIP and WHEP endpoints of ours, for one stream that takes publishers.
type gateway struct {
	*httptest.Server
	sessions *session.Manager
	stream   *hub.Stream
	restarts atomic.Int32 // that were answered with a fragment
}

func newGateway(t *testing.T) *gateway {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	h := hub.New(hub.Options{})
	stream, err := h.Create("door")
	if err != nil {
		t.Fatal(err)
	}
	sessions := session.New(session.InHub(h, session.Terms{Publish: true}), session.On(newEngine(t), nil), session.Options{Log: log})
	resources := resource.New(resource.Options{Log: log})
	g := &gateway{sessions: sessions, stream: stream}
	publishers, viewers := whip.New(sessions, resources), whep.New(sessions, resources)
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
		w = &watched{ResponseWriter: w, gateway: g, restart: r.Method == http.MethodPatch && r.Header.Get("If-Match") == "*"}
		switch {
		case len(path) == 2 && path[1] == "whip":
			publishers.ServeEndpoint(w, r, path[0])
		case len(path) == 2:
			viewers.ServeEndpoint(w, r, path[0])
		case path[1] == "whip":
			publishers.ServeSession(w, r, path[0], path[2])
		default:
			viewers.ServeSession(w, r, path[0], path[2])
		}
	}))
	t.Cleanup(func() {
		g.Close()
		sessions.Close()
		h.Close()
	})
	return g
}

// watched counts the restarts that are answered.
type watched struct {
	http.ResponseWriter
	gateway *gateway
	restart bool
}

func (w *watched) WriteHeader(status int) {
	if w.restart && status == http.StatusOK {
		w.gateway.restarts.Add(1)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// feed publishes VP8 and Opus until the test ends, unless it is paused, and counts the wishes for keyframes.
func feed(t *testing.T, s *hub.Stream) (paused *atomic.Bool, wishes *atomic.Int32) {
	t.Helper()
	picture := vp8
	picture.Width, picture.Height = 16, 16
	p, err := s.Publish(media.MainRendition, []media.Track{picture, opus})
	if err != nil {
		t.Fatal(err)
	}
	paused, wishes = &atomic.Bool{}, &atomic.Int32{}
	stop, stopped := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() {
		close(stop)
		<-stopped
		p.Close()
	})
	go func() {
		defer close(stopped)
		every := time.NewTicker(20 * time.Millisecond)
		defer every.Stop()
		for n := 0; ; n++ {
			select {
			case <-p.KeyframeRequests():
				wishes.Add(1)
				continue
			case <-stop:
				return
			case <-every.C:
			}
			if now := time.Now(); !paused.Load() {
				key := n%10 == 0
				_ = p.Write("video", &media.AccessUnit{PTS: media.PTS(now, 90000), Keyframe: key, Data: [][]byte{picture8(key)}})
				_ = p.Write("audio", &media.AccessUnit{PTS: media.PTS(now, 48000), Keyframe: true, Data: [][]byte{{0xf8, 0xff, 0xfe}}})
			}
		}
	}()
	return paused, wishes
}

// pushes has a stream pushed to the gateway until the test ends.
func (g *gateway) pushes(t *testing.T, from *hub.Stream) {
	t.Helper()
	p, err := push.New(push.Options{
		Stream: from, URL: "whip" + strings.TrimPrefix(g.URL, "http") + "/door/whip", UserAgent: "Sluice/test",
		Engine: newEngine(t), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = p.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		if n := len(g.sessions.Sessions()); n != 0 {
			t.Errorf("%d sessions are left at the gateway", n)
		}
	})
}

// C1, C7, C11, C14: from one gateway pushed to another, and pulled from that by a third; a pause is bridged by ICE
// restarts, and a keyframe wish goes all the way back.
func TestThroughAnotherGateway(t *testing.T) {
	for name, query := range map[string]string{"answering": "", "offering": "?offer=server"} {
		t.Run(name, func(t *testing.T) {
			origin, err := hub.New(hub.Options{}).Create("origin")
			if err != nil {
				t.Fatal(err)
			}
			paused, wishes := feed(t, origin)
			g := newGateway(t)
			g.pushes(t, origin)
			source, err := New(Options{
				URL: "whep" + strings.TrimPrefix(g.URL, "http") + "/door/whep" + query, UserAgent: "Sluice/test",
				Engine: newEngine(t), Log: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			if query == "" {
				source.times.doubt = 500 * time.Millisecond
			}
			awaitTracks(t, g.stream)
			p := start(t, source)
			p.until(t, "both tracks", p.carries(media.VP8, media.Opus))

			before := wishes.Load()
			p.until(t, "a wish at the origin", func() bool {
				p.stream.RequestKeyframe(media.MainRendition)
				return wishes.Load() > before
			})
			if query == "" { // it is for the side that has offered
				paused.Store(true)
				p.until(t, "an ICE restart", func() bool { return g.restarts.Load() > 0 })
				paused.Store(false)
			}
			packets := p.source.Stats().Packets
			p.until(t, "media again", func() bool { return p.source.Stats().Packets > packets+50 })
			if n := p.publications.Load(); n != 1 {
				t.Errorf("published %d times, want once", n)
			}
			p.cancel()
			if err := p.end(t); !errors.Is(err, context.Canceled) {
				t.Errorf("ended with %v", err)
			}
			if n := len(g.sessions.Sessions()); n != 1 {
				t.Errorf("%d sessions at the gateway, want the push alone", n)
			}
		})
	}
}

// awaitTracks waits until a stream is published.
func awaitTracks(t *testing.T, s *hub.Stream) {
	t.Helper()
	limit := time.After(patience)
	for {
		changed := s.Changed()
		if len(s.Renditions()) > 0 && len(s.Renditions()[0].Tracks) == 2 {
			return
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatal("nobody publishes")
		}
	}
}
