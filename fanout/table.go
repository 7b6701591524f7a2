package fanout

import (
	"sync"

	"sluice/transport"
)

// pathsPerSession is how many addresses one viewer may send checks from at a time: browsers try a handful.
const pathsPerSession = 16

// table finds the session that a datagram belongs to: by the ICE user name of a check, and by the address of all
// else, which counts only once a check from it has proved to be the viewer's. It is read for what viewers send, a few
// packets a second each, never for what they are sent.
type table struct {
	mu      sync.RWMutex
	byUfrag map[string]*Session         // guarded by mu
	byPath  map[transport.Path]*Session // guarded by mu; keys are place(path)
}

func newTable() *table {
	return &table{byUfrag: make(map[string]*Session), byPath: make(map[transport.Path]*Session)}
}

// place is the part of a path that tells viewers apart, whichever address of ours they sent to.
func place(p transport.Path) transport.Path {
	p.Local = transport.Path{}.Local
	return p
}

func (t *table) add(ufrag string, s *Session) {
	t.mu.Lock()
	t.byUfrag[ufrag] = s
	t.mu.Unlock()
}

// drop forgets a user name, if it is that of s.
func (t *table) drop(ufrag string, s *Session) {
	t.mu.Lock()
	if t.byUfrag[ufrag] == s {
		delete(t.byUfrag, ufrag)
	}
	t.mu.Unlock()
}

// named finds a session by its user name.
func (t *table) named(ufrag []byte) *Session {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byUfrag[string(ufrag)]
}

// at finds the session whose viewer is known to send from there.
func (t *table) at(p transport.Path) *Session {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byPath[place(p)]
}

// bind makes an address the session's.
func (t *table) bind(p transport.Path, s *Session) {
	t.mu.Lock()
	t.byPath[place(p)] = s
	t.mu.Unlock()
}

// unbind forgets an address, if it is still the session's.
func (t *table) unbind(p transport.Path, s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byPath[place(p)] == s {
		delete(t.byPath, place(p))
	}
}
