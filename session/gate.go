package session

import (
	"fmt"
	"maps"
	"net/netip"
	"sync"
	"time"
)

// Limits is how many sessions there may be at once; 0: no limit. Peers on this machine count against Sessions,
// PerStream and HalfOpen only.
type Limits struct {
	Sessions      int // of all streams
	PerStream     int
	PerIP         int // from one IPv4 address, or one IPv6 /64
	PerPrincipal  int // of one who is told from all others
	HalfOpen      int // that are not connected yet
	HalfOpenPerIP int
}

// Limit names one of the Limits.
type Limit string

// The limits.
const (
	LimitSessions      Limit = "sessions"
	LimitPerStream     Limit = "sessions_per_stream"
	LimitPerIP         Limit = "sessions_per_ip"
	LimitPerPrincipal  Limit = "sessions_per_user"
	LimitHalfOpen      Limit = "half_open"
	LimitHalfOpenPerIP Limit = "half_open_per_ip"
)

// retryLimit is when a peer that came on top of a limit may come again.
const retryLimit = 10 * time.Second

// gate counts the sessions against their limits, from before anything is made for them until nothing of them is left.
type gate struct {
	mu      sync.Mutex
	limits  Limits                      // guarded by mu
	all     occupancy                   // guarded by mu
	streams map[string]int              // guarded by mu; by name, without those at 0
	hosts   map[netip.Prefix]*occupancy // guarded by mu; without those at 0
	names   map[string]int              // guarded by mu; by principal, without those at 0
	turned  map[Limit]uint64            // guarded by mu: how many were refused
}

// occupancy is a number of sessions, and how many of them are not connected yet.
type occupancy struct{ sessions, halfOpen int }

// place is one session's place. It begins half open.
type place struct {
	gate   *gate        // fixed
	stream string       // fixed
	name   string       // fixed: of the principal; "" if it is not counted
	host   netip.Prefix // fixed; invalid if it is not counted

	halfOpen, taken bool // guarded by gate.mu
}

func newGate(l Limits) *gate {
	return &gate{
		limits: l, streams: make(map[string]int), hosts: make(map[netip.Prefix]*occupancy), names: make(map[string]int),
		turned: make(map[Limit]uint64),
	}
}

// set has other limits hold from now on. Sessions that are there stay.
func (g *gate) set(l Limits) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limits = l
}

// refusals is how many sessions each limit has kept out.
func (g *gate) refusals() map[Limit]uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.turned)
}

// enter takes a place for a session of a peer at an address, as host:port, or refuses it. name is its principal's; ""
// is nobody in particular.
func (g *gate) enter(stream, remote, name string) (*place, error) {
	p := &place{gate: g, stream: stream, name: name, host: hostOf(remote), halfOpen: true, taken: true}
	g.mu.Lock()
	defer g.mu.Unlock()
	if l := g.check(p); l != "" {
		g.turned[l]++
		return nil, g.refusal(l, p)
	}
	g.count(p, 1, 1)
	return p, nil
}

// check returns the limit that p is one too many for; "" if there is none. It needs mu.
func (g *gate) check(p *place) Limit {
	l := g.limits
	var host occupancy
	if h := g.hosts[p.host]; h != nil {
		host = *h
	}
	switch {
	case reached(l.PerIP, host.sessions):
		return LimitPerIP
	case reached(l.HalfOpenPerIP, host.halfOpen):
		return LimitHalfOpenPerIP
	case p.name != "" && reached(l.PerPrincipal, g.names[p.name]):
		return LimitPerPrincipal
	case reached(l.PerStream, g.streams[p.stream]):
		return LimitPerStream
	case reached(l.Sessions, g.all.sessions):
		return LimitSessions
	case reached(l.HalfOpen, g.all.halfOpen):
		return LimitHalfOpen
	}
	return ""
}

// refusal says it in words, and names the key. It needs mu.
func (g *gate) refusal(reached Limit, p *place) error {
	l, reason, text := g.limits, ReasonLimit, ""
	switch reached {
	case LimitPerIP:
		reason, text = ReasonHostLimit, fmt.Sprintf("there are already %d sessions from this address", l.PerIP)
	case LimitHalfOpenPerIP:
		reason, text = ReasonHostLimit, fmt.Sprintf("%d sessions from this address are still connecting", l.HalfOpenPerIP)
	case LimitPerPrincipal:
		reason, text = ReasonHostLimit, fmt.Sprintf("you already have %d sessions", l.PerPrincipal)
	case LimitPerStream:
		text = fmt.Sprintf("stream %q already has %d sessions", p.stream, l.PerStream)
	case LimitSessions:
		text = fmt.Sprintf("the gateway already has %d sessions", l.Sessions)
	default:
		text = fmt.Sprintf("%d sessions are still connecting", l.HalfOpen)
	}
	return &Refusal{Reason: reason, RetryAfter: retryLimit, Err: fmt.Errorf("%s, which is the limit (limits.%s)", text, reached)}
}

func reached(limit, n int) bool { return limit > 0 && n >= limit }

// count needs mu.
func (g *gate) count(p *place, sessions, halfOpen int) {
	g.all.add(sessions, halfOpen)
	if g.streams[p.stream] += sessions; g.streams[p.stream] == 0 {
		delete(g.streams, p.stream)
	}
	if p.name != "" {
		if g.names[p.name] += sessions; g.names[p.name] == 0 {
			delete(g.names, p.name)
		}
	}
	if !p.host.IsValid() {
		return
	}
	h := g.hosts[p.host]
	if h == nil {
		h = &occupancy{}
		g.hosts[p.host] = h
	}
	if h.add(sessions, halfOpen); *h == (occupancy{}) {
		delete(g.hosts, p.host)
	}
}

func (o *occupancy) add(sessions, halfOpen int) {
	o.sessions += sessions
	o.halfOpen += halfOpen
}

// connected says that the session is half open no more.
func (p *place) connected() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	if p.halfOpen {
		p.halfOpen = false
		p.gate.count(p, 0, -1)
	}
}

// leave gives the place back. It may be called twice.
func (p *place) leave() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	if !p.taken {
		return
	}
	halfOpen := 0
	if p.halfOpen {
		halfOpen = -1
	}
	p.taken, p.halfOpen = false, false
	p.gate.count(p, -1, halfOpen)
}

// hostOf is what is counted as one host: whoever has one IPv6 address has its /64. This machine and what is no
// address are not counted.
func hostOf(remote string) netip.Prefix {
	ap, err := netip.ParseAddrPort(remote)
	ip := ap.Addr().Unmap().WithZone("")
	if err != nil || ip.IsLoopback() {
		return netip.Prefix{}
	}
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	host, _ := ip.Prefix(bits) // fails only for more bits than there are

	return host
}
