package metrics

import "github.com/prometheus/client_golang/prometheus"

// Port is what is counted of the UDP port of all media.
type Port struct {
	Sent, Received Traffic
	Lost           map[string]uint64 // datagrams that could not be sent, by reason
	Overlong       uint64            // datagrams that came in and were larger than is read
	Overflowed     uint64            // datagrams that came in faster than PeerConnections took them
	GSO            bool
}

// Traffic is what went one way.
type Traffic struct {
	Datagrams, Bytes uint64
	Messages         uint64 // what the system was given, or gave
}

var (
	descDatagrams = desc("udp_datagrams_total", "Datagrams through the media port.", "direction")
	descUDPBytes  = desc("udp_bytes_total", "Bytes of UDP payload through the media port.", "direction")
	descMessages  = desc("udp_messages_total", "Messages that the system was given or gave; with GSO and GRO each may be many datagrams.", "direction")
	descLost      = desc("udp_lost_datagrams_total", "Datagrams that could not be sent, by reason.", "reason")
	descUnread    = desc("udp_unread_datagrams_total", "Datagrams that came in and were not read: too large, or too many at once for the PeerConnections.", "reason")
	descGSO       = desc("udp_gso", "1 if datagrams of equal size are given to the system as one message.")
)

func collectPort(out chan<- prometheus.Metric, p Port) {
	for direction, t := range map[string]Traffic{"sent": p.Sent, "received": p.Received} {
		counter(out, descDatagrams, t.Datagrams, direction)
		counter(out, descUDPBytes, t.Bytes, direction)
		counter(out, descMessages, t.Messages, direction)
	}
	counters(out, p.Lost, descLost)
	counter(out, descUnread, p.Overlong, "too_large")
	counter(out, descUnread, p.Overflowed, "queue_full")
	gso := 0.0
	if p.GSO {
		gso = 1
	}
	gauge(out, descGSO, gso)
}
