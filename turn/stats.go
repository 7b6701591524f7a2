package turn

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Reason says why something was refused or dropped; it is the label of the metric.
type Reason string

// Why an allocation, a permission, a connection, an answer or a datagram was refused.
const (
	Unauthorized    Reason = "unauthorized"     // credentials were shown and are wrong, expired or revoked: 401
	UserQuota       Reason = "user_quota"       // allocations of one id: 486
	AddressQuota    Reason = "address_quota"    // allocations of one source address: 486
	TotalQuota      Reason = "total_quota"      // allocations in all: 486
	TCPRelay        Reason = "tcp_relay"        // RFC 6062 is off: 442
	AddressFamily   Reason = "address_family"   // no relay address of that family: 440
	Peer            Reason = "peer"             // the policy forbids the peer: 403
	NoPort          Reason = "no_port"          // no relay port is free: 508
	PeerDatagram    Reason = "peer_datagram"    // a datagram to or from a port that the policy forbids
	Bandwidth       Reason = "bandwidth"        // a datagram above max_bps
	Capacity        Reason = "capacity"         // a datagram above bps_capacity
	SourceRate      Reason = "source_rate"      // an answer to an address that asks too often
	Garbage         Reason = "garbage"          // neither STUN nor ChannelData of ours
	ConnectionQuota Reason = "connection_quota" // connections of one source address or in all
	TooLong         Reason = "too_long"         // a datagram of 1600 bytes or more
	Unsent          Reason = "unsent"           // a datagram that the system refused to send
)

// reasons gives each counter its place.
var reasons = [...]Reason{
	Unauthorized, UserQuota, AddressQuota, TotalQuota, TCPRelay, AddressFamily, Peer, NoPort, PeerDatagram, Bandwidth,
	Capacity, SourceRate, Garbage, ConnectionQuota, TooLong, Unsent,
}

// Stats are counters since the start, but for the two that say what is now.
type Stats struct {
	Allocations      int               // now
	AllocationsTotal uint64            // made since the start
	Connections      int               // TCP and TLS, now
	Bindings         uint64            // Binding requests answered
	Challenges       uint64            // requests without credentials, answered with a 401: every client's first
	Up, Down         Traffic           // from viewers to media ports; from media ports to viewers
	Refused          map[Reason]uint64 // only reasons that have occurred
}

// Traffic is what was relayed one way; bytes are those of payloads.
type Traffic struct{ Packets, Bytes uint64 }

// counters of a server. Relays count for themselves and add up when they close.
type counters struct {
	allocations, bindings, challenges atomic.Uint64
	refused                           [len(reasons)]atomic.Uint64

	mu       sync.Mutex
	live     map[*relay]struct{}
	up, down Traffic // of relays that are closed
}

func (c *counters) refuse(r Reason) {
	for i, reason := range reasons {
		if reason == r {
			c.refused[i].Add(1)
		}
	}
}

func (c *counters) opened(r *relay) {
	c.allocations.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live[r] = struct{}{}
}

func (c *counters) closed(r *relay) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.live, r)
	c.up.add(r.up.traffic())
	c.down.add(r.down.traffic())
}

// all returns the relays that are open.
func (c *counters) all() map[*relay]struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.live)
}

func (c *counters) stats() Stats {
	s := Stats{
		AllocationsTotal: c.allocations.Load(),
		Bindings:         c.bindings.Load(),
		Challenges:       c.challenges.Load(),
		Refused:          make(map[Reason]uint64),
	}
	for i, reason := range reasons {
		if n := c.refused[i].Load(); n > 0 {
			s.Refused[reason] = n
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Allocations = len(c.live)
	s.Up, s.Down = c.up, c.down
	for r := range c.live {
		s.Up.add(r.up.traffic())
		s.Down.add(r.down.traffic())
	}
	return s
}

func (t *Traffic) add(o Traffic) {
	t.Packets += o.Packets
	t.Bytes += o.Bytes
}

// flow is one direction of a relay.
type flow struct {
	packets, bytes atomic.Uint64
	cap            bucket
}

func (f *flow) count(n int) {
	f.packets.Add(1)
	f.bytes.Add(uint64(n)) //nolint:gosec // a length
}

func (f *flow) traffic() Traffic { return Traffic{f.packets.Load(), f.bytes.Load()} }
