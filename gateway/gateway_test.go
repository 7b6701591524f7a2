package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"go.uber.org/goleak"

	"sluice/admin"
	"sluice/config"
	"sluice/gateway"
	"sluice/internal/testviewer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// logBuffer collects what an operator would read.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// running is a gateway under test.
type running struct {
	url  string // without a slash at its end
	log  *logBuffer
	g    *gateway.Gateway
	stop func() error // may be called twice
}

func start(t *testing.T, toml string) *running {
	t.Helper()
	return startAt(t, "", toml)
}

// startAt is start with more keys of [http].
func startAt(t *testing.T, keys, toml string) *running {
	t.Helper()
	c := parseAt(t, keys, toml)
	r := &running{log: &logBuffer{}}
	listening := make(chan net.Addr, 1)
	g, err := gateway.New(gateway.Options{
		Config: c, Log: slog.New(slog.NewTextHandler(r.log, nil)), Version: "test",
		OnListening: func(a net.Addr) { listening <- a },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.g = g
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
		if t.Failed() {
			t.Log(r.log.String())
		}
	})
	select {
	case a := <-listening:
		r.url = "http://" + a.String()
		if c.HTTP.Encrypted() {
			r.url = "https://" + a.String()
		}
	case err := <-ended:
		t.Fatal(err)
	}
	return r
}

// parse reads a configuration on top of what tests need.
func parse(t *testing.T, toml string) config.Config {
	t.Helper()
	return parseAt(t, "", toml)
}

// parseAt is parse with more keys of [http].
func parseAt(t *testing.T, keys, toml string) config.Config {
	t.Helper()
	text := "[http]\nlisten = \"127.0.0.1:0\"\n" + keys + "[webrtc]\nlisten_udp = \"0\"\n" + toml
	c, _, err := config.Parse([]byte(text), "test.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (r *running) get(t *testing.T, path string, into any) (status int, body string) {
	t.Helper()
	w, err := http.Get(r.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatalf("%s answered %s: %v", path, text, err)
		}
	}
	return w.StatusCode, string(text)
}

// eventually waits for a condition of the outside world.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if is() {
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// watch waits for a keyframe too, which comes after the stream is ready: the gateway itself waits for 4 s.
func watch(t *testing.T, url string, o testviewer.Options) *testviewer.Viewer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		v, err := testviewer.Watch(ctx, url, o)
		var refused *testviewer.StatusError
		switch {
		case err == nil:
			t.Cleanup(v.Close)
			return v
		case !errors.As(err, &refused) || refused.Status != http.StatusConflict:
			t.Fatal(err)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			t.Fatal(err)
		}
	}
}

func receive(t *testing.T, from <-chan *rtp.Packet, n int) []*rtp.Packet {
	t.Helper()
	packets := make([]*rtp.Packet, 0, n)
	timeout := time.After(20 * time.Second)
	for len(packets) < n {
		select {
		case p, ok := <-from:
			if !ok {
				t.Fatalf("the track ended after %d packets", len(packets))
			}
			packets = append(packets, p)
		case <-timeout:
			t.Fatalf("%d of %d packets came", len(packets), n)
		}
	}
	return packets
}

// The whole way once, for viewers on either way: demo camera, RTSP, hub, WHEP, a viewer that counts.
func TestDemoReachesAViewer(t *testing.T) {
	for way, toml := range map[string]string{"fast": "", "slow": "fast_path = false\n"} {
		t.Run(way, func(t *testing.T) { demoReachesAViewer(t, toml, way) })
	}
}

