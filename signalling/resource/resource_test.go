package resource

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/session"
)

// A8: a session that is over answers DELETE with 200 for 60 s, then with 404; what is old is forgotten.
func TestTombstone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(slog.New(slog.DiscardHandler))
		s.bury("id", "/cam/whep")
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
		s.bury("another", "/cam/whep")
		if len(s.over) != 1 {
			t.Errorf("%d tombstones are kept", len(s.over))
		}
	})
}

// A11, B10: every reason has its status; what is a defect of ours is told to the log alone (A10).
func TestRefuse(t *testing.T) {
	for reason, want := range map[session.Reason]int{
		session.ReasonMalformedSDP: 400, session.ReasonTooLarge: 413, session.ReasonUnservable: 422, session.ReasonCodec: 422,
		session.ReasonNoStream: 404, session.ReasonSourceOffline: 409, session.ReasonShutdown: 503, session.ReasonInternal: 500,
	} {
		var log strings.Builder
		w := httptest.NewRecorder()
		New(slog.New(slog.NewTextHandler(&log, nil))).refuse(w, httptest.NewRequest(http.MethodPost, "/", nil),
			&session.Refusal{Reason: reason, RetryAfter: 1500 * time.Millisecond, Err: errors.New("the inner text")})
		if w.Code != want || strings.Contains(w.Body.String(), "the inner text") == (want == 500) {
			t.Errorf("%s: %d %s", reason, w.Code, w.Body)
		}
		if (want == 500) != strings.Contains(log.String(), "the inner text") || want != 500 && w.Header().Get("Retry-After") != "2" {
			t.Errorf("%s: log %q, headers %v", reason, log.String(), w.Header())
		}
	}
}
