package resource

import (
	"net/http"
	"testing"

	"sluice/auth"
)

// callerOf takes a request for one of whom its header names.
func callerOf(r *http.Request) *auth.Principal {
	if name := r.Header.Get("Authorization"); name != "" {
		return &auth.Principal{Name: name, Kind: auth.ModeInternal}
	}
	return nil
}

// A92, J10: a session is changed and ended by whoever made it, or by whoever knows its URL and says no name.
func TestOwner(t *testing.T) {
	f := newFixture(t, Options{Caller: callerOf}, nil)
	if w, body := do(t, "POST", f.URL+"/cam/whip", "v=0", "Content-Type", sdpType, "Authorization", "ann"); w.StatusCode != 201 {
		t.Fatal(w.StatusCode, body)
	}
	for _, c := range []struct {
		name, method, caller string
		status               int
	}{
		{"J10: PATCH by another", "PATCH", "bob", 403},
		{"DELETE by another", "DELETE", "bob", 403},
		{"PATCH by the same", "PATCH", "ann", 204},
		{"PATCH by who knows the URL", "PATCH", "", 204},
		{"GET by another tells nothing", "GET", "bob", 204},
		{"DELETE by the same", "DELETE", "ann", 200},
	} {
		headers := []string{"Content-Type", fragmentType, "If-Match", "*"}
		if c.caller != "" {
			headers = append(headers, "Authorization", c.caller)
		}
		if w, body := do(t, c.method, f.URL+"/cam/whip/0", "a=x", headers...); w.StatusCode != c.status {
			t.Errorf("%s: %d %s", c.name, w.StatusCode, body)
		}
	}
}