func demoReachesAViewer(t *testing.T, toml, way string) {
	g := start(t, toml+"[streams.demo]\nsource = \"demo:\"\n")
	v := watch(t, g.url+"/demo/whep", testviewer.Browser())

	video := receive(t, v.Video, 200)
	for i, p := range video {
		if len(p.Payload) > 1188 { // F20
			t.Errorf("packet %d has %d bytes of payload", i, len(p.Payload))
		}
		if i > 0 && p.SequenceNumber != video[i-1].SequenceNumber+1 { // F26
			t.Fatalf("sequence number %d after %d", p.SequenceNumber, video[i-1].SequenceNumber)
		}
	}
	if first := video[0].Payload; first[0]&0x1F != 24 || first[3]&0x1F != 7 { // B12, F21
		t.Errorf("the first packet is no STAP-A of SPS and PPS but % x", first[:8])
	}
	audio := receive(t, v.Audio, 50)
	for i, p := range audio[1:] {
		if step := p.Timestamp - audio[i].Timestamp; step != 960 { // F34
			t.Errorf("step of %d in Opus timestamps", step)
		}
	}

	var streams []admin.Stream
	g.get(t, "/api/v1/streams", &streams)
	if len(streams) != 1 || streams[0].State != "ready" || streams[0].Viewers != 1 ||
		streams[0].Tracks[0].Width != 1280 || streams[0].Tracks[0].Codec != "h264" {
		t.Errorf("streams: %+v", streams)
	}
	var sessions []admin.Session
	g.get(t, "/api/v1/sessions", &sessions)
	if len(sessions) != 1 || sessions[0].State != "connected" || sessions[0].Stream != "demo" || sessions[0].Role != "play" {
		t.Errorf("sessions: %+v", sessions)
	}
	reason := map[string]string{"slow": "configured"}[way]
	if sessions[0].Way != way || sessions[0].WayReason != reason {
		t.Errorf("way %q, %q; want %q, %q", sessions[0].Way, sessions[0].WayReason, way, reason)
	}
	if sessions[0].Stats.PacketsSent < 250 {
		t.Errorf("%+v", sessions[0].Stats)
	}
	_, text := g.get(t, "/metrics", nil)
	for _, want := range []string{
		`sluice_viewers{reason="` + reason + `",way="` + way + `"} 1`, `sluice_viewers_total{reason="` + reason + `",way="` + way + `"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
	if strings.Contains(text, `sluice_udp_datagrams_total{direction="sent"} 0`) {
		t.Error("nothing went through the port")
	}

	if status, err := v.Delete(t.Context()); status != http.StatusOK || err != nil { // A7
		t.Errorf("DELETE: %d, %v", status, err)
	}
	if status, err := v.Delete(t.Context()); status != http.StatusOK || err != nil { // A8
		t.Errorf("second DELETE: %d, %v", status, err)
	}
	eventually(t, "the session is forgotten", func() bool {
		g.get(t, "/api/v1/sessions", &sessions)
		return len(sessions) == 0
	})
	eventually(t, "the viewer is told", func() bool {
		select {
		case <-v.Closed:
			return true
		default:
			return false
		}
	})
}

// A viewer that gets no UDP through is served over TCP where there is a port for that.
func TestViewerOverTCP(t *testing.T) {
	for way, toml := range map[string]string{"fast": "", "slow": "fast_path = false\n"} {
		t.Run(way, func(t *testing.T) {
			g := start(t, toml+"listen_tcp = \"127.0.0.1:0\"\n[streams.demo]\nsource = \"demo:\"\n")
			o := testviewer.Browser()
			o.TCP = true
			v := watch(t, g.url+"/demo/whep", o)
			receive(t, v.Video, 100)
			receive(t, v.Audio, 50)
			var sessions []admin.Session
			g.get(t, "/api/v1/sessions", &sessions)
			if len(sessions) != 1 || sessions[0].Way != way {
				t.Errorf("sessions: %+v", sessions)
			}
		})
	}
}

// E48: the reports of both tracks map to one clock, and to the timestamps that are sent.
func TestSenderReportsKeepSoundAndPictureTogether(t *testing.T) {
	g := start(t, "[streams.demo]\nsource = \"demo:\"\n")
	v := watch(t, g.url+"/demo/whep", testviewer.Browser())
	video, audio := receive(t, v.Video, 60), receive(t, v.Audio, 30)
	eventually(t, "both tracks have a report", func() bool {
		ssrcs := map[uint32]bool{}
		for _, r := range v.Reports() {
			ssrcs[r.SSRC] = true
		}
		return len(ssrcs) == 2
	})
	at := func(p *rtp.Packet, rate float64) float64 { // seconds on the sender's clock
		for _, r := range v.Reports() {
			if r.SSRC == p.SSRC {
				return float64(r.NTPTime)/(1<<32) + float64(int32(p.Timestamp-r.RTPTime))/rate
			}
		}
		t.Fatal("no report")
		return 0
	}
	if apart := at(video[len(video)-1], 90000) - at(audio[len(audio)-1], 48000); apart < -3 || apart > 3 {
		t.Errorf("sound and picture that were sent together are %v s apart", apart)
	}
}

// J160: with auth.mode = "none" only this machine is served, under its own name, and directly.
func TestModeNoneServesThisMachineOnly(t *testing.T) {
	g := start(t, "")
	for name, change := range map[string]func(*http.Request){
		"foreign host": func(r *http.Request) { r.Host = "cameras.example.com" },
		"proxy":        func(r *http.Request) { r.Header.Set("X-Forwarded-For", "203.0.113.7") },
		"RFC 7239":     func(r *http.Request) { r.Header.Set("Forwarded", "for=203.0.113.7") },
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.url+"/healthz", nil)
			if err != nil {
				t.Fatal(err)
			}
			change(r)
			w, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Body.Close()
			text, _ := io.ReadAll(w.Body)
			if w.StatusCode != http.StatusForbidden || !strings.Contains(string(text), "auth.mode") {
				t.Errorf("%d %s", w.StatusCode, text)
			}
		})
	}
}

func TestUnknownThingsAreTold(t *testing.T) {
	g := start(t, "[streams.cam]\nsource = \"rtsp://127.0.0.1:1/nothing\"\n")
	for path, want := range map[string]int{
		"/": 200, "/cam/": 200, "/healthz": 200, "/readyz": 200, "/metrics": 200, "/assets/none.js": 404,
		"/api/v1/streams/cam": 200, "/api/v1/streams/other": 404, "/api/v2": 404, "/cam/other": 404,
		"/cam/whep": 204, "/cam/whep/AAAA": 404, "/%2e%2e/etc": 404, "/..%2f": 404, "/a%00b": 400, // J8
	} {
		if status, body := g.get(t, path, nil); status != want {
			t.Errorf("%s: %d, want %d: %.100s", path, status, want, body)
		}
	}
	for stream, want := range map[string]int{"other": 404, "cam": 409} { // B4, B10
		v, err := testviewer.New(testviewer.Browser())
		if err != nil {
			t.Fatal(err)
		}
		var refused *testviewer.StatusError
		eventually(t, "the source has failed", func() bool {
			_, body := g.get(t, "/api/v1/streams/cam", nil)
			return strings.Contains(body, "refuses")
		})
		if err := v.Post(t.Context(), g.url+"/"+stream+"/whep"); !errors.As(err, &refused) || refused.Status != want {
			t.Errorf("%s: %v, want %d", stream, err, want)
		} else if want == 409 && refused.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		v.Close()
	}
}

// A port that is taken is told by its key, and nothing is left running.
func TestPortsThatAreTaken(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	for key, toml := range map[string]string{
		"http.listen":       "[http]\nlisten = \"" + tcp.Addr().String() + "\"\n[webrtc]\nlisten_udp = \"0\"\n",
		"webrtc.listen_udp": "[http]\nlisten = \"127.0.0.1:0\"\n[webrtc]\nlisten_udp = \"" + udp.LocalAddr().String() + "\"\n",
	} {
		c, _, err := config.Parse([]byte(toml), "test.toml", nil)
		if err != nil {
			t.Fatal(err)
		}
		g, err := gateway.New(gateway.Options{Config: c, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Run(t.Context()); err == nil || !strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), "in use") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// SIGTERM's way: viewers are told, and nothing is left; goleak looks.
func TestStopsWithViewers(t *testing.T) {
	g := start(t, "[streams.demo]\nsource = \"demo:\"\n")
	v := watch(t, g.url+"/demo/whep", testviewer.Browser())
	receive(t, v.Video, 10)
	began := time.Now()
	if err := g.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	}
	<-v.Closed
}
