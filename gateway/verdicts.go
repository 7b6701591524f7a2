package gateway

import (
	"slices"
	"strings"
	"time"

	"sluice/admin"
	"sluice/config"
	"sluice/session"
)

// reachOf says which ways to the gateway there are beside plain UDP.
func reachOf(c config.Config) session.Reach {
	relays := func(s config.ICEServer) bool {
		return slices.ContainsFunc(s.URLs, func(url string) bool { return strings.HasPrefix(url, "turn") })
	}
	return session.Reach{
		TCP:  c.WebRTC.ListenTCP != "",
		TURN: c.Turn.Mode != "off" || slices.ContainsFunc(c.WebRTC.ICEServers, relays),
	}
}

// adminVerdict is nil for a session that nothing ails.
func adminVerdict(v session.Verdict) *admin.Verdict {
	if v.Reason == "" {
		return nil
	}
	out := &admin.Verdict{
		Reason: string(v.Reason), Detail: v.Detail, Sentence: v.Sentence, Advice: v.Advice,
		Ours: v.Ours, Theirs: v.Theirs, Handshake: v.Handshake, Time: v.At.Format(time.RFC3339),
	}
	for _, p := range v.Pairs {
		out.Pairs = append(out.Pairs, admin.Pair(p))
	}
	return out
}
