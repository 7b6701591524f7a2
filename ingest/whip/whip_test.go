package whip_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"sluice/hub"
	"sluice/ingest/whip"
	"sluice/internal/testpeer"
	"sluice/negotiation"
	"sluice/peer"
	"sluice/session"
	"sluice/signalling/resource"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const sdpType = "application/sdp"

// serve routes requests to an endpoint.
func serve(t *testing.T, e *whip.Endpoint) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(resource.CORS{}.Wrap(resource.CheckHeaders(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			path := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
			if len(path) == 3 {
				e.ServeSession(w, r, path[0], path[2])
				return
			}
			e.ServeEndpoint(w, r, path[0])
		}))))
	t.Cleanup(func() {
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return server
}

// newServer serves the streams "studio", which takes publishers, and "camera", which does not.
func newServer(t *testing.T) *httptest.Server {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	engine := testpeer.New(t, peer.Options{})
	h := hub.New(hub.Options{})
	for _, name := range []string{"studio", "camera"} {
		if _, err := h.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	sessions := session.New(streams{session.InHub(h, session.Terms{})}, session.On(engine, nil), session.Options{Log: log})
	t.Cleanup(func() {
		sessions.Close()
		h.Close()
	})
	return serve(t, whip.New(sessions, resource.New(resource.Options{Log: log})))
}

type streams struct{ session.Streams }

func (s streams) Find(name string) (*hub.Stream, session.Terms, error) {
	stream, _, err := s.Streams.Find(name)
	return stream, session.Terms{Publish: name == "studio"}, err
}

func offer(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../negotiation/testdata/offers/" + name + ".sdp")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func do(t *testing.T, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w, string(text)
}

// A1 to A6, A9 to A11, J1 to J3, J8: what a publisher is answered by real sessions.
func TestRequests(t *testing.T) {
	s, obs := newServer(t), offer(t, "obs-32.2.2")
	sdp := []string{"Content-Type", sdpType}
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
	}{
		{"A4: HEAD", "HEAD", "/studio/whip", "", nil, 204},
		{"A4: GET", "GET", "/studio/whip", "", nil, 204},
		{"A5", "OPTIONS", "/studio/whip", "", nil, 200},
		{"A6", "PUT", "/studio/whip", "", nil, 405},
		{"A2", "POST", "/studio/whip", obs, nil, 415},
		{"A3: malformed", "POST", "/studio/whip", "hello", sdp, 400},
		{"J1", "POST", "/studio/whip", "", sdp, 400},
		{"J1: no type either", "POST", "/studio/whip", "", nil, 415},
		{"A3: not servable", "POST", "/studio/whip", strings.ReplaceAll(obs, "a=sendonly", "a=recvonly"), sdp, 422},
		{"no such stream", "POST", "/none/whip", obs, sdp, 404},
		{"J8", "POST", "/%2e%2e/whip", obs, sdp, 404},
		{"a stream with a source of its own", "POST", "/camera/whip", obs, sdp, 403},
		{"A9", "DELETE", "/studio/whip/AAAA", "", nil, 404},
		{"A1", "POST", "/studio/whip?video=h264&audio=opus&colour=blue", obs, sdp, 201},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, body := do(t, c.method, s.URL+c.path, c.body, c.headers...)
			if w.StatusCode != c.status || w.Header.Get("Cache-Control") != "no-store" {
				t.Fatalf("%d %v: %s", w.StatusCode, w.Header, body)
			}
			if isProblem := w.Header.Get("Content-Type") == "application/problem+json"; isProblem != (c.status >= 400) { // A10
				t.Errorf("%v %s", w.Header, body)
			}
		})
	}
}

var locationForm = regexp.MustCompile(`^/studio/whip/[A-Za-z0-9_-]{22}$`)

