// Package metrics says what the gateway counts, and under which names. No label holds a session, an address, or anything
// that somebody keeps to himself.
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// SessionCount is how many sessions there are now of one protocol and state.
type SessionCount struct {
	Protocol, State string
	Count           int
}

// Gateway is what is read at each scrape; and what a Transcoder has, if it is one too.
type Gateway interface {
	StreamMetrics() []Stream
	SessionMetrics() (now []SessionCount, total uint64)
	ViewerMetrics() Viewers
	PortMetrics() Port
	Doors
}

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
	descInfo     = desc("build_info", "The version that runs; always 1.", "version")
	descSessions = desc("sessions", "Sessions now.", "protocol", "state")
	descTotal    = desc("sessions_total", "Sessions since the start.")
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
	collectViewers(out, c.gateway.ViewerMetrics())
	collectPort(out, c.gateway.PortMetrics())
	collectDoors(out, c.gateway)
	if t, ok := c.gateway.(Transcoder); ok {
		collectTranscoder(out, t)
	}
}

func gauge(out chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func counter(out chan<- prometheus.Metric, d *prometheus.Desc, n uint64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
}

func counters(out chan<- prometheus.Metric, by map[string]uint64, d *prometheus.Desc, labels ...string) {
	for reason, n := range by {
		counter(out, d, n, append(labels[:len(labels):len(labels)], reason)...)
	}
}
