// Package testsource runs a source for a test, and looks at what comes of it as a player would: by decoding it.
package testsource

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"sluice/hub"
	"sluice/ingest"
	"sluice/media"
)

// Patience is how long anything that a test waits for may take.
const Patience = 30 * time.Second

// Running is a source that runs.
type Running struct {
	Stream *hub.Stream

	publications atomic.Int32
	cancel       context.CancelFunc
	ended        chan struct{} // closed when Run has returned
	err          error         // what it returned
}

// Start runs a source until the test ends. Unlike a supervisor it does not run it again.
func Start(t testing.TB, s ingest.Source) *Running {
	t.Helper()
	stream, err := hub.New(hub.Options{RingMaxAge: 10 * time.Second, RingMaxBytes: 16 << 20}).Create("stream")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &Running{Stream: stream, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		var p *hub.Publisher
		r.err = s.Run(ctx, func(tracks []media.Track) (*hub.Publisher, error) {
			if p != nil {
				p.Close()
			}
			var err error
			p, err = stream.Publish(media.MainRendition, tracks)
			r.publications.Add(1)
			return p, err
		})
		if p != nil {
			p.Close()
		}
	}()
	t.Cleanup(func() { _ = r.Stop(t) })
	return r
}

// Publications is how often the source has published.
func (r *Running) Publications() int { return int(r.publications.Load()) }

// Stop ends the source, which has to return within 2 s, and a bit on a machine that stands still, and returns what it
// returned.
func (r *Running) Stop(t testing.TB) error {
	t.Helper()
	r.cancel()
	select {
	case <-r.ended:
	case <-time.After(10 * time.Second):
		t.Error("the source did not return within 2 s")
		<-r.ended
	}
	return r.err
}

// Failure waits until the source returns by itself.
func (r *Running) Failure(t testing.TB) error {
	t.Helper()
	select {
	case <-r.ended:
	case <-time.After(Patience):
		t.Fatal("the source does not return")
	}
	return r.err
}

// Tracks waits until so many tracks are published.
func (r *Running) Tracks(t testing.TB, n int) []media.Track {
	t.Helper()
	limit := time.After(Patience)
	for {
		changed := r.Stream.Changed()
		if tracks := r.Stream.Tracks(media.MainRendition); len(tracks) == n {
			return tracks
		}
		select {
		case <-changed:
		case <-r.ended:
			t.Fatalf("the source ended: %v", r.err)
		case <-limit:
			t.Fatalf("%d tracks are not published", n)
		}
	}
}

// keyInterval is how often Units asks for a keyframe, as viewers do too: a wish is lost that comes while one is written.
const keyInterval = 700 * time.Millisecond

// Units asks for a keyframe and reads n units of a track from it on.
func (r *Running) Units(t testing.TB, track string, n int) []*media.AccessUnit {
	t.Helper()
	sub, err := r.Stream.Subscribe(media.MainRendition, hub.StartKeyframe)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	var units []*media.AccessUnit
	for limit := time.Now().Add(Patience); len(units) < n; {
		if len(units) == 0 {
			sub.RequestKeyframe()
		}
		ctx, cancel := context.WithTimeout(t.Context(), keyInterval)
		u, err := sub.Next(ctx)
		cancel()
		switch {
		case errors.Is(err, context.DeadlineExceeded) && time.Now().Before(limit):
		case err != nil:
			t.Fatalf("%d units of %s, want %d: %v", len(units), track, n, err)
		case u.Track.ID == track:
			units = append(units, u.AccessUnit)
		}
	}
	return units
}
