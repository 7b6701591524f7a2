package metrics_test

import (
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/metrics"
)

type fake struct{}

func (fake) StreamMetrics() []metrics.Stream {
	return []metrics.Stream{{
		Name: "door", State: "ready", Viewers: 3, BytesReceived: 10, UnitsReceived: 11, CachedBytes: 12, CachedUnits: 22, CachedSeconds: 2.5,
		UnitsDropped: map[string]uint64{"too_slow": 13}, KeyframesWanted: 14, KeyframesSent: 15, Reconnects: 16, Failures: 17,
		PacketsSent: 18, BytesSent: 19, ResendsAsked: 20, PacketsResent: 23, ResendsRefused: 21,
	}}
}

func (fake) SessionMetrics() ([]metrics.SessionCount, uint64) {
	return []metrics.SessionCount{{Protocol: "whep", State: "connected", Count: 3}}, 21
}

func (fake) ViewerMetrics() metrics.Viewers {
	return metrics.Viewers{
		Routes:     []metrics.Route{{Way: "fast", Now: 2, Total: 30}, {Way: "slow", Reason: "ice_lite", Now: 1, Total: 31}},
		Handshakes: 4, HandshakesDone: map[string]uint64{"failed": 5}, PacketsRefused: map[string]uint64{"replayed": 6},
		RTT:          metrics.Histogram{Bounds: []float64{.01, .1}, Counts: []uint64{1, 2, 3}, Sum: 4.5},
		LossFraction: metrics.Histogram{Bounds: []float64{0}, Counts: []uint64{7, 1}, Sum: .25},
	}
}

func (fake) PortMetrics() metrics.Port {
	return metrics.Port{
		Sent: metrics.Traffic{Datagrams: 40, Bytes: 41, Messages: 42}, Received: metrics.Traffic{Datagrams: 43, Bytes: 44, Messages: 45},
		Lost: map[string]uint64{"buffer_full": 46}, Overlong: 47, Overflowed: 48, GSO: true,
	}
}

func (fake) TranscodeMetrics() []metrics.Transcode {
	picture := metrics.Transcode{
		Stream: "door", Kind: "video", Codec: "h264", Jobs: 1, Restarts: 50, In: 51, Out: 52, Dropped: 53,
		CPUSeconds: 54.5, MemoryBytes: 55, FirstFrame: .25,
	}
	smaller := metrics.Transcode{
		Stream: "door", Kind: "video", Codec: "h264", Jobs: 1, Restarts: 1, In: 10, Out: 20, Dropped: 30, CPUSeconds: 1, MemoryBytes: 100, FirstFrame: .125,
	}
	return []metrics.Transcode{picture, smaller, {Stream: "door", Kind: "audio", Codec: "opus", Jobs: 1}}
}

func (fake) WorkerMetrics() metrics.Workers {
	return metrics.Workers{Starts: map[string]uint64{"gateway-gst": 60, "gateway-capture": 61}, Warm: 1, Abandoned: map[string]uint64{"gateway-gst": 62, "gateway-capture": 63}}
}

func (fake) AccessMetrics() metrics.Access {
	return metrics.Access{
		Refused: map[string]uint64{"sessions": 70}, Logins: []metrics.Login{{Mode: "internal", Result: "invalid", Count: 71}},
		CertificateExpiry: time.Unix(1_900_000_000, 0),
	}
}

func (fake) ReloadMetrics() metrics.Reloads {
	return metrics.Reloads{Applied: 72, Refused: 73, Last: time.Unix(1_800_000_000, 0)}
}

func (fake) RelayMetrics() *metrics.Relay {
	return &metrics.Relay{
		Allocations: 74, Connections: 75, AllocationsTotal: 76, Bindings: 77, Challenges: 78,
		Up: metrics.Relayed{Packets: 79, Bytes: 80}, Down: metrics.Relayed{Packets: 81, Bytes: 82}, Refused: map[string]uint64{"unauthorized": 83},
	}
}

func scrape(t *testing.T) string {
	t.Helper()
	w := httptest.NewRecorder()
	metrics.Handler(fake{}, "1.2.3").ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	return w.Body.String()
}

