package resource

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/session"
	"sluice/signalling/problem"
)

// A1 to A6, A9, A10, A26, A95, J1 to J4, J7, J12, J14: what each request is answered.
func TestRequests(t *testing.T) {
	f := newFixture(t, Options{}, nil)
	sdp := []string{"Content-Type", sdpType}
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		header                   string // "Name: value" that must be there
	}{
		{"A1", "POST", "/cam/whip", "v=0", sdp, 201, "Content-Type: application/sdp"},
		{"A2: case and parameter", "POST", "/cam/whip", "v=0", []string{"Content-Type", "Application/SDP; charset=utf-8"}, 201, ""},
		{"A2: no type", "POST", "/cam/whip", "v=0", nil, 415, ""},
		{"J2", "POST", "/cam/whip", "v=0", []string{"Content-Type", "text/plain"}, 415, ""},
		{"J3", "POST", "/cam/whip", "v=0", []string{"Content-Type", "application/sdp;;;"}, 415, ""},
		{"J7", "POST", "/cam/whip", "v=0", append([]string{"Content-Encoding", "gzip"}, sdp...), 415, ""},
		{"J12", "POST", "/cam/whip", "v=0", append(sdp, sdp...), 400, ""},
		{"J12: twice authorised", "POST", "/cam/whip", "v=0", []string{"Authorization", "a", "Authorization", "b"}, 400, ""},
		{"A3", "POST", "/cam/whip", "refuse", sdp, 422, ""},
		{"A30: 64 KiB", "POST", "/cam/whip", strings.Repeat("a", 64<<10), sdp, 201, ""},
		{"J4", "POST", "/cam/whip", strings.Repeat("a", 64<<10+1), sdp, 413, ""},
		{"A4: GET", "GET", "/cam/whip", "", nil, 204, ""},
		{"A4: HEAD", "HEAD", "/cam/whip", "", nil, 204, ""},
		{"A5", "OPTIONS", "/cam/whip", "", nil, 200, "Accept-Post: application/sdp"},
		{"A5, D41: may be patched", "OPTIONS", "/cam/whip", "", nil, 200, "Access-Control-Allow-Methods: " + corsMethods},
		{"A5 of a session", "OPTIONS", "/cam/whip/x", "", nil, 200, "Accept-Patch: " + fragmentType},
		{"A6", "PUT", "/cam/whip", "", nil, 405, "Allow: " + endpointMethods},
		{"A6 of a session", "POST", "/cam/whip/x", "", nil, 405, "Allow: " + sessionMethods},
		{"J14: TRACE", "TRACE", "/cam/whip", "", nil, 405, ""},
		{"J14: lower case", "post", "/cam/whip", "v=0", sdp, 405, ""},
		{"A9: DELETE", "DELETE", "/cam/whip/AAAA", "", nil, 404, ""},
		{"A9: PATCH", "PATCH", "/cam/whip/AAAA", "a", []string{"Content-Type", fragmentType}, 404, ""},
		{"A9: GET", "GET", "/cam/whip/AAAA", "", nil, 404, ""},
		{"A9: below", "POST", "/cam/whip/AAAA/layer", "{}", nil, 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, body := do(t, c.method, f.URL+c.path, c.body, append(slices.Clone(c.headers), "Origin", origin)...)
			if w.StatusCode != c.status {
				t.Fatalf("%d, want %d: %s", w.StatusCode, c.status, body)
			}
			if name, value, _ := strings.Cut(c.header, ": "); c.header != "" && w.Header.Get(name) != value {
				t.Errorf("%s is %q, want %q", name, w.Header.Get(name), value)
			}
			if w.Header.Get("Cache-Control") != "no-store" || w.Header.Get("Access-Control-Allow-Origin") != origin { // A26, A95
				t.Errorf("%v", w.Header)
			}
			if c.status == 204 && body != "" {
				t.Errorf("a body: %q", body)
			}
			if c.status >= 400 {
				checkProblem(t, w, body)
			}
		})
	}
}

// A30: the operator may allow other sizes, up to that of any body.
func TestSizeOfOffers(t *testing.T) {
	for limit, sizes := range map[int]map[int]int{1 << 10: {1 << 10: 201, 1<<10 + 1: 413}, 100 << 10: {100 << 10: 201}} {
		f := newFixture(t, Options{MaxSDP: limit}, nil)
		for size, want := range sizes {
			if w, body := do(t, "POST", f.URL+"/cam/whip", strings.Repeat("a", size), "Content-Type", sdpType); w.StatusCode != want {
				t.Errorf("%d of %d bytes: %d %s", size, limit, w.StatusCode, body)
			}
		}
	}
	if s := New(Options{}); s.maxSDP.Load() != 1<<20 {
		t.Errorf("no limit is %d", s.maxSDP.Load())
	}
}

