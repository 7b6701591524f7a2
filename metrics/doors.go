package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Doors is what stands between users and the rest.
type Doors interface {
	AccessMetrics() Access
	ReloadMetrics() Reloads
	RelayMetrics() *Relay // nil: there is no TURN server
}

// Access is who was let in, and who was not.
type Access struct {
	Refused map[string]uint64 // by limit: its key in [limits], where it has one
	Logins  []Login

	CertificateExpiry time.Time // zero: there is no certificate
}

// Login is how many requests had one result in one mode of authorisation.
type Login struct {
	Mode, Result string
	Count        uint64
}

// Reloads is how often the configuration was read anew.
type Reloads struct {
	Applied, Refused uint64
	Last             time.Time // when the configuration in force was read; zero: not yet
}

var (
	descLimited = desc("limit_refused_total", "Requests that a limit has kept out, by its key; guesses ask for sessions that do not exist, and deletions end sessions.", "limit")
	descAuth    = desc("auth_total", "Requests that need a right, and logins, by the mode of authorisation and what became of them.", "mode", "result")
	descExpiry  = desc("certificate_expiry_timestamp_seconds", "Unix time at which the certificate of HTTPS ends.")
	descReloads = desc("config_reloads_total", "Times that the configuration was read anew: applied, or refused for its faults.", "result")
	descReload  = desc("config_last_reload_timestamp_seconds", "Unix time at which the configuration in force was read.")
)

func collectDoors(out chan<- prometheus.Metric, d Doors) {
	access := d.AccessMetrics()
	counters(out, access.Refused, descLimited)
	for _, l := range access.Logins {
		counter(out, descAuth, l.Count, l.Mode, l.Result)
	}
	moment(out, descExpiry, access.CertificateExpiry)
	reloads := d.ReloadMetrics()
	counters(out, map[string]uint64{"applied": reloads.Applied, "refused": reloads.Refused}, descReloads)
	moment(out, descReload, reloads.Last)
	if relay := d.RelayMetrics(); relay != nil {
		collectRelay(out, *relay)
	}
}

func moment(out chan<- prometheus.Metric, d *prometheus.Desc, t time.Time) {
	if !t.IsZero() {
		gauge(out, d, float64(t.Unix()))
	}
}