func TestValues(t *testing.T) {
	text := scrape(t)
	for _, line := range []string{
		`sluice_build_info{version="1.2.3"} 1`,
		`sluice_stream_state{state="ready",stream="door"} 1`,
		`sluice_stream_state{state="failed",stream="door"} 0`,
		`sluice_stream_viewers{stream="door"} 3`,
		`sluice_stream_received_bytes_total{stream="door"} 10`,
		`sluice_stream_received_units_total{stream="door"} 11`,
		`sluice_stream_cached_bytes{stream="door"} 12`,
		`sluice_stream_dropped_units_total{reason="too_slow",stream="door"} 13`,
		`sluice_stream_keyframe_wishes_total{stream="door"} 14`,
		`sluice_stream_keyframe_requests_total{stream="door"} 15`,
		`sluice_source_reconnects_total{stream="door"} 16`,
		`sluice_source_failures_total{stream="door"} 17`,
		`sluice_stream_sent_packets_total{stream="door"} 18`,
		`sluice_stream_sent_bytes_total{stream="door"} 19`,
		`sluice_stream_resends_total{stream="door"} 20`,
		`sluice_stream_resent_packets_total{stream="door"} 23`,
		`sluice_stream_resends_refused_total{stream="door"} 21`,
		`sluice_sessions{protocol="whep",state="connected"} 3`,
		`sluice_sessions_total 21`,
		`sluice_stream_cached_units{stream="door"} 22`,
		`sluice_stream_cached_seconds{stream="door"} 2.5`,
		`sluice_viewers{reason="",way="fast"} 2`,
		`sluice_viewers{reason="ice_lite",way="slow"} 1`,
		`sluice_viewers_total{reason="ice_lite",way="slow"} 31`,
		`sluice_viewer_handshakes 4`,
		`sluice_viewer_handshakes_total{result="failed"} 5`,
		`sluice_viewer_refused_packets_total{reason="replayed"} 6`,
		`sluice_viewer_rtt_seconds_bucket{le="0.01"} 1`,
		`sluice_viewer_rtt_seconds_bucket{le="0.1"} 3`,
		`sluice_viewer_rtt_seconds_count 6`,
		`sluice_viewer_rtt_seconds_sum 4.5`,
		`sluice_viewer_loss_fraction_bucket{le="+Inf"} 8`,
		`sluice_udp_datagrams_total{direction="sent"} 40`,
		`sluice_udp_bytes_total{direction="received"} 44`,
		`sluice_udp_messages_total{direction="received"} 45`,
		`sluice_udp_lost_datagrams_total{reason="buffer_full"} 46`,
		`sluice_udp_unread_datagrams_total{reason="too_large"} 47`,
		`sluice_udp_unread_datagrams_total{reason="queue_full"} 48`,
		`sluice_udp_gso 1`,
		`sluice_transcode_jobs{codec="h264",kind="video",stream="door"} 2`,
		`sluice_transcode_jobs{codec="opus",kind="audio",stream="door"} 1`,
		`sluice_transcode_restarts_total{codec="h264",kind="video",stream="door"} 51`,
		`sluice_transcode_frames_total{codec="h264",direction="in",kind="video",stream="door"} 61`,
		`sluice_transcode_frames_total{codec="h264",direction="out",kind="video",stream="door"} 72`,
		`sluice_transcode_frames_total{codec="h264",direction="dropped",kind="video",stream="door"} 83`,
		`sluice_transcode_cpu_seconds_total{codec="h264",kind="video",stream="door"} 55.5`,
		`sluice_transcode_memory_bytes{codec="h264",kind="video",stream="door"} 155`,
		`sluice_transcode_first_frame_seconds{codec="h264",kind="video",stream="door"} 0.25`,
		`sluice_worker_starts_total{worker="gateway-gst"} 60`,
		`sluice_worker_warm 1`,
		`sluice_worker_abandoned_total{worker="gateway-capture"} 63`,
		`sluice_limit_refused_total{limit="sessions"} 70`,
		`sluice_auth_total{mode="internal",result="invalid"} 71`,
		`sluice_certificate_expiry_timestamp_seconds 1.9e+09`,
		`sluice_config_reloads_total{result="applied"} 72`,
		`sluice_config_reloads_total{result="refused"} 73`,
		`sluice_config_last_reload_timestamp_seconds 1.8e+09`,
		`sluice_turn_allocations 74`,
		`sluice_turn_connections 75`,
		`sluice_turn_allocations_total 76`,
		`sluice_turn_bindings_total 77`,
		`sluice_turn_challenges_total 78`,
		`sluice_turn_relayed_packets_total{direction="up"} 79`,
		`sluice_turn_relayed_bytes_total{direction="up"} 80`,
		`sluice_turn_relayed_packets_total{direction="down"} 81`,
		`sluice_turn_relayed_bytes_total{direction="down"} 82`,
		`sluice_turn_refused_total{reason="unauthorized"} 83`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	if strings.Contains(text, `sluice_transcode_first_frame_seconds{codec="opus"`) {
		t.Error("a first frame that has not come is timed")
	}
}

// types are the metrics of a scrape and their types.
func types(text string) map[string]string {
	all := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`).FindAllStringSubmatch(text, -1) {
		all[m[1]] = m[2]
	}
	return all
}

// Names are ours or those that all Go programs have; counters are named and typed as such; no label grows with use.
func TestNamesAndTypes(t *testing.T) {
	text := scrape(t)
	ours := 0
	for name, typ := range types(text) {
		switch {
		case strings.HasPrefix(name, "sluice_"):
			ours++
			if strings.HasSuffix(name, "_total") != (typ == "counter") {
				t.Errorf("%s is a %s", name, typ)
			}
		case !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_"):
			t.Errorf("%s is no name of ours", name)
		}
	}
	if ours != 55 {
		t.Errorf("%d metrics of ours", ours)
	}
	labels := []string{"stream", "state", "reason", "version", "protocol", "way", "result", "direction", "le", "kind", "codec", "worker", "limit", "mode"}
	for _, m := range regexp.MustCompile(`(?m)^sluice_\w+\{(.*)\}`).FindAllStringSubmatch(text, -1) {
		for _, l := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(m[1], -1) {
			if !slices.Contains(labels, l[1]) {
				t.Errorf("label %s in %s", l[1], m[0])
			}
		}
	}
}

// The reference lists every metric with its help text, and no other.
func TestReferenceListsEveryMetric(t *testing.T) {
	page, err := os.ReadFile("../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Metrics\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)(?:\\{[^`]*\\})?` \\| (\\w+) \\| (.+) \\|$").FindAllStringSubmatch(section, -1) {
		rows[m[1]] = m[2] + ": " + m[3]
	}
	text := scrape(t)
	for _, m := range regexp.MustCompile(`(?m)^# HELP (sluice_\S+) (.*)$`).FindAllStringSubmatch(text, -1) {
		if want := types(text)[m[1]] + ": " + strings.TrimSuffix(m[2], "."); rows[m[1]] != want {
			t.Errorf("%s: the reference says %q, the metric %q", m[1], rows[m[1]], want)
		}
		delete(rows, m[1])
	}
	for name := range rows {
		t.Errorf("the reference lists %s, which there is not", name)
	}
}
