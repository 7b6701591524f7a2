package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/config"
	"sluice/hub"
	"sluice/ingest"
	"sluice/media"
	"sluice/push"
	"sluice/session"
)

const closeAfter = 10 * time.Second // of the streams that are pulled

// library is a catalogue under test that runs in a bubble. Streams "pub*" are published, "cam*" and "on*" pulled, and
// "on*" pushed as well; "solo" is no pattern.
type library struct {
	*catalogue
	hub  *hub.Hub
	slow time.Duration // that sources take to end; set before one begins

	mu        sync.Mutex
	forgotten []string // guarded by mu
	running   int      // guarded by mu: sources at work
	most      int      // guarded by mu: of them at once
}

func inLibrary(t *testing.T, test func(t *testing.T, l *library)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &library{hub: hub.New(hub.Options{})}
		pulled := config.Stream{Source: "rtsp://192.0.2.1/${stream}", OnDemand: true, OnDemandCloseAfter: closeAfter}
		c := config.Config{Streams: map[string]config.Stream{
			"pub*": {Source: config.PublishSource}, "solo": {Source: config.PublishSource}, "cam*": pulled, "on*": pulled,
		}}
		l.catalogue = newCatalogue(c, l.hub, l.build, l.forgets)
		if err := l.addFixed(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var ran sync.WaitGroup
		ran.Go(func() { l.Run(ctx) })
		test(t, l)
		cancel()
		ran.Wait()
		if l.atWork() != 0 {
			t.Error("Run has returned before a source has")
		}
	})
}

func (l *library) build(e *entry) error {
	log := slog.New(slog.DiscardHandler)
	switch e.config.Source {
	case config.PublishSource:
		return nil
	case "bad":
		return errors.New("it can't be made")
	}
	e.supervisor = &ingest.Supervisor{
		Stream: e.stream, Rendition: media.MainRendition, Source: works{l}, Log: log, OnDemand: true, CloseAfter: e.config.OnDemandCloseAfter,
	}
	if e.name[0] != 'o' {
		return nil
	}
	p, err := push.New(push.Options{Stream: e.stream, URL: "whip://192.0.2.1/" + e.name, Log: log})
	e.pushes = append(e.pushes, p)
	return err
}

// works is the source of all that is pulled.
type works struct{ *library }

// Run never gets as far as tracks.
func (w works) Run(ctx context.Context, _ ingest.Publish) error {
	w.add(1)
	defer w.add(-1)
	<-ctx.Done()
	time.Sleep(w.slow)
	return context.Cause(ctx)
}

func (l *library) add(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running += n
	l.most = max(l.most, l.running)
}

func (l *library) atWork() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running
}

func (l *library) forgets(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgotten = append(l.forgotten, name)
}

func (l *library) find(t *testing.T, name string) (*hub.Stream, session.Terms) {
	t.Helper()
	s, terms, err := l.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return s, terms
}

func (l *library) has(name string) bool {
	_, err := l.hub.Stream(name)
	_, ok := l.entry(name)
	return ok && err == nil
}

// count is how many streams there are of patterns, and in all.
func (l *library) count() (bred, all int) {
	l.catalogue.mu.Lock()
	defer l.catalogue.mu.Unlock()
	return l.bred, len(l.entries)
}

func (l *library) hasForgotten(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Contains(l.forgotten, name)
}

// Whoever holds a stream of a pattern keeps it; when the last one has gone, so has all that is known of it.
func TestStreamOfPatternIsHeld(t *testing.T) {
	inLibrary(t, func(t *testing.T, l *library) {
		first, one := l.find(t, "pub1")
		again, other := l.find(t, "pub1")
		if first != again || !one.Publish {
			t.Error("two streams of one name")
		}
		one.Release()
		time.Sleep(time.Hour)
		if !l.has("pub1") {
			t.Error("swept while it is held")
		}
		other.Release()
		time.Sleep(2 * sweepInterval)
		if bred, _ := l.count(); l.has("pub1") || bred != 0 || !l.hasForgotten("pub1") {
			t.Errorf("something is left; %d streams of patterns", bred)
		}
		if _, err := first.Publish("main", nil); !errors.Is(err, hub.ErrClosed) {
			t.Errorf("published to a stream that is gone: %v", err)
		}
		if anew, terms := l.find(t, "pub1"); anew == first {
			t.Error("the stream that is gone is found")
		} else {
			terms.Release()
		}
	})
}

