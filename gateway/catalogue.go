package gateway

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"sluice/config"
	"sluice/hub"
	"sluice/ingest"
	"sluice/negotiation"
	"sluice/push"
	"sluice/session"
	"sluice/transcode"
)

// sweepInterval is how often streams of patterns are looked for that nobody needs.
const sweepInterval = time.Second

// catalogue is the streams that there are: those that the configuration names, and those that its patterns have
// brought about because somebody asked for them. All methods may be called from any goroutine; Run is called once.
type catalogue struct {
	hub    *hub.Hub           // fixed
	build  func(*entry) error // fixed: makes what an entry runs
	forget func(name string)  // fixed: drops what others have counted of a stream that is no more

	begun chan struct{} // capacity 1; sent to when fresh has grown

	mu      sync.Mutex
	config  config.Config     // guarded by mu
	refused uint64            // guarded by mu: how many were not made for want of room
	entries map[string]*entry // guarded by mu; by name
	fresh   []*entry          // guarded by mu: those that Run does not run yet
	bred    int               // guarded by mu: how many are of patterns

	ending map[string]<-chan struct{} // guarded by mu; by name: closed when the last entry that was removed has ended
}

// entry is one stream and what feeds it. Another configuration of the stream is another entry.
type entry struct {
	name   string        // fixed
	config config.Stream // fixed: of this stream, nothing of a pattern in it
	bred   bool          // fixed: a pattern has brought it about
	stream *hub.Stream   // fixed
	holds  *holds        // fixed; shared by the entries of a stream that follow each other

	supervisor *ingest.Supervisor // fixed; nil for a stream that is fed by publishers
	pushes     []*push.Pusher     // fixed
	transcoder *transcode.Stream  // fixed; nil only where a test has none

	after <-chan struct{} // fixed: closed when the entry before it has ended; nil: there was none
	stop  chan struct{}   // closed when the entry is to end
	over  chan struct{}   // closed by run

	past chan struct{} // closed when sessions can't go on; shared by entries that follow each other as long as they can
}

// holds counts the sessions that need a stream. It is guarded by the catalogue's mu.
type holds struct {
	n     int
	freed time.Time // when n last became 0
}

// runner is what runs as long as its stream is there: until ctx is done, whose cause it returns.
type runner interface {
	Run(ctx context.Context) error
}

func newCatalogue(c config.Config, h *hub.Hub, build func(*entry) error, forget func(string)) *catalogue {
	return &catalogue{
		config: c, hub: h, build: build, forget: forget,
		begun: make(chan struct{}, 1), entries: make(map[string]*entry), ending: make(map[string]<-chan struct{}),
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
	e := newEntry(name, s, stream)
	e.bred, e.after = bred, c.ending[name]
	if err := c.build(e); err != nil {
		_ = c.hub.Remove(name) // it has just been made
		return nil, err
	}
	c.put(e)
	return e, nil
}

func newEntry(name string, s config.Stream, stream *hub.Stream) *entry {
	return &entry{
		name: name, config: s, stream: stream, holds: &holds{},
		stop: make(chan struct{}), over: make(chan struct{}), past: make(chan struct{}),
	}
}

// put needs mu.
func (c *catalogue) put(e *entry) {
	c.entries[e.name] = e
	c.fresh = append(c.fresh, e)
	select {
	case c.begun <- struct{}{}:
	default:
	}
}

// Find implements session.Streams.
func (c *catalogue) Find(name string) (*hub.Stream, session.Terms, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, err := c.find(name)
	if err != nil {
		return nil, session.Terms{}, err
	}
	e.holds.n++
	return e.stream, session.Terms{
		Publish:    e.config.Source == config.PublishSource,
		OnConflict: session.Conflict(e.config.OnConflict),
		Start:      startOf(e.config),
		Transcode:  negotiation.Transcode(e.config.Transcode),
		Maker:      e.transcoder,
		Past:       e.past,
		Release:    func() { c.release(e.holds) },
	}, nil
}

// startOf is where the viewers of a stream begin.
func startOf(c config.Stream) hub.Start {
	if c.Start == config.StartKeyframe {
		return hub.StartKeyframe
	}
	return hub.StartGOP
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
	if c.full() {
		c.sweep() // names that were tried in vain give way at once
	}
	if c.full() {
		c.refused++
		return nil, &session.Refusal{
			Reason: session.ReasonLimit, RetryAfter: 10 * sweepInterval,
			Err: fmt.Errorf("there are %d streams already, which is the limit (limits.streams)", len(c.entries)),
		}
	}
	e, err := c.add(name, s, true)
	if err != nil {
		return nil, err
	}
	c.bred++
	return e, nil
}

// full reports whether no stream may be added by asking for it: whoever watches can make up names. It needs mu.
func (c *catalogue) full() bool {
	limit := c.config.Limits.Streams
	return limit > 0 && len(c.entries) >= limit
}

// refusals is how many streams were not made for want of room.
func (c *catalogue) refusals() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused
}

