package guard

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"sluice/auth"
)

// I30: each request that needs a right counts once, under what became of it.
func TestCounts(t *testing.T) {
	h := newHouse(t)
	send(h, "GET", "/cam", "", "Authorization", "Bearer "+aliceToken)
	send(h, "POST", "/cam", "")
	send(h, "GET", "/other", "", "Authorization", "Bearer "+aliceToken)
	send(h, "POST", "/login", `{"token":"`+aliceToken+`"}`, "Content-Type", asJSON)
	send(h, "POST", "/login", `{"token":"x"}`, "Content-Type", asJSON)
	h.Refuse(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), &auth.UnavailableError{Err: http.ErrHandlerTimeout})
	h.Refuse(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), &CrossOriginError{})
	for range 12 {
		send(h, "GET", "/cam", "", "Authorization", "Bearer x")
	}
	want := map[Result]uint64{Allowed: 2, NoCredentials: 1, Forbidden: 2, Invalid: 10, Backoff: 3, Unavailable: 1}
	for _, c := range h.Counts() {
		if c.Mode != auth.ModeInternal || c.N != want[c.Result] {
			t.Errorf("%+v, want %d", c, want[c.Result])
		}
		delete(want, c.Result)
	}
	if len(want) != 0 {
		t.Errorf("not counted: %v", want)
	}
}