// Streams with a table of their own stay, and names of no table have none.
func TestFixedStreams(t *testing.T) {
	inLibrary(t, func(t *testing.T, l *library) {
		_, terms := l.find(t, "solo")
		terms.Release()
		time.Sleep(2 * sweepInterval)
		if !l.has("solo") {
			t.Error("a stream of the configuration was swept")
		}
		for _, name := range []string{"other", "pub*", "cam*", "", "pub/1"} {
			if _, _, err := l.Find(name); !errors.As(err, new(*hub.StreamNotFoundError)) {
				t.Errorf("%q: %v", name, err)
			}
		}
	})
}

// Many at once who ask for names that are not there yet get one stream a name, also while others are swept.
func TestManyFindAtOnce(t *testing.T) {
	inLibrary(t, func(t *testing.T, l *library) {
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				for n := range 20 {
					name := fmt.Sprintf("pub%d", n%4)
					s, terms, err := l.Find(name)
					if err != nil {
						t.Error(err)
						return
					}
					if held, err := l.hub.Stream(name); err != nil || held != s {
						t.Errorf("%s is held, and not in the hub: %v", name, err)
					}
					time.Sleep(time.Duration(i%7) * sweepInterval / 4)
					terms.Release()
				}
			})
		}
		all.Wait()
		time.Sleep(2 * sweepInterval)
		if bred, all := l.count(); bred != 0 || all != 1 {
			t.Errorf("%d streams of patterns, %d in all", bred, all)
		}
	})
}

// The number of streams of patterns is bounded (I30), and names that nobody needs any more count for nothing.
func TestStreamsOfPatternsAreBounded(t *testing.T) {
	inLibrary(t, func(t *testing.T, l *library) {
		var held []session.Terms
		const limit = 16
		l.catalogue.config.Limits.Streams = limit
		for i := range limit - 1 { // and solo
			_, terms := l.find(t, fmt.Sprintf("pub%d", i))
			held = append(held, terms)
		}
		var refused *session.Refusal
		if _, _, err := l.Find("pub"); !errors.As(err, &refused) || refused.Reason != session.ReasonLimit || refused.RetryAfter == 0 || l.refusals() != 1 {
			t.Errorf("one too many: %v", err)
		}
		l.find(t, "pub7") // which is there
		held[8].Release()
		l.find(t, "pub") // in place of that
	})
}

// A stream that comes back while what fed it is still ending begins behind that: its device, camera or file is never
// opened twice.
func TestStreamComesBackAtOnce(t *testing.T) {
	const slow = 5 * time.Second
	for name, again := range map[string]func(t *testing.T, l *library){
		"reloaded without it, and with it": func(t *testing.T, l *library) {
			l.altered(t, func(s map[string]config.Stream) { s["other"] = pulledFrom("rtsp://192.0.2.1/") })
			l.altered(t, func(s map[string]config.Stream) { delete(s, "other") })
			l.altered(t, func(s map[string]config.Stream) { s["other"] = pulledFrom("rtsp://192.0.2.1/") })
		},
		"swept, and asked for": func(t *testing.T, l *library) {
			_, terms := l.find(t, "on1")
			terms.Release()
			for l.has("on1") {
				time.Sleep(sweepInterval / 4)
			}
			l.find(t, "on1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			inLibrary(t, func(t *testing.T, l *library) {
				l.slow = slow
				again(t, l)
				time.Sleep(slow / 2)
				if l.atWork() != 1 {
					t.Errorf("%d sources at work while the first ends", l.atWork())
				}
				time.Sleep(2 * slow)
				synctest.Wait()
				if l.atWork() != 1 || l.most != 1 {
					t.Errorf("%d sources at work in the end, %d at once", l.atWork(), l.most)
				}
				l.catalogue.mu.Lock()
				defer l.catalogue.mu.Unlock()
				if n := len(l.ending); n != 0 {
					t.Errorf("%d streams are ending", n)
				}
			})
		})
	}
}

// A source on demand starts for who comes and works until nobody has come for a while; then its stream goes.
func TestPulledStreamOfPattern(t *testing.T) {
	for _, name := range []string{"cam1", "on1"} { // on1 is pushed on, which wants it all the time
		t.Run(name, func(t *testing.T) {
			inLibrary(t, func(t *testing.T, l *library) {
				s, terms := l.find(t, name)
				time.Sleep(2 * sweepInterval)
				if !l.has(name) {
					t.Fatal("swept before the source has begun")
				}
				wanted := s.Want()
				time.Sleep(time.Hour)
				if l.atWork() != 1 {
					t.Error("the source does not work")
				}
				wanted()
				terms.Release()
				time.Sleep(closeAfter / 2)
				if !l.has(name) || l.atWork() != 1 {
					t.Error("the source has not waited for the next viewer")
				}
				time.Sleep(closeAfter)
				if l.has(name) || l.atWork() != 0 {
					t.Errorf("still there, with %d sources at work", l.atWork())
				}
			})
		})
	}
}
