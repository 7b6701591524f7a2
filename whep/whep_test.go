package whep_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"sluice/hub"
	"sluice/internal/testpeer"
	"sluice/internal/testviewer"
	"sluice/media"
	"sluice/peer"
	"sluice/session"
	"sluice/signalling/problem"
	"sluice/signalling/resource"
	"sluice/whep"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const origin = "https://page.example"

// newServer serves the streams "live", which sends VP8 and Opus, and "dark", which has failed.
func newServer(t *testing.T) *httptest.Server {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	engine := testpeer.New(t, peer.Options{})
	h := hub.New(hub.Options{})
	for _, name := range []string{"live", "dark"} {
		s, err := h.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		s.SetState(hub.StateFailed, context.DeadlineExceeded)
		if name == "live" {
			_, err = s.Publish(media.MainRendition, []media.Track{
				{ID: "video", Kind: media.Video, Codec: media.VP8, ClockRate: 90000},
				{ID: "audio", Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 2},
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	sessions := session.New(session.InHub(h, session.Terms{}), session.On(engine, nil), session.Options{Log: log})
	e := whep.New(sessions, resource.New(resource.Options{Log: log}))
	server := httptest.NewServer(resource.CORS{Origins: []string{origin}}.Wrap(resource.CheckHeaders(route(e))))
	t.Cleanup(func() {
		server.Close()
		sessions.Close()
		h.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return server
}

func route(e *whep.Endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
		switch {
		case len(path) > 3:
			e.ServeExtension(w, r, path[0], path[2], path[3:])
		case len(path) == 3:
			e.ServeSession(w, r, path[0], path[2])
		default:
			e.ServeEndpoint(w, r, path[0])
		}
	})
}

func offer(t *testing.T) string {
	t.Helper()
	v, err := testviewer.New(testviewer.Options{Video: []testviewer.Codec{testviewer.VP8}, Audio: []testviewer.Codec{testviewer.Opus}})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	sdp, err := v.Offer()
	if err != nil {
		t.Fatal(err)
	}
	return sdp
}

func do(t *testing.T, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
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

const sdpType = "application/sdp"

// A1 to A10, A26, B1 to B6, B10, B19, J1 to J4, J7, J8, J12, J14: what is asked of real sessions is answered so.
func TestRequests(t *testing.T) {
	s, sdp := newServer(t), offer(t)
	h264 := strings.NewReplacer("VP8/90000", "H264/90000").Replace(sdp)
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		header                   string // "Name: value" that must be there
	}{
		{"A1", "POST", "/live/whep", sdp, []string{"Content-Type", sdpType}, 201, "Content-Type: application/sdp"},
		{"A2: with a parameter", "POST", "/live/whep", sdp, []string{"Content-Type", "Application/SDP; charset=utf-8"}, 201, ""},
		{"A2, J2", "POST", "/live/whep", sdp, []string{"Content-Type", "text/plain"}, 415, ""},
		{"A2: no type", "POST", "/live/whep", sdp, nil, 415, ""},
		{"J3", "POST", "/live/whep", sdp, []string{"Content-Type", "application/sdp;;;"}, 415, ""},
		{"J7", "POST", "/live/whep", sdp, []string{"Content-Type", sdpType, "Content-Encoding", "gzip"}, 415, ""},
		{"J12", "POST", "/live/whep", sdp, []string{"Content-Type", sdpType, "Content-Type", sdpType}, 400, ""},
		{"J12: twice authorised", "GET", "/live/whep", "", []string{"Authorization", "a", "Authorization", "b"}, 400, ""},
		{"A3", "POST", "/live/whep", "hello", []string{"Content-Type", sdpType}, 400, ""},
		{"J1", "POST", "/live/whep", "", []string{"Content-Type", sdpType}, 406, ""},
		{"B6", "POST", "/live/whep?offer=server", sdp, []string{"Content-Type", sdpType}, 406, ""},
		{"B6: not known", "POST", "/none/whep", "", nil, 404, ""},
		{"J4", "POST", "/live/whep", strings.Repeat("a", 64<<10+1), []string{"Content-Type", sdpType}, 413, ""},
		{"B1: sendonly", "POST", "/live/whep", strings.ReplaceAll(sdp, "a=recvonly", "a=sendonly"), []string{"Content-Type", sdpType}, 422, ""},
		{"B2: sendrecv", "POST", "/live/whep", strings.ReplaceAll(sdp, "a=recvonly", "a=sendrecv"), []string{"Content-Type", sdpType}, 201, ""},
		{"B4", "POST", "/none/whep", sdp, []string{"Content-Type", sdpType}, 404, ""},
		{"B5", "POST", "/live/whep", h264, []string{"Content-Type", sdpType}, 422, ""},
		{"J8", "POST", "/%2e%2e/whep", sdp, []string{"Content-Type", sdpType}, 404, ""},
		{"J8: NUL", "POST", "/li%00ve/whep", sdp, []string{"Content-Type", sdpType}, 400, ""},
		{"J8: long", "POST", "/" + strings.Repeat("a", 4<<10) + "/whep", sdp, []string{"Content-Type", sdpType}, 404, ""},
		{"B19", "POST", "/live/whep?maxwidth=x&video=none", sdp, []string{"Content-Type", sdpType}, 201, ""},
		{"B10: waiting viewer", "POST", "/dark/whep?wait=1", sdp, []string{"Content-Type", sdpType}, 201, ""},
		{"B10", "POST", "/dark/whep", sdp, []string{"Content-Type", sdpType}, 409, "Retry-After: 2"},
		{"B3", "HEAD", "/live/whep", "", nil, 200, "Content-Type: application/sdp"},
		{"A4", "GET", "/live/whep", "", nil, 204, ""},
		{"A5", "OPTIONS", "/live/whep", "", nil, 200, "Accept-Post: application/sdp"},
		{"A6", "PUT", "/live/whep", "", nil, 405, "Allow: OPTIONS, GET, HEAD, POST"},
		{"A6 of a session", "POST", "/live/whep/x", "", nil, 405, "Allow: OPTIONS, GET, HEAD, PATCH, DELETE"},
		{"J14", "TRACE", "/live/whep", "", nil, 405, ""},
		{"J14: lower case", "post", "/live/whep", sdp, []string{"Content-Type", sdpType}, 405, ""},
		{"A9", "DELETE", "/live/whep/AAAA", "", nil, 404, ""},
		{"A9: GET", "GET", "/live/whep/AAAA", "", nil, 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, body := do(t, c.method, s.URL+c.path, c.body, append(c.headers, "Origin", origin)...)
			if w.StatusCode != c.status {
				t.Fatalf("%d, want %d: %s", w.StatusCode, c.status, body)
			}
			if name, value, _ := strings.Cut(c.header, ": "); c.header != "" && w.Header.Get(name) != value {
				t.Errorf("%s is %q, want %q", name, w.Header.Get(name), value)
			}
			if w.Header.Get("Cache-Control") != "no-store" { // A26
				t.Error("it may be stored")
			}
			if w.Header.Get("Access-Control-Allow-Origin") != origin { // A95
				t.Error("pages of an allowed origin can't read it")
			}
			if c.status < 400 || c.status == http.StatusNotAcceptable {
				return
			}
			var p problem.Problem // A10
			if err := json.Unmarshal([]byte(body), &p); err != nil || w.Header.Get("Content-Type") != problem.ContentType ||
				p.Status != c.status || p.Type == "" || p.Title == "" || p.Detail == "" {
				t.Errorf("%s %s", w.Header.Get("Content-Type"), body)
			}
		})
	}
}

var locationForm = regexp.MustCompile(`^/live/whep/[A-Za-z0-9_-]{22}$`)

// A7, A8, A9, A20 to A22, A25, J18: a session from its 201 to its end.
func TestSessionResource(t *testing.T) {
	s := newServer(t)
	w, answer := do(t, "POST", s.URL+"/live/whep", offer(t), "Content-Type", sdpType, "Host", "evil.example")
	all := w.Header.Values("Location")
	if len(all) != 1 || !locationForm.MatchString(all[0]) {
		t.Fatalf("Location: %q", all)
	}
	if !regexp.MustCompile(`^"[!-~]+"$`).MatchString(w.Header.Get("ETag")) {
		t.Errorf("ETag: %s", w.Header.Get("ETag"))
	}
	if !strings.HasPrefix(answer, "v=0\r\n") || len(answer) > 8191 || strings.Count(answer, "a=sendonly\r\n") != 2 { // B1
		t.Errorf("answer:\n%s", answer)
	}
	if strings.Count(strings.ReplaceAll(answer, "\r\n", ""), "\n") > 0 {
		t.Error("lines without CR")
	}
	location := all[0]
	if w, _ := do(t, "GET", s.URL+location, ""); w.StatusCode != 204 || w.Header.Get("ETag") == "" { // A4
		t.Errorf("GET: %d", w.StatusCode)
	}
	foreign, foreignBody := do(t, "DELETE", s.URL+strings.Replace(location, "live", "dark", 1), "")
	never, neverBody := do(t, "DELETE", s.URL+"/dark/whep/AAAAAAAAAAAAAAAAAAAAAA", "")
	if foreign.StatusCode != 404 || never.StatusCode != 404 || foreignBody != neverBody {
		t.Errorf("another endpoint's session: %d %s; one that never was: %d %s", foreign.StatusCode, foreignBody, never.StatusCode, neverBody)
	}
	for range 2 { // A7, A8
		if w, body := do(t, "DELETE", s.URL+location, "", "If-Match", `"old"`); w.StatusCode != 200 || body != "" {
			t.Errorf("DELETE: %d %s", w.StatusCode, body)
		}
	}
	if w, _ := do(t, "GET", s.URL+location, ""); w.StatusCode != 404 {
		t.Errorf("GET after DELETE: %d", w.StatusCode)
	}
}
