package gateway

import (
	"time"

	"sluice/metrics"
	"sluice/session"
)

// sessionLimits are those that a session may meet. They are told from the first scrape on.
var sessionLimits = [...]session.Limit{
	session.LimitSessions, session.LimitPerStream, session.LimitPerIP, session.LimitPerPrincipal, session.LimitHalfOpen,
	session.LimitHalfOpenPerIP,
}

// AccessMetrics implements metrics.Doors.
func (v metricsView) AccessMetrics() metrics.Access {
	out := metrics.Access{Refused: v.refused()}
	for _, c := range v.guard.Counts() {
		out.Logins = append(out.Logins, metrics.Login{Mode: string(c.Mode), Result: string(c.Result), Count: c.N})
	}
	if v.certificates != nil {
		if leaf := v.certificates.now.Load().source.Leaf(); leaf != nil {
			out.CertificateExpiry = leaf.NotAfter
		}
	}
	return out
}

func (v metricsView) refused() map[string]uint64 {
	requests := v.resources.Limited()
	all := map[string]uint64{
		"posts_per_second_per_ip": requests.Posts, "guesses": requests.Guesses, "deletions": requests.Deletions,
		"sdp_kib": requests.Bodies, "streams": v.streams.refusals(),
	}
	sessions := v.sessions.Refusals()
	for _, l := range sessionLimits {
		all[string(l)] = sessions[l]
	}
	return all
}

// ReloadMetrics implements metrics.Doors.
func (v metricsView) ReloadMetrics() metrics.Reloads {
	out := metrics.Reloads{Applied: v.reloads.done.Load(), Refused: v.reloads.refused.Load()}
	if last := v.reloads.last.Load(); last != 0 {
		out.Last = time.Unix(last, 0)
	}
	return out
}

// RelayMetrics implements metrics.Doors.
func (v metricsView) RelayMetrics() *metrics.Relay {
	if v.relay == nil {
		return nil
	}
	st := v.relay.server.Stats()
	out := &metrics.Relay{
		Allocations: st.Allocations, Connections: st.Connections, AllocationsTotal: st.AllocationsTotal,
		Bindings: st.Bindings, Challenges: st.Challenges, Up: metrics.Relayed(st.Up), Down: metrics.Relayed(st.Down),
		Refused: make(map[string]uint64, len(st.Refused)),
	}
	for reason, n := range st.Refused {
		out.Refused[string(reason)] = n
	}
	return out
}
