package resource

import (
	"crypto/rand"
	"encoding/hex"
	"time"

	"sluice/session"
)

// add keeps a session under its ID until it is over, and a tombstone after that.
func (s *Resources) add(path string, made *session.Session) entry {
	e := entry{session: made, path: path, etag: newETag()}
	s.mu.Lock()
	s.live[made.ID()] = e
	s.mu.Unlock()
	made.OnDone(func() { s.bury(made.ID(), path) })
	return e
}

func (s *Resources) bury(id, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	delete(s.live, id)
	for old, t := range s.over {
		if now.After(t.until) {
			delete(s.over, old)
		}
	}
	s.over[id] = tombEntry{path: path, until: now.Add(tombstone)}
}

func (s *Resources) find(path, id string) (entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.live[id]
	return e, ok && e.path == path
}

func (s *Resources) isOver(path, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.over[id]
	return ok && t.path == path && time.Now().Before(t.until)
}

// newETag names an ICE generation: strong, quoted, never repeated (A21).
func newETag() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return `"g1-` + hex.EncodeToString(b[:]) + `"`
}
