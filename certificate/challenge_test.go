package certificate

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRedirect(t *testing.T) {
	s, err := New(Options{Mode: ModeACME, Hosts: []string{"Door.example.org"}, StateDir: t.TempDir(), Log: discard()})
	if err != nil {
		t.Fatal(err)
	}
	moved, err := New(Options{Mode: ModeACME, Hosts: []string{"door.example.org"}, HTTPSPort: 8443, StateDir: t.TempDir(), Log: discard()})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name         string
		source       *Source
		method, host string
		target       string
		status       int
		location     string
	}{
		{"page", s, "GET", "door.example.org", "/door/?a=1", 308, "https://door.example.org/door/?a=1"},
		{"with a port", s, "GET", "door.example.org:80", "/", 308, "https://door.example.org/"},
		{"capitals", s, "GET", "DOOR.example.org.", "/", 308, "https://door.example.org/"},
		{"POST", s, "POST", "door.example.org", "/door/whep", 308, "https://door.example.org/door/whep"},
		{"two slashes", s, "GET", "door.example.org", "//evil.example/", 308, "https://door.example.org//evil.example/"},
		{"another port", moved, "GET", "door.example.org", "/", 308, "https://door.example.org:8443/"},
		{"foreign Host", s, "GET", "evil.example", "/", 421, ""},
		{"an address", s, "GET", "192.0.2.1", "/", 421, ""},
		{"no Host", s, "GET", "", "/", 421, ""},
		{"unknown challenge", s, "GET", "door.example.org", challengePath + "x", 404, ""},
		{"challenge above", s, "GET", "door.example.org", "/.well-known/acme-challenge", 308, "https://door.example.org/.well-known/acme-challenge"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, c.target, nil)
			r.Host = c.host
			w := httptest.NewRecorder()
			c.source.HTTPHandler(nil).ServeHTTP(w, r)
			if w.Code != c.status || w.Header().Get("Location") != c.location {
				t.Errorf("%d to %q, want %d to %q", w.Code, w.Header().Get("Location"), c.status, c.location)
			}
		})
	}
}

func TestHTTPHandlerHandsOn(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for _, mode := range []string{ModeACME, ModeSelfSigned} {
		s, err := New(Options{Mode: mode, Hosts: []string{"a.example"}, StateDir: t.TempDir(), Log: discard()})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		s.HTTPHandler(next).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if w.Code != http.StatusTeapot {
			t.Errorf("%s: the answer is %d", mode, w.Code)
		}
		w = httptest.NewRecorder()
		s.HTTPHandler(nil).ServeHTTP(w, httptest.NewRequest("GET", "http://other.example/", nil))
		if strings.Contains(w.Header().Get("Location"), "other") {
			t.Errorf("%s: it redirects anywhere", mode)
		}
	}
}
