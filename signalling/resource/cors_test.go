package resource

import (
	"strings"
	"testing"
)

// A95, J15: which origins, methods and headers a preflight allows; A93: it needs no more than to be asked.
func TestPreflight(t *testing.T) {
	f := newFixture(t, Options{}, nil)
	for from, allowed := range map[string]bool{origin: true, "null": false, "https://evil.example": false, origin + ".evil": false} {
		w, _ := do(t, "OPTIONS", f.URL+"/cam/whip/0", "", "Origin", from,
			"Access-Control-Request-Method", "PATCH", "Access-Control-Request-Headers", "x-evil")
		h := w.Header
		if got := h.Get("Access-Control-Allow-Origin") == from; got != allowed || !allowed && h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", from, h)
		}
		if w.StatusCode != 200 || h.Get("Vary") != "Origin" || strings.Contains(h.Get("Access-Control-Allow-Headers"), "evil") || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %d %v", from, w.StatusCode, h)
		}
		if allowed && (h.Get("Access-Control-Allow-Methods") != "OPTIONS, GET, HEAD, POST, PATCH, DELETE" ||
			h.Get("Access-Control-Allow-Headers") != "Authorization, Content-Type, If-Match, Prefer" || h.Get("Access-Control-Max-Age") != "600") {
			t.Errorf("%v", h)
		}
		for _, name := range strings.Split("Location, ETag, Link, Accept-Post, Retry-After, WWW-Authenticate", ", ") {
			if strings.Contains(h.Get("Access-Control-Expose-Headers"), name) != allowed {
				t.Errorf("%s: %v", from, h)
			}
		}
	}
}
