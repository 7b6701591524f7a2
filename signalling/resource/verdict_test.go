package resource

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/session"
)

// A session's URL with /verdict behind it tells how its connection does, to pages of other origins too, and what became
// of it once it is over. It tells no address and no advice: those are for the operator.
//
// Proves I40 for verdicts.
func TestVerdict(t *testing.T) {
	f := newFixture(t, Options{PostsPerSecond: 20}, nil)
	do(t, "POST", f.URL+"/cam/whip", "v=0", "Content-Type", sdpType)
	s := f.session(0)
	s.verdict = session.Verdict{
		State: session.StateConnecting, Reason: session.CauseNothingArrived, Sentence: "nothing came to 192.0.2.1", Advice: "for 192.0.2.1",
		Ours: []string{"192.0.2.1"}, Theirs: []string{"192.0.2.1"}, Pairs: []session.Pair{{Local: "192.0.2.1"}}, Delivery: []string{"192.0.2.1"},
	}
	for _, over := range []bool{false, true} {
		w, body := do(t, "GET", f.URL+"/cam/whip/0/verdict", "", "Origin", origin)
		var got session.PeerVerdict
		if err := json.Unmarshal([]byte(body), &got); err != nil || w.StatusCode != 200 || got.Reason != session.CauseNothingArrived || got.Sentence == "" || strings.Contains(body, "192.0.2.1") {
			t.Fatalf("over: %v: %d %s %v", over, w.StatusCode, body, err)
		}
		h := w.Header
		if h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/json" || h.Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("%v", h)
		}
		s.Close()
	}
	for url, want := range map[string]int{"/cam/whip/1/verdict": 404, "/cam/whip/0/verdict/more": 404} {
		if w, _ := do(t, "GET", f.URL+url, ""); w.StatusCode != want {
			t.Errorf("%s: %d", url, w.StatusCode)
		}
	}
	for method, want := range map[string]int{"POST": 405, "DELETE": 405, "OPTIONS": 200, "HEAD": 200} {
		if w, _ := do(t, method, f.URL+"/cam/whip/0/verdict", ""); w.StatusCode != want {
			t.Errorf("%s: %d", method, w.StatusCode)
		}
	}
}

// A verdict outlives its session by 60 s.
func TestVerdictAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Log: slog.New(slog.DiscardHandler), PostsPerSecond: 20})
		s.bury("/cam/whep/bad", session.Verdict{Reason: session.CauseFlood, Sentence: "too much", Ours: []string{"udp 192.0.2.1:8189"}})
		s.bury("/cam/whep/good", session.Verdict{State: session.StateClosed, Ours: []string{"udp 192.0.2.1:8189"}})
		for _, c := range []struct {
			wait     time.Duration
			id, want string // of the body; "": 404
		}{
			{0, "bad", `"reason":"flood"`},
			{0, "good", `"reason":""`},
			{0, "none", ""},
			{59 * time.Second, "bad", "too much"},
			{2 * time.Second, "bad", ""},
		} {
			time.Sleep(c.wait)
			w := httptest.NewRecorder()
			s.ServeBelow(w, httptest.NewRequest(http.MethodGet, "/", nil), "/cam/whep", c.id, []string{"verdict"})
			if w.Code != 200 != (c.want == "") || !strings.Contains(w.Body.String(), c.want) || strings.Contains(w.Body.String(), "192.0.2.1") {
				t.Errorf("%s: %d %s", c.id, w.Code, w.Body)
			}
		}
	})
}