func (c *catalogue) release(h *holds) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.n--; h.n == 0 {
		h.freed = time.Now()
	}
}

// entry finds a stream that is there.
func (c *catalogue) entry(name string) (*entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[name]
	return e, ok
}

// Run keeps all streams fed until ctx is done; it waits for all that it runs.
func (c *catalogue) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	sweep := time.NewTicker(sweepInterval)
	defer sweep.Stop()
	for ctx.Err() == nil {
		for _, e := range c.takeFresh() {
			running.Go(func() { e.run(ctx) })
		}
		select {
		case <-c.begun:
		case <-sweep.C:
			c.mu.Lock()
			c.sweep()
			c.mu.Unlock()
		case <-ctx.Done():
		}
	}
}

func (c *catalogue) takeFresh() []*entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh := c.fresh
	c.fresh = nil
	return fresh
}

// sweep ends the streams of patterns that nobody needs any more. It needs mu, or a name could come back before all
// of it is gone.
func (c *catalogue) sweep() {
	maps.DeleteFunc(c.ending, func(_ string, over <-chan struct{}) bool { return isClosed(over) })
	for _, e := range c.entries {
		if e.bred && e.holds.n == 0 && !e.lingers() {
			c.remove(e)
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// remove needs mu.
func (c *catalogue) remove(e *entry) {
	close(e.stop)
	close(e.past)
	delete(c.entries, e.name)
	c.ending[e.name] = e.over
	if e.bred {
		c.bred--
	}
	_ = c.hub.Remove(e.name) // nobody else removes it
	c.forget(e.name)
}

// lingers reports whether the stream's source is still kept for the next viewer. The supervisor sees to that, but for
// a stream that is pushed or has a sink: it is wanted for as long as it is there.
func (e *entry) lingers() bool {
	switch {
	case e.supervisor == nil:
		return false
	case len(e.pushes) > 0 || e.config.Sink != "":
		return time.Since(e.holds.freed) < e.config.OnDemandCloseAfter
	}
	state, _ := e.stream.State()
	return state != hub.StateIdle
}

// run runs what feeds the stream, and what it is pushed to, until ctx is done or the entry is to end. It begins when
// the entry before it has ended.
func (e *entry) run(ctx context.Context) {
	defer close(e.over)
	if e.after != nil {
		<-e.after
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var parts sync.WaitGroup
	for _, r := range e.runners() {
		parts.Go(func() { _ = r.Run(ctx) }) // it returns the cause of ctx, which says nothing
	}
	select {
	case <-ctx.Done():
	case <-e.stop:
		cancel()
	}
	parts.Wait()
}

func (e *entry) runners() []runner {
	var all []runner
	if e.supervisor != nil {
		all = append(all, e.supervisor)
	}
	for _, p := range e.pushes {
		all = append(all, p)
	}
	if e.transcoder != nil {
		all = append(all, e.transcoder)
	}
	return all
}
