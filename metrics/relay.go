package metrics

import "github.com/prometheus/client_golang/prometheus"

// Relay is what is counted of the STUN and TURN server.
type Relay struct {
	Allocations, Connections int // now
	AllocationsTotal         uint64
	Bindings, Challenges     uint64
	Up, Down                 Relayed           // from viewers to media ports, and back
	Refused                  map[string]uint64 // by reason
}

// Relayed is what went one way.
type Relayed struct{ Packets, Bytes uint64 }

var (
	descAllocations = desc("turn_allocations", "Allocations now.")
	descAllocated   = desc("turn_allocations_total", "Allocations made.")
	descTurnConns   = desc("turn_connections", "TCP and TLS connections now.")
	descBindings    = desc("turn_bindings_total", "STUN Binding requests answered.")
	descChallenges  = desc("turn_challenges_total", "Requests without credentials, which are asked for them: the first of every client.")
	descRelayed     = desc("turn_relayed_packets_total", "Packets relayed: up from viewers, down to them.", "direction")
	descRelayedSize = desc("turn_relayed_bytes_total", "Bytes of payload relayed: up from viewers, down to them.", "direction")
	descTurnRefused = desc("turn_refused_total", "Requests, connections and packets refused, by reason; unauthorized are wrong or expired credentials.", "reason")
)

func collectRelay(out chan<- prometheus.Metric, r Relay) {
	gauge(out, descAllocations, float64(r.Allocations))
	gauge(out, descTurnConns, float64(r.Connections))
	counter(out, descAllocated, r.AllocationsTotal)
	counter(out, descBindings, r.Bindings)
	counter(out, descChallenges, r.Challenges)
	counters(out, map[string]uint64{"up": r.Up.Packets, "down": r.Down.Packets}, descRelayed)
	counters(out, map[string]uint64{"up": r.Up.Bytes, "down": r.Down.Bytes}, descRelayedSize)
	counters(out, r.Refused, descTurnRefused)
}