// checkProblem holds an error to A10.
func checkProblem(t *testing.T, w *http.Response, body string) {
	t.Helper()
	var p problem.Problem
	if err := json.Unmarshal([]byte(body), &p); err != nil || w.Header.Get("Content-Type") != problem.ContentType ||
		p.Status != w.StatusCode || p.Type == "" || p.Title == "" || p.Detail == "" {
		t.Errorf("%s %s", w.Header.Get("Content-Type"), body)
	}
}

// A7, A8, A9, A20, A22, J18: one Location, of a path whatever the Host; DELETE whatever If-Match, and twice.
func TestSession(t *testing.T) {
	f := newFixture(t, Options{}, nil)
	w, body := do(t, "POST", f.URL+"/cam/whip?video=h264", "v=0", "Content-Type", sdpType, "Host", "evil.example", "X-Forwarded-Host", "evil.example")
	if all := w.Header.Values("Location"); len(all) != 1 || all[0] != "/cam/whip/0" || body != answer || f.session(0).offer != "v=0" {
		t.Fatalf("%d %v %q", w.StatusCode, w.Header, body)
	}
	url := f.URL + "/cam/whip/0"
	for _, method := range []string{"GET", "HEAD"} { // A4
		if w, body := do(t, method, url, ""); w.StatusCode != 204 || w.Header.Get("ETag") == "" || body != "" {
			t.Errorf("%s: %d %v %q", method, w.StatusCode, w.Header, body)
		}
	}
	for _, method := range []string{"DELETE", "PATCH", "GET"} { // A9: below another endpoint, and one that never was
		foreign, foreignBody := do(t, method, f.URL+"/other/whip/0", "")
		never, neverBody := do(t, method, f.URL+"/cam/whip/7", "")
		if foreign.StatusCode != 404 || never.StatusCode != 404 || foreignBody != neverBody {
			t.Errorf("%s: %d %s, %d %s", method, foreign.StatusCode, foreignBody, never.StatusCode, neverBody)
		}
	}
	for range 2 {
		if w, body := do(t, "DELETE", url, "", "If-Match", `"old"`); w.StatusCode != 200 || body != "" || !f.session(0).over {
			t.Errorf("DELETE: %d %s", w.StatusCode, body)
		}
	}
	for _, method := range []string{"GET", "PATCH"} {
		if w, _ := do(t, method, url, ""); w.StatusCode != 404 {
			t.Errorf("%s after DELETE: %d", method, w.StatusCode)
		}
	}
}

// B6, B7: a counter-offer is 406 with a time, takes one answer, and is a resource like any other.
func TestCounterOffer(t *testing.T) {
	until := time.Date(2026, 11, 21, 6, 30, 5, 0, time.FixedZone("", 3600))
	f := newFixture(t, Options{}, func(m *Made) {
		m.Until = until
		m.Session.(*fake).loaded = true
	})
	w, body := do(t, "POST", f.URL+"/cam/whip", "v=0", "Content-Type", sdpType)
	const want = `application/sdp; valid-until="Sat, 21 Nov 2026 05:30:05 GMT"`
	if w.StatusCode != 406 || w.Header.Get("Content-Type") != want || w.Header.Get("Location") != "/cam/whip/0" || w.Header.Get("ETag") == "" || body != answer {
		t.Fatalf("%d %v %q", w.StatusCode, w.Header, body)
	}
	for i, want := range []int{204, 409} {
		if w, body := do(t, "PATCH", f.URL+"/cam/whip/0", "v=0", "Content-Type", sdpType); w.StatusCode != want {
			t.Errorf("answer %d: %d %s", i, w.StatusCode, body)
		}
	}
}

// A8: a session that is over answers DELETE with 200 for 60 s, then with 404; what is old is forgotten.
func TestTombstone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Log: slog.New(slog.DiscardHandler), PostsPerSecond: 20})
		s.bury("/cam/whep/id", session.Verdict{})
		for _, c := range []struct {
			wait     time.Duration
			endpoint string
			want     int
		}{
			{0, "/cam/whep", 200}, {0, "/other/whep", 404}, {59 * time.Second, "/cam/whep", 200}, {2 * time.Second, "/cam/whep", 404},
		} {
			time.Sleep(c.wait)
			w := httptest.NewRecorder()
			s.ServeSession(w, httptest.NewRequest(http.MethodDelete, "/", nil), c.endpoint, "id")
			if w.Code != c.want {
				t.Errorf("after %v more, at %s: %d, want %d", c.wait, c.endpoint, w.Code, c.want)
			}
		}
		s.bury("/cam/whep/another", session.Verdict{})
		if len(s.over) != 1 {
			t.Errorf("%d tombstones are kept", len(s.over))
		}
	})
}

