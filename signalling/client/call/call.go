// Package call holds a session at another WHIP or WHEP server together with the PeerConnection behind it, from the
// server's answer to the end: what those who pull and those who push have in common.
package call

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"sluice/negotiation"
	"sluice/peer"
	"sluice/signalling/client"
)

// Link is a PeerConnection. *peer.Connection and *peer.Reception are some.
type Link interface {
	Description() string
	Accept(answer string, servers []peer.ICEServer) error
	LateCandidates(ctx context.Context) []string
	RestartOffer() (*negotiation.Fragment, error)
	AcceptRestart(f *negotiation.Fragment) error
	Close()
}

// Call is one session and its link. Run is called once; Restart may be called from any goroutine, the other methods
// from one at a time.
type Call struct {
	session  *client.Session // fixed
	link     Link            // fixed
	log      *slog.Logger    // fixed
	restarts chan struct{}   // capacity 1; sent to by Restart, never closed
}

// New takes over a session and its link: whoever calls it calls End.
func New(s *client.Session, l Link, log *slog.Logger) *Call {
	if s.Warning != nil {
		log.Warn("the session at the server can't be ended by us", "err", s.Warning)
	}
	return &Call{session: s, link: l, log: log, restarts: make(chan struct{}, 1)}
}

// Accept makes the link connect as the server has answered, with the STUN and TURN servers that it names. Errors are
// those of the link.
func (c *Call) Accept() error {
	return c.link.Accept(c.session.SDP, ICEServers(c.session))
}

// ICEServers are the STUN and TURN servers that a session's server names.
func ICEServers(session *client.Session) []peer.ICEServer {
	servers := make([]peer.ICEServer, 0, len(session.ICEServers))
	for _, s := range session.ICEServers {
		servers = append(servers, peer.ICEServer(s))
	}
	return servers
}

// Run sends our late candidates, where the server takes them, and then restarts ICE whenever Restart is called. It
// returns *RestartError once that has failed, and nil when ctx is done.
func (c *Call) Run(ctx context.Context) error {
	if err := c.trickle(ctx); err != nil && ctx.Err() == nil {
		c.log.Info("the server does not take our candidates", "err", err)
	}
	for {
		select {
		case <-c.restarts:
			if err := c.restart(ctx); err != nil && ctx.Err() == nil {
				return &RestartError{Err: err}
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// Restart has Run restart ICE. Wishes that come meanwhile are one. It reports false, and nothing happens, where the
// session has no URL, or was made by the server's offer: whoever has offered begins a restart.
func (c *Call) Restart() bool {
	if c.session.Warning != nil || c.session.CounterOffer {
		return false
	}
	select {
	case c.restarts <- struct{}{}:
	default:
	}
	return true
}

// trickle sends all candidates that the offer did not have in one fragment, which is the last: those of the port are
// in the offer, and those of STUN and TURN servers come together (RFC 9725 4.3.2).
func (c *Call) trickle(ctx context.Context) error {
	if c.session.CounterOffer || !c.session.Trickles() {
		return nil
	}
	late := c.link.LateCandidates(ctx)
	if len(late) == 0 || ctx.Err() != nil {
		return nil
	}
	f, err := negotiation.FragmentOf(c.link.Description())
	if err != nil {
		return fmt.Errorf("read our own offer: %w", err)
	}
	f.Candidates, f.EndOfCandidates = nil, true
	for _, value := range late {
		f.Candidates = append(f.Candidates, negotiation.FragmentCandidate{MID: f.MID, Value: value})
	}
	if err := c.session.Trickle(ctx, f.String()); !errors.Is(err, client.ErrNoTrickle) {
		return err
	}
	return nil
}

// restart takes one step at a time, so that no answer to an older PATCH can come in between (RFC 9725 4.3.3).
func (c *Call) restart(ctx context.Context) error {
	ours, err := c.link.RestartOffer()
	if err != nil {
		return fmt.Errorf("begin an ICE restart: %w", err)
	}
	text, err := c.session.Restart(ctx, ours.String())
	if err != nil {
		return err
	}
	theirs, err := negotiation.ParseFragment(text)
	if err == nil && (theirs.ICEUfrag == "" || theirs.ICEPwd == "") {
		err = errNoCredentials
	}
	if err != nil {
		return fmt.Errorf("read the server's side of the ICE restart: %w", err)
	}
	if err := c.link.AcceptRestart(theirs); err != nil {
		return fmt.Errorf("end the ICE restart: %w", err)
	}
	c.log.Info("ICE restarted")
	return nil
}

// End closes the link and deletes the session, also when ctx is done: see client.Session.Delete. It does both at
// once, as either may have to wait for a server that is gone.
func (c *Call) End(ctx context.Context) {
	var closing sync.WaitGroup
	closing.Go(c.link.Close)
	defer closing.Wait()
	if err := c.session.Delete(ctx); err != nil {
		c.log.Info("the session at the server could not be ended", "err", err)
	}
}

var errNoCredentials = errors.New("it lacks ice-ufrag or ice-pwd")

// RestartError tells that the way to the server is lost and that no new one could be agreed on. A new session may
// find one.
type RestartError struct{ Err error }

func (e *RestartError) Error() string {
	return fmt.Sprintf("the connection is lost, and could not be restarted: %v", e.Err)
}

func (e *RestartError) Unwrap() error { return e.Err }

// Final is false, whatever the server's status means for other requests.
func (e *RestartError) Final() bool { return false }
