package gateway

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/config"
)

func newTestServer(t *testing.T) *http.Server { return newServerOf(t, "none") }

// newServerOf is newTestServer in a mode of authorisation.
func newServerOf(t *testing.T, mode string) *http.Server {
	t.Helper()
	c := config.Default()
	c.Auth.Mode = mode
	c.HTTP.AllowOrigins = []string{"https://page.example"}
	g, err := New(Options{Config: c, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return g.newServer()
}

// pipes is a listener of the connections that are sent to it.
type pipes chan net.Conn // closed by Close

func (l pipes) Accept() (net.Conn, error) {
	if c, ok := <-l; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l pipes) Close() error   { close(l); return nil }
func (l pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// overPipes runs a client of the server in a bubble; dial opens connections.
func overPipes(t *testing.T, client func(dial func() net.Conn)) {
	t.Helper()
	overPipesTo(t, "none", client)
}

// overPipesTo is overPipes to a server in a mode of authorisation.
func overPipesTo(t *testing.T, mode string, client func(dial func() net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server, listener := newServerOf(t, mode), make(pipes)
		go func() { _ = server.Serve(listener) }()
		client(func() net.Conn {
			near, far := net.Pipe()
			listener <- far
			return near
		})
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second) // the server lingers on a connection that it has refused
	})
}

// I12, J17: headers that do not come are waited for 5 s; J11, I12: headers above 16 KiB are 431. J5: a body that does
// not come is waited for 10 s, whoever answers.
func TestRequestLimits(t *testing.T) {
	body := "Content-Length: 100\r\n\r\n0123456789"
	for name, c := range map[string]struct {
		sent   string
		status string // "": the connection is closed without a word
		after  time.Duration
	}{
		"slow headers":        {"GET / HTTP/1.1\r\nHost: local", "", headerTimeout},
		"large headers":       {"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", "HTTP/1.1 431", 0},
		"body, refused early": {"POST /healthz HTTP/1.1\r\nHost: elsewhere.example\r\n" + body, "HTTP/1.1 403", 10 * time.Second},
		"body of a preflight": {"OPTIONS /cam/whip HTTP/1.1\r\nHost: localhost\r\nAccess-Control-Request-Method: POST\r\n" + body, "HTTP/1.1 200", 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			overPipes(t, func(dial func() net.Conn) {
				expectAnswer(t, dial(), c.sent, c.status, c.after)
			})
		})
	}
}

// expectAnswer sends on a connection, and wants a status line after a time; "": the connection is closed without a word.
func expectAnswer(t *testing.T, near net.Conn, sent, status string, after time.Duration) {
	t.Helper()
	defer near.Close()
	began := time.Now()
	go func() { _, _ = io.WriteString(near, sent) }()
	line, _ := bufio.NewReader(near).ReadString('\n')
	if took := time.Since(began); took != after || !strings.HasPrefix(line, status) || status == "" && line != "" && !strings.Contains(line, "408") {
		t.Errorf("after %v: %q", took, line)
	}
}

// J17: 500 connections that send a byte of their headers each second hold nobody up, and are closed after 5 s.
func TestSlowloris(t *testing.T) {
	overPipes(t, func(dial func() net.Conn) {
		var slow sync.WaitGroup
		for range 500 {
			near := dial()
			began := time.Now()
			slow.Go(func() {
				for err := error(nil); err == nil; time.Sleep(time.Second) {
					_, err = io.WriteString(near, "G")
				}
			})
			slow.Go(func() {
				_, _ = io.Copy(io.Discard, near)
				if took := time.Since(began); took < headerTimeout || took > headerTimeout+time.Second {
					t.Errorf("a connection was closed after %v", took)
				}
				_ = near.Close()
			})
		}
		near := dial()
		defer near.Close()
		began := time.Now()
		go func() {
			_, _ = io.WriteString(near, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		}()
		if line, err := bufio.NewReader(near).ReadString('\n'); err != nil || time.Since(began) != 0 {
			t.Errorf("somebody else was answered %q after %v: %v", line, time.Since(began), err)
		}
		slow.Wait()
	})
}

// HTTP/2 is not spoken without TLS: not to those who know it beforehand, nor to those who ask for it.
func TestNoHTTP2WithoutTLS(t *testing.T) {
	for name, c := range map[string]struct{ sent, status string }{
		"known":     {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 4"},
		"asked for": {"GET /healthz HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n", "HTTP/1.1 403"},
	} {
		t.Run(name, func(t *testing.T) {
			overPipes(t, func(dial func() net.Conn) {
				near := dial()
				go func() { _, _ = io.WriteString(near, c.sent) }()
				if line, err := bufio.NewReader(near).ReadString('\n'); err != nil || !strings.HasPrefix(line, c.status) {
					t.Errorf("%v %q", err, line)
				}
				_ = near.Close()
			})
		})
	}
}

// A12: no redirect takes an offer on as a GET; whoever posts to the page is told the URL that he wanted.
func TestOfferToTheWrongURL(t *testing.T) {
	h := newTestServer(t).Handler
	for request, want := range map[string]int{
		"POST /studio": 405, "PATCH /studio": 405, "POST /studio/": 405, "GET /studio": 302, "HEAD /studio": 302, "GET /studio/": 200,
	} {
		method, path, _ := strings.Cut(request, " ")
		r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader("v=0"))
		r.RemoteAddr = "127.0.0.1:1000"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want || want == 405 && !strings.Contains(w.Body.String(), "Publishers post to /studio/whip") {
			t.Errorf("%s: %d %.200s", request, w.Code, w.Body)
		}
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
