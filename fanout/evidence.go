package fanout

import (
	"context"
	"errors"

	"sluice/transport"
)

// Evidence is what was seen of the viewer by now.
func (s *Session) Evidence() transport.Evidence {
	e := s.witness.Evidence()
	e.Pairs, e.Path = s.ice.seen()
	e.Path = e.Path || e.Handshake.Came // a viewer begins only once one of its checks was answered
	h := &s.inner
	h.mu.Lock()
	e.Handshake.Done, e.Handshake.Failure, e.Heard = h.secured != nil, h.failure, h.heard
	h.mu.Unlock()
	return e
}

// seen are the addresses from which checks have passed, each of which was answered, and whether the viewer got an answer.
func (p *path) seen() (all []transport.Pair, found bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all = make([]transport.Pair, 0, len(p.stops))
	for _, at := range p.stops {
		all = append(all, transport.Pair{
			Local: at.path.Local, Remote: at.path.Remote, TCP: at.path.Conn != nil, Used: at == p.selected.Load(),
			Checks: transport.Checks{Received: at.checks, Answered: at.checks},
		})
	}
	return all, p.found
}

// failed notes why a handshake has failed.
func (s *Session) failed(err error) transport.HandshakeFailure {
	failure := transport.HandshakeOther
	seen := s.witness.Evidence().Handshake
	switch by := transport.FailureBy(seen.Alert, seen.AlertOut); {
	case errors.Is(err, errFingerprint):
		failure = transport.HandshakeCertificate
	case errors.Is(err, errNoSRTP):
		failure = transport.HandshakeProfile
	case by != "":
		failure = by
	case errors.Is(err, context.DeadlineExceeded):
		failure = transport.HandshakeTimeout
	}
	s.inner.mu.Lock()
	s.inner.failure = failure
	s.inner.mu.Unlock()
	return failure
}
