package session

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
	"sluice/peer"
)

const (
	sourceWait  = 4 * time.Second // how long a request waits for a source that is being started (B10)
	retrySource = 2 * time.Second // when a refused viewer may ask again
)

// Player answers a viewer's offer and connects to it. *peer.Engine is one.
type Player interface {
	Play(offer *negotiation.Offer, plan *negotiation.Plan, o peer.PlayOptions) (*peer.Connection, error)
}

// Options is how sessions are run.
type Options struct {
	Policy            negotiation.Policy
	ICETimeout        time.Duration // from the answer to connected; 0: 10 s
	ViewerIdleTimeout time.Duration // how long a viewer is kept without a source; 0: 60 s
	Log               *slog.Logger
}

// Manager makes sessions and knows all that live. All methods may be called from any goroutine.
type Manager struct {
	hub     *hub.Hub // fixed after NewManager
	player  Player   // fixed after NewManager
	options Options  // fixed after NewManager

	running sync.WaitGroup // one for each session that lives

	mu       sync.Mutex
	sessions map[string]*Session       // guarded by mu
	closed   bool                      // guarded by mu
	stopped  chan struct{}             // closed by Close
	total    uint64                    // guarded by mu
	sent     map[string]*peer.Counters // guarded by mu; by stream
}

// NewManager makes a manager without sessions.
func NewManager(h *hub.Hub, p Player, o Options) *Manager {
	if o.ICETimeout == 0 {
		o.ICETimeout = 10 * time.Second
	}
	if o.ViewerIdleTimeout == 0 {
		o.ViewerIdleTimeout = time.Minute
	}
	return &Manager{
		hub: h, player: p, options: o,
		sessions: make(map[string]*Session), sent: make(map[string]*peer.Counters), stopped: make(chan struct{}),
	}
}

// PlayRequest is a viewer's wish to watch a stream.
type PlayRequest struct {
	Stream        string
	Offer         string // SDP
	Protocol      string // of the signalling: "whep"
	RemoteAddress string // of the signalling, host:port
	Loopback      bool   // the viewer is on this machine
	Patient       bool   // waits up to 4 s for a source that has failed as well, and may ask again at once
}

// Play makes a viewer's session and returns it with the SDP answer. It waits up to 4 s for a source that is being
// started. Every error is a *Refusal.
func (m *Manager) Play(ctx context.Context, r PlayRequest) (*Session, string, error) {
	s, err := m.play(ctx, r)
	if err != nil {
		refusal := refusalOf(err)
		m.sayRefusal(ctx, r.Stream, refusal)
		return nil, "", refusal
	}
	return s, s.connection.Answer(), nil
}

// sayRefusal tells the operator of viewers who can't be helped by waiting: what keeps a source away is told by the
// source itself, and a name that does not exist is anybody's typing.
func (m *Manager) sayRefusal(ctx context.Context, stream string, r *Refusal) {
	level := slog.LevelDebug
	if r.Reason == ReasonCodec || r.Reason == ReasonUnservable {
		level = slog.LevelInfo
	}
	m.options.Log.Log(ctx, level, "viewer refused", "stream", stream, "reason", r.Reason, "err", r.Err)
}

func (m *Manager) play(ctx context.Context, r PlayRequest) (*Session, error) {
	stream, err := m.hub.Stream(r.Stream)
	if err != nil {
		return nil, err
	}
	offer, err := negotiation.ParseOffer(r.Offer, negotiation.RolePlay)
	if err != nil {
		return nil, err
	}
	release := stream.Want()
	defer release()
	tracks, err := m.awaitTracks(ctx, stream, r.Patient)
	if err != nil {
		return nil, err
	}
	plan, err := negotiation.Decide(tracks, offer, m.options.Policy)
	if err != nil {
		return nil, err
	}
	connection, err := m.player.Play(offer, plan, peer.PlayOptions{
		Loopback:          r.Loopback,
		OnKeyframeRequest: func() { stream.RequestKeyframe(media.MainRendition) },
		Total:             m.counters(r.Stream),
	})
	if err != nil {
		return nil, err
	}
	s := newSession(m, stream, r)
	s.offer, s.plan, s.connection = offer, plan, connection
	if err := m.add(s); err != nil {
		connection.Close()
		return nil, err
	}
	go s.run(context.WithoutCancel(ctx), stream.Want())
	return s, nil
}

// awaitTracks waits for the source of a stream that is idle or on its way. One that has failed is waited for by the
// patient only.
func (m *Manager) awaitTracks(ctx context.Context, s *hub.Stream, patient bool) ([]media.Track, error) {
	ctx, cancel := context.WithTimeout(ctx, sourceWait)
	defer cancel()
	for {
		changed := s.Changed()
		if tracks := s.Tracks(media.MainRendition); playable(tracks) {
			return tracks, nil
		}
		state, why := s.State()
		offline := &SourceOfflineError{Stream: s.Name(), State: state, Why: why, Waited: patient}
		if state == hub.StateFailed && !patient {
			return nil, offline
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, offline
		case <-m.stopped:
			return nil, errShutdown()
		}
	}
}

// playable tells that enough is known of the tracks to choose among the payloads of an offer.
func playable(tracks []media.Track) bool {
	for _, t := range tracks {
		if t.Kind == media.Video && t.Skipped == "" {
			return t.Codec != media.H264 || t.Profile.Known
		}
	}
	return len(tracks) > 0
}

func errShutdown() error {
	return &Refusal{
		Reason: ReasonShutdown, RetryAfter: retrySource,
		Err: errors.New("the gateway is shutting down"),
	}
}

func (m *Manager) add(s *Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errShutdown()
	}
	m.sessions[s.id] = s
	m.total++
	m.running.Add(1)
	return nil
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

func (m *Manager) counters(stream string) *peer.Counters {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.sent[stream]
	if !ok {
		c = &peer.Counters{}
		m.sent[stream] = c
	}
	return c
}

// Sent is what all viewers of a stream, those that have gone included, have been sent.
func (m *Manager) Sent(stream string) peer.Stats { return m.counters(stream).Stats() }

// Total is how many sessions there have been.
func (m *Manager) Total() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.total
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
