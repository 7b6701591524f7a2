package session

import (
	"errors"
	"fmt"
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
	HalfOpen      int // that are not connected yet
	HalfOpenPerIP int
}

// retryLimit is when a peer that came on top of a limit may come again.
const retryLimit = 10 * time.Second

// gate counts the sessions against their limits, from before anything is made for them until nothing of them is left.
type gate struct {
	limits Limits // fixed

	mu      sync.Mutex
	all     occupancy                   // guarded by mu
	streams map[string]int              // guarded by mu; by name, without those at 0
	hosts   map[netip.Prefix]*occupancy // guarded by mu; without those at 0
}

// occupancy is a number of sessions, and how many of them are not connected yet.
type occupancy struct{ sessions, halfOpen int }

// place is one session's place. It begins half open.
type place struct {
	gate   *gate        // fixed
	stream string       // fixed
	host   netip.Prefix // fixed; invalid if it is not counted

	halfOpen, taken bool // guarded by gate.mu
}

func newGate(l Limits) *gate {
	return &gate{limits: l, streams: make(map[string]int), hosts: make(map[netip.Prefix]*occupancy)}
}

// enter takes a place for a session of a peer at an address, as host:port, or refuses it.
func (g *gate) enter(stream, remote string) (*place, error) {
	p := &place{gate: g, stream: stream, host: hostOf(remote), halfOpen: true, taken: true}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.check(p); err != nil {
		return nil, err
	}
	g.count(p, 1, 1)
	return p, nil
}

func (g *gate) check(p *place) error {
	l := g.limits
	var host occupancy
	if h := g.hosts[p.host]; h != nil {
		host = *h
	}
	switch {
	case reached(l.PerIP, host.sessions):
		return tooManyFrom(fmt.Sprintf("there are already %d sessions from this address", l.PerIP))
	case reached(l.HalfOpenPerIP, host.halfOpen):
		return tooManyFrom(fmt.Sprintf("%d sessions from this address are still connecting", l.HalfOpenPerIP))
	case reached(l.PerStream, g.streams[p.stream]):
		return tooMany(fmt.Sprintf("stream %q already has %d sessions", p.stream, l.PerStream))
	case reached(l.Sessions, g.all.sessions):
		return tooMany(fmt.Sprintf("the gateway already has %d sessions", l.Sessions))
	case reached(l.HalfOpen, g.all.halfOpen):
		return tooMany(fmt.Sprintf("%d sessions are still connecting", l.HalfOpen))
	}
	return nil
}

func reached(limit, n int) bool { return limit > 0 && n >= limit }

func tooManyFrom(text string) error {
	return &Refusal{Reason: ReasonHostLimit, RetryAfter: retryLimit, Err: errors.New(text)}
}

func tooMany(text string) error {
	return &Refusal{Reason: ReasonLimit, RetryAfter: retryLimit, Err: errors.New(text)}
}

// count needs mu.
func (g *gate) count(p *place, sessions, halfOpen int) {
	g.all.add(sessions, halfOpen)
	if g.streams[p.stream] += sessions; g.streams[p.stream] == 0 {
		delete(g.streams, p.stream)
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