// A7, A8, A20 to A22, A25: a publisher's session from its 201 to its end; OBS and ffmpeg can read the answer.
func TestSession(t *testing.T) {
	for _, name := range []string{"obs-32.2.2", "obs-32.2.2-simulcast2", "ffmpeg9-whip", "chromium156-whip-h264", "firefox153-whip-vp8", "gst-whipclientsink"} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			w, answer := do(t, "POST", s.URL+"/studio/whip", offer(t, name), "Content-Type", sdpType)
			all := w.Header.Values("Location")
			if w.StatusCode != 201 || len(all) != 1 || !locationForm.MatchString(all[0]) {
				t.Fatalf("%d %v %s", w.StatusCode, w.Header, answer)
			}
			if !regexp.MustCompile(`^"[!#-~]{18,}"$`).MatchString(w.Header.Get("ETag")) || len(w.Header.Values("Link")) != 0 {
				t.Errorf("%v", w.Header)
			}
			if !strings.HasPrefix(answer, "v=0\r\n") || len(answer) > 8191 || strings.Contains(strings.ReplaceAll(answer, "\r\n", ""), "\n") {
				t.Errorf("answer:\n%s", answer)
			}
			for range 2 {
				if w, body := do(t, "DELETE", s.URL+all[0], ""); w.StatusCode != 200 || body != "" {
					t.Errorf("DELETE: %d %s", w.StatusCode, body)
				}
			}
			if w, _ := do(t, "GET", s.URL+all[0], ""); w.StatusCode != 404 {
				t.Errorf("GET after DELETE: %d", w.StatusCode)
			}
		})
	}
}

// A70, A71, A73: a real publisher's session trickles, and restarts ICE.
func TestPatch(t *testing.T) {
	s := newServer(t)
	w, _ := do(t, "POST", s.URL+"/studio/whip", offer(t, "obs-32.2.2"), "Content-Type", sdpType)
	url, etag := s.URL+w.Header.Get("Location"), w.Header.Get("ETag")
	const fragmentType = "application/trickle-ice-sdpfrag"
	const ours = "a=ice-ufrag:vNwq\r\na=ice-pwd:ApHCJgNzOco4xoEphY3KL8\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=end-of-candidates\r\n"
	if w, body := do(t, "PATCH", url, ours, "Content-Type", fragmentType, "If-Match", etag); w.StatusCode != 204 || w.Header.Get("ETag") != "" {
		t.Errorf("trickle: %d %s", w.StatusCode, body)
	}
	w, body := do(t, "PATCH", url, "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n", "Content-Type", fragmentType, "If-Match", "*")
	if w.StatusCode != 200 || !strings.Contains(body, "a=ice-ufrag:") || w.Header.Get("ETag") == etag {
		t.Errorf("restart: %d %v %s", w.StatusCode, w.Header, body)
	}
}

// sessions notes what is asked of it, and refuses.
type sessions struct{ asked session.PublishRequest }

func (s *sessions) Publish(_ context.Context, r session.PublishRequest) (*session.Session, string, error) {
	s.asked = r
	return nil, "", &session.Refusal{Reason: session.ReasonLimit, Err: io.EOF}
}

// A56: which codec a publisher would rather send; what is not known is no wish.
func TestWish(t *testing.T) {
	fake := &sessions{}
	s := serve(t, whip.New(fake, resource.New(resource.Options{Log: slog.New(slog.DiscardHandler)})))
	for query, want := range map[string]negotiation.Wish{
		"":                       {},
		"?video=h264&audio=opus": {Video: "h264", Audio: "opus"},
		"?video=av1":             {Video: "av1"},
		"?video=mjpeg&audio=AAC": {},
		"?video=%zz&audio=g722":  {Audio: "g722"},
	} {
		w, _ := do(t, "POST", s.URL+"/studio/whip"+query, "v=0", "Content-Type", sdpType)
		fake.asked.RemoteAddress = ""
		if w.StatusCode != 503 || fake.asked != (session.PublishRequest{Stream: "studio", Offer: "v=0", Protocol: "whip", Loopback: true, Wish: want}) {
			t.Errorf("%s: %d, asked for %+v", query, w.StatusCode, fake.asked)
		}
	}
}
