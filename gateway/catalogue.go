package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/config"
	"sluice/hub"
	"sluice/ingest"
	"sluice/push"
	"sluice/session"
)

const (
	// maxPatternStreams bounds the streams of patterns that are there at a time: whoever watches can make up names.
	maxPatternStreams = 256
	// sweepInterval is how often streams of patterns are looked for that nobody needs.
	sweepInterval = time.Second
)

// catalogue is the streams that there are: those that the configuration names, and those that its patterns have
// brought about because somebody asked for them. All methods may be called from any goroutine; Run is called once.
type catalogue struct {
	config config.Config      // fixed
	hub    *hub.Hub           // fixed
	build  func(*entry) error // fixed: makes what an entry runs

	begun chan struct{} // capacity 1; sent to by Find when fresh has grown

	mu      sync.Mutex
	entries map[string]*entry // guarded by mu; by name
	fresh   []*entry          // guarded by mu: those that Run does not run yet
	bred    int               // guarded by mu: how many are of patterns
}

// entry is one stream and what feeds it.
type entry struct {
	name   string        // fixed
	config config.Stream // fixed: of this stream, nothing of a pattern in it
	bred   bool          // fixed: a pattern has brought it about
	stream *hub.Stream   // fixed

	supervisor *ingest.Supervisor // fixed; nil for a stream that is fed by publishers
	pushes     []*push.Pusher     // fixed

	stop chan struct{} // closed by sweep

	holds int // guarded by the catalogue's mu: sessions that need it
}

// runner is what runs as long as its stream is there.
type runner interface {
	Run(ctx context.Context) error
}

func newCatalogue(c config.Config, h *hub.Hub, build func(*entry) error) *catalogue {
	return &catalogue{
		config: c, hub: h, build: build,
		begun: make(chan struct{}, 1), entries: make(map[string]*entry),
	}
}

// addFixed makes the streams that the configuration names. Errors name the stream.
func (c *catalogue) addFixed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, s := range c.config.Streams {
		if config.IsPattern(name) {
			continue
		}
		if _, err := c.add(name, s, false); err != nil {
			return fmt.Errorf("stream %q: %w", name, err)
		}
	}
	return nil
}

// add needs mu, so that no name ever has two streams.
func (c *catalogue) add(name string, s config.Stream, bred bool) (*entry, error) {
	stream, err := c.hub.Create(name)
	if err != nil {
		return nil, err
	}
	e := &entry{name: name, config: s, bred: bred, stream: stream, stop: make(chan struct{})}
	if err := c.build(e); err != nil {
		_ = c.hub.Remove(name) // it has just been made
		return nil, err
	}
	c.entries[name] = e
	c.fresh = append(c.fresh, e)
	return e, nil
}

// Find implements session.Streams.
func (c *catalogue) Find(name string) (*hub.Stream, session.Terms, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, err := c.find(name)
	if err != nil {
		return nil, session.Terms{}, err
	}
	e.holds++
	return e.stream, session.Terms{
		Publish:    e.config.Source == config.PublishSource,
		OnConflict: session.Conflict(e.config.OnConflict),
		Release:    func() { c.release(e) },
	}, nil
}

// find needs mu.
func (c *catalogue) find(name string) (*entry, error) {
	if e, ok := c.entries[name]; ok {
		return e, nil
	}
	s, pattern, ok := c.config.Lookup(name)
	if !ok || pattern == "" {
		return nil, &hub.StreamNotFoundError{Name: name}
	}
	if c.bred == maxPatternStreams {
		return nil, &session.Refusal{
			Reason: session.ReasonLimit, RetryAfter: 10 * sweepInterval,
			Err: fmt.Errorf("there are %d streams of patterns already, which is the limit", maxPatternStreams),
		}
	}
	e, err := c.add(name, s, true)
	if err != nil {
		return nil, err
	}
	c.bred++
	select {
	case c.begun <- struct{}{}:
	default:
	}
	return e, nil
}

func (c *catalogue) release(e *entry) {
	c.mu.Lock()
	e.holds--
	c.mu.Unlock()
}

// entry finds a stream that is there.
func (c *catalogue) entry(name string) (*entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[name]
	return e, ok
}

// Run keeps all streams fed until ctx is done, then returns nil; it waits for all that it runs.
func (c *catalogue) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	sweep := time.NewTicker(sweepInterval)
	defer sweep.Stop()
	for ctx.Err() == nil {
		for _, e := range c.takeFresh() {
			group.Go(func() error { return e.run(ctx) })
		}
		select {
		case <-c.begun:
		case <-sweep.C:
			c.sweep()
		case <-ctx.Done():
		}
	}
	return group.Wait()
}

func (c *catalogue) takeFresh() []*entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh := c.fresh
	c.fresh = nil
	return fresh
}

// sweep ends the streams of patterns that nobody needs any more.
func (c *catalogue) sweep() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, e := range c.entries {
		if !e.bred || e.holds > 0 || e.supervisor != nil && e.feeds() {
			continue
		}
		close(e.stop)
		delete(c.entries, name)
		c.bred--
		_ = c.hub.Remove(name) // nobody else removes it
	}
}

// feeds reports whether the source of an on-demand stream is at work, which ends by itself some time after the last
// viewer.
func (e *entry) feeds() bool {
	state, _ := e.stream.State()
	return state != hub.StateIdle
}

// run runs what feeds the stream, and what it is pushed to, until ctx is done or the stream is swept away.
func (e *entry) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var parts sync.WaitGroup
	start := func(r runner) {
		parts.Go(func() {
			if err := r.Run(ctx); ctx.Err() == nil {
				cancel(fmt.Errorf("stream %q: %w", e.name, err))
			}
		})
	}
	if e.supervisor != nil {
		start(e.supervisor)
	}
	for _, p := range e.pushes {
		start(p)
	}
	select {
	case <-ctx.Done():
	case <-e.stop:
		cancel(errSwept)
	}
	parts.Wait()
	if err := context.Cause(ctx); !errors.Is(err, errSwept) && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// errSwept ends what runs for a stream that nobody needs.
var errSwept = errors.New("nobody needs the stream")
