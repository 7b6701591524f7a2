package fanout

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/transport"
)

// path is where a viewer is: the ICE side of a session. Only checks that carry the session's password change it.
type path struct {
	selected atomic.Pointer[stop] // where media go; nil before the first authentic check; stored under mu

	mu    sync.Mutex    // held while the table is told: it knows no session that is over
	keys  []credentials // guarded by mu; of the ICE generations that count, the newest last; two at most
	stops []*stop       // guarded by mu; that have passed a check, in the order of their first
	found bool          // guarded by mu; our answers reach the viewer
	over  bool          // guarded by mu
}

// stop is an address of a viewer's.
type stop struct {
	path transport.Path
	to   *transport.Destination

	checks uint32 // that have passed from there; guarded by the path's lock
	plain  bool   // one of them did not nominate; guarded by the path's lock
}

// key finds the credentials of a generation.
func (p *path) key(ufrag []byte) (credentials, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.keys {
		if p.keys[i].ufrag == string(ufrag) {
			return p.keys[i], true
		}
	}
	return credentials{}, false
}

// destination is where media go now; nil: not known yet.
func (p *path) destination() *transport.Destination {
	if s := p.selected.Load(); s != nil {
		return s.to
	}
	return nil
}

func (p *path) remote() string {
	if s := p.selected.Load(); s != nil {
		return s.path.Remote.String()
	}
	return ""
}

// heldFor is how long an address stays a viewer's own after it was heard there last: twice as long as it takes to
// report, so that nobody takes the address of another by checks with a forged source.
const heldFor = 2 * time.Second

// isGone reports whether nothing can arrive there: there is no such stop, or its TCP connection has ended.
func (at *stop) isGone() bool {
	if at == nil {
		return true
	}
	if at.path.Conn == nil {
		return false
	}
	select {
	case <-at.path.Conn.Done():
		return true
	default:
		return false
	}
}

// passed notes an authentic check: a nominated address is where media go from now on (RFC 8445 8.1.1), the first of
// all until one is nominated, and the next one after a TCP connection that has ended. It reports false, and changes nothing, if another viewer has the address, or if the
// session is over.
func (s *Session) passed(from transport.Path, k *credentials, nominated bool) bool {
	p, table := &s.ice, s.fanout.table
	p.mu.Lock()
	defer p.mu.Unlock()
	holder := table.at(from)
	if p.over || holder != nil && holder != s && holder.holds(from) {
		return false
	}
	at := s.visit(from)
	at.checks++
	at.plain = at.plain || !nominated
	// Who checks first and nominates then has got an answer (RFC 8445 8.1.1). Some nominate with all checks: of those
	// only the handshake tells.
	p.found = p.found || nominated && at.plain
	if selected := p.selected.Load(); selected.isGone() || nominated && selected != at {
		p.selected.Store(at)
	}
	if len(p.stops) > pathsPerSession {
		s.forgetOldest()
	}
	if old := p.retire(k, nominated); old != "" {
		table.drop(old, s)
	}
	if holder != s {
		table.bind(from, s)
	}
	return true
}

// holds reports whether the viewer is connected by an address, and was heard lately.
func (s *Session) holds(from transport.Path) bool {
	at := s.ice.selected.Load()
	return at != nil && place(at.path) == place(from) && s.isConnected() && !s.isOver() && s.silentFor(time.Now()) < heldFor
}

// visit finds the stop of an address, or makes it. It needs the path's lock.
func (s *Session) visit(from transport.Path) *stop {
	p := &s.ice
	if i := slices.IndexFunc(p.stops, func(o *stop) bool { return o.path == from }); i >= 0 {
		return p.stops[i]
	}
	at := &stop{path: from, to: s.fanout.options.Port.NewDestination(from)}
	p.stops = append(p.stops, at)
	return at
}

// forgetOldest makes room, but never forgets where media go. It needs the path's lock.
func (s *Session) forgetOldest() {
	p, i := &s.ice, 0
	if p.stops[i] == p.selected.Load() {
		i = 1
	}
	gone := p.stops[i].path
	p.stops = slices.Delete(p.stops, i, i+1)
	if gone.Conn != nil {
		gone.Conn.Close()
	}
	if !slices.ContainsFunc(p.stops, func(o *stop) bool { return place(o.path) == place(gone) }) {
		s.fanout.table.unbind(gone, s)
	}
}

// retire ends the older generation once the newer is nominated, and returns its user name. It needs the lock.
func (p *path) retire(used *credentials, nominated bool) string {
	if !nominated || len(p.keys) < 2 || p.keys[1].ufrag != used.ufrag {
		return ""
	}
	old := p.keys[0].ufrag
	p.keys = slices.Delete(p.keys, 0, 1)
	return old
}

// renew begins a new generation of ICE. It reports false if the session is over.
func (s *Session) renew(fresh credentials) bool {
	p, table := &s.ice, s.fanout.table
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return false
	}
	if len(p.keys) == 2 { // the last one was never used
		table.drop(p.keys[1].ufrag, s)
		p.keys = p.keys[:1]
	}
	p.keys = append(p.keys, fresh)
	table.add(fresh.ufrag, s)
	return true
}

// vanish takes the session out of the table for good.
func (s *Session) vanish() {
	p, table := &s.ice, s.fanout.table
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	for i := range p.keys {
		table.drop(p.keys[i].ufrag, s)
	}
	for _, at := range p.stops {
		table.unbind(at.path, s)
	}
}
