// Package metrics says what the gateway counts, and under which names. No label holds a session.
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Stream is what is counted of one stream since the gateway was started, and how it is now.
type Stream struct {
	Name    string
	State   string
	Viewers int

	BytesReceived, UnitsReceived   uint64
	UnitsDropped                   map[string]uint64 // by reason
	KeyframesWanted, KeyframesSent uint64
	Reconnects, Failures           uint64
	CachedBytes                    int64

	PacketsSent, BytesSent, PacketsResent, ResendsRefused uint64
}

// SessionCount is how many sessions there are now of one protocol and state.
type SessionCount struct {
	Protocol, State string
	Count           int
}

// Gateway is what is read at each scrape.
type Gateway interface {
	StreamMetrics() []Stream
	SessionMetrics() (now []SessionCount, total uint64)
}

var states = []string{"idle", "connecting", "ready", "failed"}

// Handler answers GET /metrics in the text format of Prometheus.
func Handler(g Gateway, version string) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&collector{gateway: g, version: version},
	)
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

type collector struct {
	gateway Gateway
	version string
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("sluice_"+name, help, labels, nil)
}

var (
	descInfo      = desc("build_info", "The version that runs; always 1.", "version")
	descState     = desc("stream_state", "1 for the state that the stream is in.", "stream", "state")
	descViewers   = desc("stream_viewers", "Viewers that are connected.", "stream")
	descBytesIn   = desc("stream_received_bytes_total", "Bytes of media received from the source.", "stream")
	descUnitsIn   = desc("stream_received_units_total", "Access units received from the source.", "stream")
	descCached    = desc("stream_cached_bytes", "Bytes of media kept for viewers that join or lag.", "stream")
	descDropped   = desc("stream_dropped_units_total", "Access units that a viewer did not get.", "stream", "reason")
	descKeyWanted = desc("stream_keyframe_wishes_total", "Keyframes that viewers asked for.", "stream")
	descKeySent   = desc("stream_keyframe_requests_total", "Keyframe requests passed on to the source after merging.", "stream")
	descReconnect = desc("source_reconnects_total", "Times that the source came back after a loss.", "stream")
	descFailures  = desc("source_failures_total", "Times that the source could not be reached or was lost.", "stream")
	descPackets   = desc("stream_sent_packets_total", "RTP packets sent to viewers.", "stream")
	descBytesOut  = desc("stream_sent_bytes_total", "Bytes of RTP payload sent to viewers.", "stream")
	descResends   = desc("stream_resends_total", "RTP packets that viewers asked for again.", "stream")
	descRefused   = desc("stream_resends_refused_total", "RTP packets that were not sent again, for more than a fifth would have been.", "stream")
	descSessions  = desc("sessions", "Sessions now.", "protocol", "state")
	descTotal     = desc("sessions_total", "Sessions since the start.")
)

// Describe sends nothing: the collector is unchecked, since what there is changes.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect reads the gateway.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	gauge(out, descInfo, 1, c.version)
	for _, s := range c.gateway.StreamMetrics() {
		collectStream(out, s)
	}
	now, total := c.gateway.SessionMetrics()
	for _, n := range now {
		gauge(out, descSessions, float64(n.Count), n.Protocol, n.State)
	}
	counter(out, descTotal, total)
}

func collectStream(out chan<- prometheus.Metric, s Stream) {
	for _, state := range states {
		is := 0.0
		if state == s.State {
			is = 1
		}
		gauge(out, descState, is, s.Name, state)
	}
	gauge(out, descViewers, float64(s.Viewers), s.Name)
	gauge(out, descCached, float64(s.CachedBytes), s.Name)
	for reason, n := range s.UnitsDropped {
		counter(out, descDropped, n, s.Name, reason)
	}
	for _, c := range []struct {
		desc *prometheus.Desc
		n    uint64
	}{
		{descBytesIn, s.BytesReceived},
		{descUnitsIn, s.UnitsReceived},
		{descKeyWanted, s.KeyframesWanted},
		{descKeySent, s.KeyframesSent},
		{descReconnect, s.Reconnects},
		{descFailures, s.Failures},
		{descPackets, s.PacketsSent},
		{descBytesOut, s.BytesSent},
		{descResends, s.PacketsResent},
		{descRefused, s.ResendsRefused},
	} {
		counter(out, c.desc, c.n, s.Name)
	}
}

func gauge(out chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func counter(out chan<- prometheus.Metric, d *prometheus.Desc, n uint64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
}
