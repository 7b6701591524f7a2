package session

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sluice/negotiation"
	"sluice/rtpout"
)

const (
	retrySource  = 2 * time.Second // when a refused peer may ask again
	retryAltered = time.Second     // when one may whose stream has changed; there is nothing to wait for
)

// Options is how sessions are run.
type Options struct {
	Policy              negotiation.Policy
	ICETimeout          time.Duration // from the answer to connected; 0: 10 s
	ViewerIdleTimeout   time.Duration // how long a viewer is kept without a source; 0: 60 s
	StrictPreconditions bool          // a fragment for Patch must come with its generation, even if it names it itself
	Limits              Limits
	PaceBits            int // bit/s of what viewers are sent at once; 0: 30 Mbit/s
	Reach               Reach
	Log                 *slog.Logger
}

// Manager makes sessions and knows all that live. All methods may be called from any goroutine.
type Manager struct {
	streams Streams      // fixed after New
	engine  Engine       // fixed after New
	log     *slog.Logger // fixed after New
	gate    *gate        // fixed after New
	desk    *desk        // fixed after New

	settings atomic.Pointer[Options] // see Configure
	history  history                 // has its own lock

	running sync.WaitGroup // one for each session that lives

	mu       sync.Mutex
	sessions map[string]*Session         // guarded by mu
	closed   bool                        // guarded by mu
	stopped  chan struct{}               // closed by Close
	total    uint64                      // guarded by mu
	routes   map[Route]uint64            // guarded by mu; of viewers: how many there have been
	sent     map[string]*rtpout.Counters // guarded by mu; by stream
}

// New makes a manager without sessions.
func New(s Streams, e Engine, o Options) *Manager {
	m := &Manager{
		streams: s, engine: e, log: o.Log, gate: newGate(o.Limits), desk: newDesk(),
		sessions: make(map[string]*Session), sent: make(map[string]*rtpout.Counters), routes: make(map[Route]uint64),
		stopped: make(chan struct{}),
	}
	m.Configure(o)
	return m
}

// Configure has other options hold from now on, but for Log. Sessions that are there stay, above a new limit too; a
// time that is being waited for is not changed any more.
func (m *Manager) Configure(o Options) {
	if o.ICETimeout == 0 {
		o.ICETimeout = 10 * time.Second
	}
	if o.ViewerIdleTimeout == 0 {
		o.ViewerIdleTimeout = time.Minute
	}
	m.settings.Store(&o)
	m.gate.set(o.Limits)
}

func (m *Manager) options() *Options { return m.settings.Load() }

// start runs a session whose link and part are set. The session owns its link and stay from then on, unless there is
// an error.
func (m *Manager) start(ctx context.Context, s *Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errShutdown()
	}
	if s.stay.terms.arePast() { // EndIf has not seen it, and will not
		return errAltered(s.Stream())
	}
	m.sessions[s.id] = s
	m.total++
	if s.viewer != nil {
		m.routes[s.viewer.route]++
	}
	m.running.Add(1)
	go s.run(context.WithoutCancel(ctx))
	return nil
}

func errShutdown() error {
	return &Refusal{
		Reason: ReasonShutdown, RetryAfter: retrySource,
		Err: errors.New("the gateway is shutting down"),
	}
}

func errAltered(stream string) error {
	return &Refusal{
		Reason: ReasonAltered, RetryAfter: retryAltered,
		Err: fmt.Errorf("the configuration of stream %q has just changed: try again", stream),
	}
}

// refused makes the one refusal of an error, and tells the operator of peers who can't be helped by waiting: what
// keeps a source away is told by the source itself, and a name that does not exist is anybody's typing.
func (m *Manager) refused(ctx context.Context, role Role, stream string, err error) *Refusal {
	r := refusalOf(err)
	level := slog.LevelDebug
	switch r.Reason {
	case ReasonCodec, ReasonCapacity, ReasonUnservable, ReasonBusy, ReasonNotPublishable, ReasonLimit, ReasonHostLimit:
		level = slog.LevelInfo
	}
	m.log.Log(ctx, level, "session refused", "role", role, "stream", stream, "reason", r.Reason, "err", r.Err)
	return r
}

func (m *Manager) remove(s *Session) {
	m.mu.Lock()
	delete(m.sessions, s.id)
	m.mu.Unlock()
}

// Session finds a session that lives.
func (m *Manager) Session(id string) (*Session, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sessions[id]
	return s, ok
}

// Sessions lists those that live, by age.
func (m *Manager) Sessions() []*Session {
	m.mu.Lock()
	all := make([]*Session, 0, len(m.sessions))
	for _, s := range m.sessions {
		all = append(all, s)
	}
	m.mu.Unlock()
	slices.SortFunc(all, func(a, b *Session) int {
		return cmp.Or(a.created.Compare(b.created), strings.Compare(a.id, b.id))
	})
	return all
}

func (m *Manager) counters(stream string) *rtpout.Counters {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.sent[stream]
	if !ok {
		c = &rtpout.Counters{}
		m.sent[stream] = c
	}
	return c
}

// Sent is what all viewers of a stream, those that have gone included, have been sent.
func (m *Manager) Sent(stream string) rtpout.Stats { return m.counters(stream).Stats() }

// Forget drops what has been counted of a stream that is no more.
func (m *Manager) Forget(stream string) {
	m.mu.Lock()
	delete(m.sent, stream)
	m.mu.Unlock()
}

// Refusals is how many sessions each limit has kept out.
func (m *Manager) Refusals() map[Limit]uint64 { return m.gate.refusals() }

// EndIf ends the sessions that are to end, for a reason, without waiting until they are over.
func (m *Manager) EndIf(why error, which func(*Session) bool) {
	for _, s := range m.Sessions() {
		if which(s) {
			s.end(why)
		}
	}
}

// Total is how many sessions there have been.
func (m *Manager) Total() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.total
}

// Routes is how many viewers there have been, by the way that they went.
func (m *Manager) Routes() map[Route]uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.routes)
}

// Close ends all sessions, refuses new ones and returns when the last goroutine has ended.
func (m *Manager) Close() {
	m.mu.Lock()
	if !m.closed {
		m.closed = true
		close(m.stopped)
	}
	m.mu.Unlock()
	for _, s := range m.Sessions() {
		s.end(errShutdown())
	}
	m.running.Wait()
}

// newID is 128 random bits, which make the session's URL a capability (RFC 9725 5).
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails

	return base64.RawURLEncoding.EncodeToString(b[:])
}
