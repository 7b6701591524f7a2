package gateway

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/config"
)

func newTestServer(t *testing.T) *http.Server {
	t.Helper()
	c := config.Default()
	c.HTTP.AllowOrigins = []string{"https://page.example"}
	g, err := New(Options{Config: c, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return g.newServer()
}

// one is a listener of one connection.
type one struct {
	conns chan net.Conn // capacity 1; closed by Close
}

func (l one) Accept() (net.Conn, error) {
	if c, ok := <-l.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l one) Close() error   { close(l.conns); return nil }
func (l one) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// I12, J17: headers that do not come are waited for 5 s; J11, I12: headers above 16 KiB are 431.
func TestHeaderLimits(t *testing.T) {
	for name, c := range map[string]struct {
		sent   string
		status string // "": the connection is closed without a word
		after  time.Duration
	}{
		"slow":  {"GET / HTTP/1.1\r\nHost: local", "", headerTimeout},
		"large": {"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", "HTTP/1.1 431", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				server, listener := newTestServer(t), one{make(chan net.Conn, 1)}
				listener.conns <- far
				go func() { _ = server.Serve(listener) }()
				began := time.Now()
				go func() { _, _ = io.WriteString(near, c.sent) }()
				line, _ := bufio.NewReader(near).ReadString('\n')
				if took := time.Since(began); took != c.after || !strings.HasPrefix(line, c.status) || c.status == "" && line != "" && !strings.Contains(line, "408") {
					t.Errorf("after %v: %q", took, line)
				}
				_ = near.Close()
				if err := server.Close(); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Second) // the server lingers on a connection that it has refused
			})
		})
	}
}

// I12: code of ours that breaks is a 500 without its text, and the next request is served.
func TestPanicsAreContained(t *testing.T) {
	var log strings.Builder
	broken := true
	h := recovering(slog.New(slog.NewTextHandler(&log, nil)), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken {
			panic("the secret")
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") || !strings.Contains(log.String(), "the secret") {
		t.Errorf("%d %s, log: %s", w.Code, w.Body, log.String())
	}
	broken = false
	w = httptest.NewRecorder()
	if h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil)); w.Code != http.StatusNoContent {
		t.Errorf("the next request: %d", w.Code)
	}
}

// A95: pages of an allowed origin can also read why they are refused; J8: names that are none are 404.
func TestRefusalsOfTheRouter(t *testing.T) {
	h := newTestServer(t).Handler
	for path, want := range map[string]int{
		"http://elsewhere.example/": 403, "http://localhost/none/none": 404, "http://localhost//": 404,
		"http://localhost/" + strings.Repeat("a", 4096): 404, "http://localhost/%E2%80%AE/whep": 404, "http://localhost/a%00": 400,
	} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.RemoteAddr = "127.0.0.1:1000"
		r.Header.Set("Origin", "https://page.example")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want || w.Header().Get("Access-Control-Allow-Origin") != "https://page.example" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%.60s: %d %v, want %d", path, w.Code, w.Header(), want)
		}
	}
}
