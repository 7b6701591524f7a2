package gateway

import (
	"sluice/hub"
	"sluice/metrics"
	"sluice/session"
	"sluice/transcode"
)

// metricsView shows the gateway to the metrics.
type metricsView struct{ *Gateway }

// StreamMetrics implements metrics.Gateway.
func (v metricsView) StreamMetrics() []metrics.Stream {
	streams := v.hub.Streams()
	all := make([]metrics.Stream, 0, len(streams))
	for _, s := range streams {
		all = append(all, v.stream(s))
	}
	return all
}

func (v metricsView) stream(s *hub.Stream) metrics.Stream {
	state, _ := s.State()
	st, sent := s.Stats(), v.sessions.Sent(s.Name())
	out := metrics.Stream{
		Name: s.Name(), State: string(state), Viewers: s.Viewers(),
		BytesReceived: st.BytesIn, UnitsReceived: st.UnitsIn, CachedBytes: st.RingBytes,
		CachedUnits: st.RingUnits, CachedSeconds: st.RingAge.Seconds(),
		UnitsDropped:    make(map[string]uint64, len(st.Dropped)),
		KeyframesWanted: st.KeyframesWanted, KeyframesSent: st.KeyframesAsked,
		PacketsSent: sent.Packets, BytesSent: sent.Bytes, ResendsAsked: sent.Resends, PacketsResent: sent.Resent, ResendsRefused: sent.Refused,
	}
	for reason, n := range st.Dropped {
		out.UnitsDropped[string(reason)] = n
	}
	if e, ok := v.streams.entry(s.Name()); ok && e.supervisor != nil {
		c := e.supervisor.Stats()
		out.Reconnects, out.Failures = c.Reconnects, c.Failures
	}
	return out
}

// SessionMetrics implements metrics.Gateway.
func (v metricsView) SessionMetrics() ([]metrics.SessionCount, uint64) {
	counts := make(map[metrics.SessionCount]int)
	for _, s := range v.sessions.Sessions() {
		i := s.Info()
		counts[metrics.SessionCount{Protocol: i.Protocol, State: string(i.State)}]++
	}
	all := make([]metrics.SessionCount, 0, len(counts))
	for c, n := range counts {
		c.Count = n
		all = append(all, c)
	}
	return all, v.sessions.Total()
}

// ViewerMetrics implements metrics.Gateway.
func (v metricsView) ViewerMetrics() metrics.Viewers {
	now := make(map[session.Route]int)
	for _, s := range v.sessions.Sessions() {
		now[s.Route()]++
	}
	var out metrics.Viewers
	for r, total := range v.sessions.Routes() {
		out.Routes = append(out.Routes, metrics.Route{Way: string(r.Way), Reason: r.Reason, Now: now[r], Total: total})
	}
	if v.fanout == nil {
		return out
	}
	st := v.fanout.Stats()
	out.Handshakes = st.Handshakes
	out.HandshakesDone = map[string]uint64{"completed": st.Completed, "failed": st.Failed, "refused": st.Refused}
	out.PacketsRefused = map[string]uint64{
		"replayed": st.Replayed, "forged": st.Forged, "malformed": st.Malformed, "failed_check": st.FailedCheck,
	}
	out.RTT, out.LossFraction = metrics.Histogram(st.RTT), metrics.Histogram(st.Loss)
	return out
}

// PortMetrics implements metrics.Gateway.
func (v metricsView) PortMetrics() metrics.Port {
	st := v.port.Stats()
	out := metrics.Port{
		Sent: metrics.Traffic(st.Sent), Received: metrics.Traffic(st.Received), Lost: make(map[string]uint64, len(st.Lost)),
		Overlong: st.Cut, Overflowed: st.Overflows, GSO: st.GSO,
	}
	for reason, n := range st.Lost {
		out.Lost[reason.String()] = n
	}
	return out
}

// TranscodeMetrics implements metrics.Transcoder.
func (v metricsView) TranscodeMetrics() []metrics.Transcode {
	var all []metrics.Transcode
	for _, s := range v.hub.Streams() {
		e, ok := v.streams.entry(s.Name())
		if !ok {
			continue
		}
		for _, t := range e.transcoder.Status() {
			all = append(all, metrics.Transcode{
				Stream: s.Name(), Kind: string(t.Kind), Codec: string(t.Codec), Jobs: jobs(t), MemoryBytes: t.RSS,
				FirstFrame: t.FirstFrame.Seconds(),
			})
		}
		for _, t := range e.transcoder.Totals() {
			all = append(all, metrics.Transcode{
				Stream: s.Name(), Kind: string(t.Kind), Codec: string(t.Codec), Restarts: t.Restarts,
				In: t.In, Out: t.Out, Dropped: t.Dropped, CPUSeconds: t.CPU.Seconds(),
			})
		}
	}
	return all
}

// jobs counts what works: a failed encoder does not.
func jobs(t transcode.Status) int {
	if t.State == transcode.StateFailed {
		return 0
	}
	return 1
}

// WorkerMetrics implements metrics.Transcoder.
func (v metricsView) WorkerMetrics() metrics.Workers {
	gst, capture := v.workers.gst.Stats(), v.workers.capture.Stats()
	return metrics.Workers{
		Starts: map[string]uint64{"gateway-gst": gst.Started, "gateway-capture": capture.Started}, Warm: gst.Warm,
		Abandoned: map[string]uint64{"gateway-gst": gst.Abandoned, "gateway-capture": capture.Abandoned},
	}
}
