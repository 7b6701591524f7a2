package metrics

import "github.com/prometheus/client_golang/prometheus"

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
	CachedUnits                    int
	CachedSeconds                  float64 // of the rendition that holds the longest

	PacketsSent, BytesSent                      uint64
	ResendsAsked, PacketsResent, ResendsRefused uint64
}

var states = []string{"idle", "connecting", "ready", "failed"}

var (
	descState     = desc("stream_state", "1 for the state that the stream is in.", "stream", "state")
	descViewers   = desc("stream_viewers", "Viewers that are connected.", "stream")
	descBytesIn   = desc("stream_received_bytes_total", "Bytes of media received from the source.", "stream")
	descUnitsIn   = desc("stream_received_units_total", "Access units received from the source.", "stream")
	descCached    = desc("stream_cached_bytes", "Bytes of media kept for viewers that join or lag.", "stream")
	descCachedN   = desc("stream_cached_units", "Access units kept for viewers that join or lag.", "stream")
	descCachedAge = desc("stream_cached_seconds", "Time from the oldest to the newest access unit that is kept.", "stream")
	descDropped   = desc("stream_dropped_units_total", "Access units that a viewer did not get.", "stream", "reason")
	descKeyWanted = desc("stream_keyframe_wishes_total", "Keyframes that viewers asked for.", "stream")
	descKeySent   = desc("stream_keyframe_requests_total", "Keyframe requests passed on to the source after merging.", "stream")
	descReconnect = desc("source_reconnects_total", "Times that the source came back after a loss.", "stream")
	descFailures  = desc("source_failures_total", "Times that the source could not be reached or was lost.", "stream")
	descPackets   = desc("stream_sent_packets_total", "RTP packets sent to viewers.", "stream")
	descBytesOut  = desc("stream_sent_bytes_total", "Bytes of RTP payload sent to viewers.", "stream")
	descResends   = desc("stream_resends_total", "RTP packets that viewers asked for again.", "stream")
	descResent    = desc("stream_resent_packets_total", "RTP packets that were sent again; each time counts.", "stream")
	descRefused   = desc("stream_resends_refused_total", "RTP packets that were not sent again, for more than a fifth would have been.", "stream")
)

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
	gauge(out, descCachedN, float64(s.CachedUnits), s.Name)
	gauge(out, descCachedAge, s.CachedSeconds, s.Name)
	counters(out, s.UnitsDropped, descDropped, s.Name)
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
		{descResends, s.ResendsAsked},
		{descResent, s.PacketsResent},
		{descRefused, s.ResendsRefused},
	} {
		counter(out, c.desc, c.n, s.Name)
	}
}
