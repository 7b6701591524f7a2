package client

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	offer  = "v=0\r\noffer\r\n"
	answer = "v=0\r\nanswer\r\n"
	token  = "s3cret-token"
	key    = "live_7f3a9c1e5b" // of a stream, in the URL's path
)

// seen is a request as a server got it.
type seen struct {
	method, uri, body string
	header            http.Header
}

// server answers by a script and keeps what it was asked.
type server struct {
	*httptest.Server
	mu   sync.Mutex
	seen []seen
}

func (s *server) requests() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen(nil), s.seen...)
}

func serve(t *testing.T, script http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(s.keep(script))
	t.Cleanup(s.Close)
	return s
}

func (s *server) keep(script http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.seen = append(s.seen, seen{r.Method, r.URL.RequestURI(), string(body), r.Header})
		s.mu.Unlock()
		script(w, r)
	})
}

// header is names and values in turn.
func header(w http.ResponseWriter, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		w.Header().Add(pairs[i], pairs[i+1])
	}
}

// created is a script that answers every POST with 201, and other requests with 204.
func created(pairs ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		header(w, append([]string{"Content-Type", typeSDP}, pairs...)...)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, answer)
	}
}

func newClient(t *testing.T, p Protocol, to string) *Client {
	t.Helper()
	c, err := New(Options{Protocol: p, URL: to, Token: token, UserAgent: "Sluice/test"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// session posts an offer that must succeed.
func session(t *testing.T, p Protocol, to string) *Session {
	t.Helper()
	s, err := newClient(t, p, to).Post(t.Context(), offer)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parsed(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
