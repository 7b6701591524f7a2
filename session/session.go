package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sluice/auth"
	"sluice/hub"
	"sluice/negotiation"
	"sluice/peer"
	"sluice/rtpout"
)

// Role is what the peer does in its session.
type Role string

// The roles.
const (
	RolePlay    Role = "play"    // a viewer
	RolePublish Role = "publish" // a publisher
)

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
	// ErrStreamRemoved tells that there is no such stream any more.
	ErrStreamRemoved = errors.New("the stream has been taken out of the configuration")
	// ErrRevoked tells that the session's principal may not do any more what it does.
	ErrRevoked = errors.New("the permission for this session has been taken away")
	// ErrReplaced tells that a newer session of the same publisher has taken over.
	ErrReplaced = errors.New("a newer session publishes to the stream now")
	// ErrOfferExpired tells that nobody has answered a counter-offer in OfferLife.
	ErrOfferExpired = errors.New("the counter-offer has not been answered in time")
)

// SourceChangedError tells that the source now sends what can't go on the payload that was negotiated.
type SourceChangedError struct{ Err error }

func (e *SourceChangedError) Error() string {
	return fmt.Sprintf("the source has changed, a new session is needed: %v", e.Err)
}

func (e *SourceChangedError) Unwrap() error { return e.Err }

// part is what a session does beside keeping its connection: a viewer's or a publisher's.
type part interface {
	role() Role
	// live returns once the session has ended, or with what ends it.
	live(ctx context.Context) error
	// describe adds what only the part knows.
	describe(i *Info)
}

// Session is one peer's stay. All exported methods may be called from any goroutine.
type Session struct {
	id       string    // fixed
	protocol string    // fixed
	created  time.Time // fixed
	manager  *Manager  // fixed
	stay     *stay     // fixed; given up by run
	remote   string    // fixed: where the signalling came from
	log      *slog.Logger

	link    Link    // fixed once it runs; closed by run
	part    part    // fixed once it runs
	viewer  *viewer // fixed once it runs; nil for publishers
	trickle *trickle
	events  board

	accepted chan struct{} // closed when offer and answer are both there
	ending   chan struct{} // closed by end
	done     chan struct{} // closed when run has returned
	endOnce  sync.Once

	mu     sync.Mutex
	state  State    // guarded by mu
	why    error    // guarded by mu; why it ended
	onDone []func() // guarded by mu

	since   time.Time // guarded by mu; when it was connected; zero: never
	verdict *Verdict  // guarded by mu; the last one; nil before it ended
}

// newSession makes a session that is run by Manager.start. offer is the peer's; nil if we offer.
func newSession(m *Manager, s *stay, protocol, remote string, offer *negotiation.Offer) *Session {
	id := newID()
	made := &Session{
		id: id, protocol: protocol, created: time.Now(), manager: m, stay: s, remote: remote,
		log:      m.log.With("stream", s.stream.Name(), "session", ShortID(id)),
		trickle:  newTrickle(offer),
		accepted: make(chan struct{}), ending: make(chan struct{}), done: make(chan struct{}), state: StateConnecting,
	}
	if offer != nil {
		close(made.accepted)
	}
	return made
}

// ShortID is as much of a session's ID as may be logged: whoever knows all of it may end the session (I40).
func ShortID(id string) string { return id[:min(6, len(id))] }

// ID is the session's secret name.
func (s *Session) ID() string { return s.id }

// Stream is the name of the stream it belongs to.
func (s *Session) Stream() string { return s.stay.stream.Name() }

// Role is what its peer does.
func (s *Session) Role() Role { return s.part.role() }

// Route is the way that a viewer goes; zero for a publisher.
func (s *Session) Route() Route {
	if s.viewer == nil {
		return Route{}
	}
	return s.viewer.route
}

// Principal is who the session belongs to; nil where nobody is told from anybody else.
func (s *Session) Principal() *auth.Principal { return s.stay.principal }

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

// Listen begins to listen to events of some kinds; none: all. The caller closes the listener.
func (s *Session) Listen(kinds ...EventKind) *Listener {
	if s.viewer != nil && !s.hasEnded() && !s.events.listenedTo() {
		s.viewer.tellViewers()
		defer s.viewer.lookAgain() // there is somebody to tell now
	}
	return s.events.listen(kinds)
}

// Close ends the session and returns when it is over. It may be called twice.
func (s *Session) Close() {
	s.end(ErrDeleted)
	<-s.done
}

// end is the one way in which a session ends. What a new session would mend is told to those who listen.
func (s *Session) end(why error) {
	s.endOnce.Do(func() {
		if mendable(why) {
			s.events.post(Event{Kind: EventReconnect})
		}
		s.mu.Lock()
		s.why = why
		s.mu.Unlock()
		close(s.ending)
	})
}

// mendable reports whether a new session would go on where this one ends (I33).
func mendable(why error) bool {
	var r *Refusal
	return errors.As(why, new(*SourceChangedError)) || errors.As(why, &r) && r.Reason == ReasonShutdown
}

func (s *Session) hasEnded() bool {
	select {
	case <-s.ending:
		return true
	default:
		return false
	}
}

// Info is what may be told of a session.
type Info struct {
	ID, Stream, Protocol string
	Role                 Role
	State                State
	RemoteAddress        string // of the media once connected, else of the signalling; host:port
	Principal            string // its name; "" where nobody is told from anybody else
	Created              time.Time
	Choices              []negotiation.Choice
	Route                Route                     // of a viewer
	Rendition            string                    // that a viewer is sent
	Stats                rtpout.Stats              // what a viewer has been sent
	Dropped              map[hub.DropReason]uint64 // what a viewer has not been sent
	Received             peer.ReceptionStats       // what a publisher has sent
	Verdict              *Verdict                  // of one that has ended; of others see Session.Verdict
}

// Info looks at the session as it is now.
func (s *Session) Info() Info {
	i := Info{
		ID: s.id, Stream: s.Stream(), Protocol: s.protocol, Role: s.Role(), RemoteAddress: s.remote, Created: s.created,
	}
	if p := s.stay.principal; p != nil {
		i.Principal = p.Name
	}
	s.part.describe(&i)
	s.mu.Lock()
	i.State = s.state
	s.mu.Unlock()
	if i.State == StateConnecting {
		return i
	}
	if remote := s.link.RemoteAddress(); remote != "" {
		i.RemoteAddress = remote
	}
	return i
}
