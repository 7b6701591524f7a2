package rtsp

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/hub"
	"sluice/ingest"
	"sluice/internal/testcamera"
	"sluice/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should come much sooner.
const patience = 30 * time.Second

// player runs a source against a hub.
type player struct {
	source *Source
	stream *hub.Stream
	cancel context.CancelFunc
	ended  chan error
}

func newSource(t *testing.T, o Options) *Source {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// start runs a source until the test ends.
func start(t *testing.T, s *Source) *player {
	t.Helper()
	stream, err := hub.New(hub.Options{RingMaxAge: time.Minute, RingMaxBytes: 16 << 20}).Create("camera")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	p := &player{source: s, stream: stream, cancel: cancel, ended: make(chan error, 1)}
	go func() {
		var publisher *hub.Publisher
		err := s.Run(ctx, func(tracks []media.Track) (*hub.Publisher, error) {
			if publisher != nil {
				publisher.Close()
			}
			var err error
			publisher, err = stream.Publish(media.MainRendition, tracks)
			return publisher, err
		})
		if publisher != nil {
			publisher.Close()
		}
		p.ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-p.ended:
		case <-time.After(patience):
			t.Error("Run does not return")
		}
	})
	return p
}

// end waits for Run to return by itself.
func (p *player) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-p.ended:
		p.ended <- err
		return err
	case <-time.After(patience):
		t.Fatal("Run does not return")
		return nil
	}
}

// tracks waits for the stream to be published.
func (p *player) tracks(t *testing.T) []media.Track {
	t.Helper()
	deadline := time.After(patience)
	for {
		changed := p.stream.Changed()
		if tracks := p.stream.Tracks(media.MainRendition); tracks != nil {
			return tracks
		}
		select {
		case <-changed:
		case err := <-p.ended:
			p.ended <- err
			t.Fatalf("Run returned before it published: %v", err)
		case <-deadline:
			t.Fatal("nothing is published")
		}
	}
}

// units waits for n units of a track, and checks that the first one is a keyframe.
func (p *player) units(t *testing.T, id string, n int) []*hub.Unit {
	t.Helper()
	p.tracks(t)
	sub, err := p.stream.Subscribe(media.MainRendition, hub.StartKeyframe)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all []*hub.Unit
	for len(all) < n {
		u, err := sub.Next(ctx)
		if err != nil {
			t.Fatalf("after %d units of %s: %v", len(all), id, err)
		}
		if u.Track.ID == id {
			all = append(all, u)
		}
	}
	return all
}

// plays checks that the picture comes through.
func (p *player) plays(t *testing.T) {
	t.Helper()
	if units := p.units(t, "video", 3); !units[0].Keyframe {
		t.Error("the first unit is no keyframe")
	}
}

var _ ingest.Source = (*Source)(nil)

// E1
func TestTransports(t *testing.T) {
	for name, c := range map[string]struct{ transport, used Transport }{
		"tcp":                     {TCP, TCP},
		"udp":                     {UDP, UDP},
		"auto on the own network": {Auto, UDP},
	} {
		t.Run(name, func(t *testing.T) {
			camera := (&testcamera.Camera{SDP: testcamera.H264 + testcamera.PCMU}).Start(t)
			p := start(t, newSource(t, Options{URL: camera.URL(""), Transport: c.transport}))
			p.plays(t)
			p.units(t, "audio", 3)
			if got := p.waitStats(t); got != c.used {
				t.Errorf("played over %q, want %q", got, c.used)
			}
		})
	}
}

func (p *player) waitStats(t *testing.T) Transport {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if s := p.source.Stats(); s.Transport != "" && s.Packets > 0 {
			return s.Transport
		}
		<-time.After(10 * time.Millisecond) // sessions count every 50 ms
	}
	return ""
}

var loopback = netip.MustParseAddr("127.0.0.1")

func udpAddr(c *net.UDPConn) *net.UDPAddr { return c.LocalAddr().(*net.UDPAddr) }

// receive waits for what another goroutine sends.
func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing comes")
		panic("unreachable")
	}
}
