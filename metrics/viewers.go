package metrics

import "github.com/prometheus/client_golang/prometheus"

// Viewers is what is counted of all viewers.
type Viewers struct {
	Routes []Route

	// Of viewers on the fast way.
	Handshakes        int               // under way, or waiting for their turn
	HandshakesDone    map[string]uint64 // by result
	PacketsRefused    map[string]uint64 // by reason: what came in from outside, and was not believed
	RTT, LossFraction Histogram
}

// Route is one way that viewers are served, and why it is not the fast one.
type Route struct {
	Way, Reason string
	Now         int
	Total       uint64
}

// Histogram counts observations. Its zero value has none.
type Histogram struct {
	Bounds []float64 // rising
	Counts []uint64  // up to and with each bound, not added up, and of what is above all of them
	Sum    float64
}

var (
	descRoute      = desc("viewers", "Viewers now, by the way that serves them, and why it is not the fast one.", "way", "reason")
	descRouteTotal = desc("viewers_total", "Viewers since the start, by way and reason.", "way", "reason")
	descShaking    = desc("viewer_handshakes", "DTLS handshakes that are under way or wait for their turn, on the fast way.")
	descShaken     = desc("viewer_handshakes_total", "DTLS handshakes on the fast way, by result.", "result")
	descDisbelief  = desc("viewer_refused_packets_total", "Packets from outside that were not believed, on the fast way, by reason.", "reason")
	descRTT        = desc("viewer_rtt_seconds", "Round trips that viewers on the fast way reported.")
	descLoss       = desc("viewer_loss_fraction", "Parts of the packets that viewers on the fast way reported as lost, from 0 to 1.")
)

func collectViewers(out chan<- prometheus.Metric, v Viewers) {
	for _, r := range v.Routes {
		gauge(out, descRoute, float64(r.Now), r.Way, r.Reason)
		counter(out, descRouteTotal, r.Total, r.Way, r.Reason)
	}
	gauge(out, descShaking, float64(v.Handshakes))
	counters(out, v.HandshakesDone, descShaken)
	counters(out, v.PacketsRefused, descDisbelief)
	histogram(out, descRTT, v.RTT)
	histogram(out, descLoss, v.LossFraction)
}

func histogram(out chan<- prometheus.Metric, d *prometheus.Desc, h Histogram) {
	var sum uint64
	upTo := make(map[float64]uint64, len(h.Bounds))
	for i, n := range h.Counts {
		sum += n
		if i < len(h.Bounds) {
			upTo[h.Bounds[i]] = sum
		}
	}
	out <- prometheus.MustNewConstHistogram(d, sum, h.Sum, upTo)
}
