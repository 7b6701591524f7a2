package fanout

import (
	"slices"
	"sync"
	"sync/atomic"

	"sluice/negotiation"
	"sluice/transport"
)

// path is where a viewer is: the ICE side of a session. Only checks that carry the session's password change it.
type path struct {
	selected atomic.Pointer[stop] // where media go; nil before the first authentic check; stored under mu

	mu        sync.Mutex
	keys      []credentials // guarded by mu; of the ICE generations that count, the newest last; two at most
	stops     []*stop       // guarded by mu; that have passed a check, the latest last
	nominated bool          // guarded by mu; selected was nominated, and is not merely the first that passed
}

// stop is an address of a viewer's.
type stop struct {
	path transport.Path
	to   *transport.Destination
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

// passed notes an authentic check: a nominated address is where media go from now on (RFC 8445 8.1.1), the first of
// all until one is nominated. It returns what is forgotten.
func (s *Session) passed(from transport.Path, k *credentials, nominated bool) {
	p := &s.ice
	p.mu.Lock()
	at, fresh := s.visit(from)
	var forgotten []transport.Path
	if len(p.stops) > pathsPerSession {
		forgotten = p.forgetOldest()
	}
	if selected := p.selected.Load(); selected == nil || nominated && selected != at {
		p.selected.Store(at)
	}
	old := ""
	if nominated {
		p.nominated = true
		old = p.retire(k)
	}
	p.mu.Unlock()
	if fresh {
		s.fanout.table.bind(from, s)
	}
	s.fanout.table.unbind(s, forgotten...)
	if old != "" {
		s.fanout.table.drop(old, s)
	}
}

// visit finds the stop of an address, or makes it. It needs the path's lock.
func (s *Session) visit(from transport.Path) (at *stop, fresh bool) {
	p := &s.ice
	i := slices.IndexFunc(p.stops, func(o *stop) bool { return o.path == from })
	if i >= 0 {
		return p.stops[i], false
	}
	at = &stop{path: from, to: s.fanout.options.Port.NewDestination(from)}
	p.stops = append(p.stops, at)
	return at, true
}

// forgetOldest makes room, but never forgets where media go. It needs the lock.
func (p *path) forgetOldest() []transport.Path {
	i := 0
	if p.stops[i] == p.selected.Load() {
		i = 1
	}
	gone := p.stops[i].path
	p.stops = slices.Delete(p.stops, i, i+1)
	return []transport.Path{gone}
}

// retire ends the older generation once the newer is in use, and returns its user name. It needs the lock.
func (p *path) retire(used *credentials) string {
	if len(p.keys) < 2 || p.keys[1].ufrag != used.ufrag {
		return ""
	}
	old := p.keys[0].ufrag
	p.keys = slices.Delete(p.keys, 0, 1)
	return old
}

// restart begins a new generation of ICE and returns our side of it.
func (s *Session) restart(f *negotiation.Fragment) *negotiation.Fragment {
	p := &s.ice
	fresh := newCredentials(f.ICEUfrag, f.ICEPwd)
	p.mu.Lock()
	dropped := ""
	if len(p.keys) == 2 { // the last one was never used
		dropped = p.keys[1].ufrag
		p.keys = p.keys[:1]
	}
	p.keys = append(p.keys, fresh)
	p.mu.Unlock()
	if dropped != "" {
		s.fanout.table.drop(dropped, s)
	}
	s.fanout.table.add(fresh.ufrag, s)
	return s.fanout.fragment(s, &fresh)
}

// all lists what the table knows of the session.
func (p *path) all() (ufrags []string, paths []transport.Path) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.keys {
		ufrags = append(ufrags, p.keys[i].ufrag)
	}
	for _, s := range p.stops {
		paths = append(paths, s.path)
	}
	return ufrags, paths
}