// A8: tombstones go one by one when their time has come, and the list of their order with them.
func TestTombstonesGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Log: slog.New(slog.DiscardHandler), PostsPerSecond: 20})
		for i := range 1000 {
			url := "/cam/whep/" + strconv.Itoa(i)
			s.bury(url, session.Verdict{})
			if !s.isOver(url) || len(s.over) > 61 || len(s.graves) != len(s.over) {
				t.Fatalf("after %d s: %d tombstones, %d in order", i, len(s.over), len(s.graves))
			}
			time.Sleep(time.Second)
		}
	})
}

// A3, A11, A14, A70, A72, B10: every reason has its status; what is a defect of ours is told to the log alone (A10).
func TestRefuse(t *testing.T) {
	statuses := map[session.Reason]int{
		session.ReasonMalformedSDP: 400, session.ReasonTooLarge: 413, session.ReasonUnservable: 422, session.ReasonCodec: 422,
		session.ReasonCapacity: 503,
		session.ReasonNoStream: 404, session.ReasonSourceOffline: 409, session.ReasonAltered: 503, session.ReasonShutdown: 503, session.ReasonInternal: 500,
		session.ReasonBusy: 409, session.ReasonNotPublishable: 403, session.ReasonLimit: 503, session.ReasonHostLimit: 429,
		session.ReasonMalformedFragment: 400, session.ReasonFragmentTooLarge: 413, session.ReasonStaleGeneration: 412,
		session.ReasonGenerationUnsaid: 428, session.ReasonTooMany: 429, session.ReasonNotPending: 409,
		session.ReasonMalformedLayer: 400, session.ReasonLayer: 404,
		session.ReasonGone: 404,
	}
	for _, reason := range reasons(t) {
		if statuses[reason] == 0 {
			t.Errorf("%s has no status", reason)
		}
	}
	delete(statuses, session.ReasonGone) // TestGone
	for reason, want := range statuses {
		var log strings.Builder
		w := httptest.NewRecorder()
		New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))}).Refuse(w, httptest.NewRequest(http.MethodPost, "/", nil),
			&session.Refusal{Reason: reason, RetryAfter: 1500 * time.Millisecond, Err: errors.New("the inner text")})
		if w.Code != want || strings.Contains(w.Body.String(), "the inner text") == (want == 500) {
			t.Errorf("%s: %d %s", reason, w.Code, w.Body)
		}
		if (want == 500) != strings.Contains(log.String(), "the inner text") || want != 500 && w.Header().Get("Retry-After") != "2" {
			t.Errorf("%s: log %q, headers %v", reason, log.String(), w.Header())
		}
	}
}

// reasons are all that package session has.
func reasons(t *testing.T) []session.Reason {
	text, err := os.ReadFile("../../session/refusal.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []session.Reason
	for _, m := range regexp.MustCompile(`Reason = "(\w+)"`).FindAllSubmatch(text, -1) {
		all = append(all, session.Reason(m[1]))
	}
	if len(all) < 20 {
		t.Fatalf("only %d reasons were found", len(all))
	}
	return all
}

// A9, J9: what a session that has just ended answers is what one answers that never was.
func TestGone(t *testing.T) {
	s := New(Options{Log: slog.New(slog.DiscardHandler), PostsPerSecond: 20})
	gone, never := httptest.NewRecorder(), httptest.NewRecorder()
	s.Refuse(gone, httptest.NewRequest(http.MethodPatch, "/", nil), refusal(session.ReasonGone))
	s.ServeSession(never, httptest.NewRequest(http.MethodPatch, "/", nil), "/cam/whip", "id")
	if gone.Code != 404 || gone.Code != never.Code || gone.Body.String() != never.Body.String() {
		t.Errorf("%d %s, %d %s", gone.Code, gone.Body, never.Code, never.Body)
	}
}

// A10: a client that goes while its session is being made is no defect, and nothing for the log.
func TestClientGoes(t *testing.T) {
	var log strings.Builder
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))}).Refuse(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodPost, "/", nil),
		&session.Refusal{Reason: session.ReasonInternal, Err: ctx.Err()})
	if log.Len() > 0 {
		t.Error(log.String())
	}
}

// A13, A11: whatever keeps a session from being made, the POST is answered after 5 s.
func TestCreateTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Log: slog.New(slog.DiscardHandler), PostsPerSecond: 20})
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("v=0"))
		r.Header.Set("Content-Type", sdpType)
		w := httptest.NewRecorder()
		began := time.Now()
		s.ServeEndpoint(w, r, Endpoint{Create: func(ctx context.Context, _ *http.Request, _ string) (Made, error) {
			<-ctx.Done()
			return Made{}, &session.Refusal{Reason: session.ReasonInternal, Err: ctx.Err()}
		}})
		if took := time.Since(began); w.Code != 503 || took != 5*time.Second || w.Header().Get("Retry-After") != "2" {
			t.Errorf("%d after %v: %v", w.Code, took, w.Header())
		}
	})
}
