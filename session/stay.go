package session

import (
	"sluice/auth"
	"sluice/hub"
)

// stay is what a session holds of others as long as it lives. It belongs to one goroutine: that which makes the
// session, then its run.
type stay struct {
	stream    *hub.Stream
	terms     Terms
	place     *place
	principal *auth.Principal
	others    []func() // what else is to be given back
}

// arrive takes a place and finds the stream, or says why there is none. The caller leaves.
func (m *Manager) arrive(stream, remote string, principal *auth.Principal) (*stay, error) {
	select {
	case <-m.stopped:
		return nil, errShutdown()
	default:
	}
	place, err := m.gate.enter(stream, remote, counted(principal))
	if err != nil {
		return nil, err
	}
	found, terms, err := m.streams.Find(stream)
	if err != nil {
		place.leave()
		return nil, err
	}
	return &stay{stream: found, terms: terms, place: place, principal: principal}, nil
}

// holds has something given back with the rest.
func (s *stay) holds(release func()) { s.others = append(s.others, release) }

// leave gives all back. It may be called twice.
func (s *stay) leave() {
	for _, release := range s.others {
		release()
	}
	s.others = nil
	if s.terms.Release != nil {
		s.terms.Release()
		s.terms.Release = nil
	}
	s.place.leave()
}

// counted is the name under which a principal's sessions are counted; "" where nobody is told from anybody else.
func counted(p *auth.Principal) string {
	if p == nil || p.Anonymous || p.Kind == auth.ModeNone {
		return ""
	}
	return p.Name
}
