package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
	"sluice/peer"
)

// Role is what the peer does in its session.
type Role string

// RolePlay is a viewer.
const RolePlay Role = "play"

// State is how far a session has come.
type State string

// The states of a session.
const (
	StateConnecting State = "connecting" // answered; ICE and DTLS are under way
	StateConnected  State = "connected"
	StateClosed     State = "closed"
)

// Reasons for which a session ends that are no fault of the connection.
var (
	// ErrDeleted tells that the peer, or an operator, has ended the session.
	ErrDeleted = errors.New("the session has been ended")
	// ErrSourceGone tells that the stream had no source for too long.
	ErrSourceGone = errors.New("the stream has had no source for too long")
)

// SourceChangedError tells that the source now sends what can't go on the payload that was negotiated.
type SourceChangedError struct{ Err error }

func (e *SourceChangedError) Error() string {
	return fmt.Sprintf("the source has changed, a new session is needed: %v", e.Err)
}

func (e *SourceChangedError) Unwrap() error { return e.Err }

// Session is one peer's stay. All exported methods may be called from any goroutine.
type Session struct {
	id       string    // fixed
	protocol string    // fixed
	created  time.Time // fixed
	manager  *Manager  // fixed
	stream   *hub.Stream
	remote   string // fixed: where the signalling came from
	log      *slog.Logger

	offer      *negotiation.Offer // fixed once it runs
	plan       *negotiation.Plan  // fixed once it runs
	connection *peer.Connection   // closed by run

	ending  chan struct{} // closed by end
	done    chan struct{} // closed when run has returned
	endOnce sync.Once

	mu         sync.Mutex
	state      State           // guarded by mu
	subscriber *hub.Subscriber // guarded by mu; opened and closed by pump, nil before it is connected
	why        error           // guarded by mu; why it ended
	onDone     []func()        // guarded by mu
}

func newSession(m *Manager, s *hub.Stream, r PlayRequest) *Session {
	id := newID()
	return &Session{
		id: id, protocol: r.Protocol, created: time.Now(), manager: m, stream: s, remote: r.RemoteAddress,
		log:    m.options.Log.With("stream", s.Name(), "session", ShortID(id)),
		ending: make(chan struct{}), done: make(chan struct{}), state: StateConnecting,
	}
}

// ShortID is as much of a session's ID as may be logged: whoever knows all of it may end the session (I40).
func ShortID(id string) string { return id[:min(6, len(id))] }

// ID is the session's secret name.
func (s *Session) ID() string { return s.id }

// Stream is the name of the stream it belongs to.
func (s *Session) Stream() string { return s.stream.Name() }

// Done is closed when the session is over and holds nothing any more.
func (s *Session) Done() <-chan struct{} { return s.done }

// OnDone has f called, on a goroutine of the session's, when the session is over; at once if it is over already.
func (s *Session) OnDone(f func()) {
	s.mu.Lock()
	over := s.state == StateClosed
	if !over {
		s.onDone = append(s.onDone, f)
	}
	s.mu.Unlock()
	if over {
		f()
	}
}

// Close ends the session and returns when it is over. It may be called twice.
func (s *Session) Close() {
	s.end(ErrDeleted)
	<-s.done
}

func (s *Session) end(why error) {
	s.endOnce.Do(func() {
		s.mu.Lock()
		s.why = why
		s.mu.Unlock()
		close(s.ending)
	})
}

// Info is what may be told of a session.
type Info struct {
	ID, Stream, Protocol string
	Role                 Role
	State                State
	RemoteAddress        string // of the media once connected, else of the signalling; host:port
	Created              time.Time
	Choices              []negotiation.Choice
	Stats                peer.Stats
	Dropped              map[hub.DropReason]uint64
}

// Info looks at the session as it is now.
func (s *Session) Info() Info {
	remote := s.connection.RemoteAddress()
	if remote == "" {
		remote = s.remote
	}
	i := Info{
		ID: s.id, Stream: s.Stream(), Protocol: s.protocol, Role: RolePlay, RemoteAddress: remote,
		Created: s.created, Choices: s.plan.Sections, Stats: s.connection.Stats(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i.State = s.state
	if s.subscriber != nil {
		i.Dropped = s.subscriber.Dropped()
	}
	return i
}

// run is the session's life. It owns the connection, and release, the session's interest in the stream.
func (s *Session) run(ctx context.Context, release func()) {
	defer s.manager.running.Done()
	defer close(s.done)
	defer s.manager.remove(s)
	defer release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	var parts sync.WaitGroup
	parts.Go(func() { s.watch(ctx) })
	parts.Go(func() { s.pump(ctx) })
	<-s.ending
	cancel()
	s.connection.Close()
	parts.Wait()
	s.sayEnd()
	s.finish()
}

func (s *Session) finish() {
	s.mu.Lock()
	s.state = StateClosed
	callbacks := s.onDone
	s.mu.Unlock()
	for _, f := range callbacks {
		f()
	}
}

func (s *Session) sayEnd() {
	s.mu.Lock()
	why := s.why
	s.mu.Unlock()
	st := s.connection.Stats()
	s.log.Info("viewer gone", "reason", why.Error(), "after", time.Since(s.created).Round(time.Second),
		"packets", st.Packets, "resent", st.Resends)
}

// pump moves units from the hub to the peer once it is connected.
func (s *Session) pump(ctx context.Context) {
	select {
	case <-s.connection.Connected():
	case <-ctx.Done():
		return
	}
	s.log.Info("viewer connected", "remote", s.connection.RemoteAddress(), "after", time.Since(s.created).Round(time.Millisecond))
	sub, err := s.stream.Subscribe(media.MainRendition, hub.StartKeyframe)
	if err != nil {
		s.end(err)
		return
	}
	defer sub.Close()
	s.mu.Lock()
	s.state, s.subscriber = StateConnected, sub
	s.mu.Unlock()
	sub.RequestKeyframe()
	if err := s.deliver(ctx, sub); ctx.Err() == nil {
		s.end(err)
	}
}

func (s *Session) deliver(ctx context.Context, sub *hub.Subscriber) error {
	fit := fitness{session: s, checked: make(map[string]*media.Track)}
	for {
		u, err := sub.Next(ctx)
		if err != nil {
			return err
		}
		if err := fit.check(u.Track); err != nil {
			return err
		}
		if err := s.connection.Send(u); err != nil {
			return err
		}
	}
}

// watch ends the session when it does not connect, when its peer is gone, or when its stream has had no source for
// too long.
func (s *Session) watch(ctx context.Context) {
	connect := time.NewTimer(s.manager.options.ICETimeout)
	defer connect.Stop()
	idle := idleTimer{limit: s.manager.options.ViewerIdleTimeout}
	connected := s.connection.Connected()
	for {
		changed := s.stream.Changed()
		idle.update(s.stream.Tracks(media.MainRendition) != nil)
		select {
		case <-connected:
			connect.Stop()
			connected = nil
		case <-connect.C:
			s.end(&peer.UnreachableError{})
		case <-s.connection.Done():
			s.end(s.connection.Err())
		case <-idle.expired():
			s.end(ErrSourceGone)
		case <-changed:
			continue
		case <-ctx.Done():
			return
		}
		if s.hasEnded() {
			return
		}
	}
}

func (s *Session) hasEnded() bool {
	select {
	case <-s.ending:
		return true
	default:
		return false
	}
}
