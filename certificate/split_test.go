package certificate

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/testworker"
)

// testConfig is a server's, with a certificate for localhost.
func testConfig(t testing.TB) *tls.Config {
	t.Helper()
	s, err := New(Options{Mode: ModeSelfSigned, StateDir: t.TempDir(), Names: func() []string { return []string{"localhost"} }, Log: discard()})
	if err != nil {
		t.Fatal(err)
	}
	return s.Config()
}

// serve runs an HTTP server on a split port of loopback, which answers with the protocol and whether it saw TLS.
func serve(t testing.TB, c *tls.Config, turn func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, Split(l, c, turn))
	return l.Addr().String()
}

func serveOn(t testing.TB, l net.Listener) {
	t.Helper()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s tls=%v", r.Proto, r.TLS != nil && r.TLS.HandshakeComplete)
	})}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
}

func dial(t testing.TB, addr string, c *tls.Config) *tls.Conn {
	t.Helper()
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", addr, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err = conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// ask sends a request of HTTP/1.1 and returns the answer's text.
func ask(t testing.TB, c net.Conn) string {
	t.Helper()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A96
func TestSplitHTTP(t *testing.T) {
	for _, shared := range []bool{false, true} {
		var turn func(net.Conn)
		if shared {
			turn = func(c net.Conn) { t.Error("HTTP went to TURN"); _ = c.Close() }
		}
		addr := serve(t, testConfig(t), turn)
		for _, c := range []struct {
			name   string
			protos []string
		}{{"HTTP/1.1 by ALPN", []string{"http/1.1"}}, {"no ALPN", nil}} {
			t.Run(fmt.Sprintf("%s, shared=%v", c.name, shared), func(t *testing.T) {
				conn := dial(t, addr, &tls.Config{InsecureSkipVerify: true, NextProtos: c.protos})
				if got := ask(t, conn); got != "HTTP/1.1 tls=true" {
					t.Errorf("the answer is %q", got)
				}
			})
		}
		t.Run(fmt.Sprintf("HTTP/2, shared=%v", shared), func(t *testing.T) {
			transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
			defer transport.CloseIdleConnections()
			r, err := (&http.Client{Transport: transport, Timeout: 5 * time.Second}).Get("https://" + addr)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			if text, err := io.ReadAll(r.Body); err != nil || string(text) != "HTTP/2.0 tls=true" {
				t.Errorf("the answer is %q, %v", text, err)
			}
		})
	}
}

// TestSplitCurl asks with a client that is not Go's.
func TestSplitCurl(t *testing.T) {
	curl := testworker.Tool(t, "curl")
	addr := serve(t, testConfig(t), func(c net.Conn) { t.Error("HTTP went to TURN"); _ = c.Close() })
	for flag, want := range map[string]string{"--no-alpn": "HTTP/1.1 tls=true", "--http1.1": "HTTP/1.1 tls=true", "--http2": "HTTP/2.0 tls=true"} {
		out, err := exec.Command(curl, "-sk", "--max-time", "10", flag, "https://"+addr).CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("curl %s: %q, %v", flag, out, err)
		}
	}
}

func TestSplitTURN(t *testing.T) {
	for _, c := range []struct {
		name   string
		protos []string
		first  string
	}{
		{"by ALPN", []string{"stun.turn"}, "\x00\x03\x00\x00"},
		{"by ALPN, before it says anything", []string{"stun.turn"}, ""},
		{"by the first byte", nil, "\x00\x03\x00\x08"},
		{"by the first byte, binding", nil, "\x00\x01\x00\x00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := make(chan net.Conn, 1)
			addr := serve(t, testConfig(t), func(c net.Conn) { got <- c })
			conn := dial(t, addr, &tls.Config{InsecureSkipVerify: true, NextProtos: c.protos})
			if _, err := io.WriteString(conn, c.first); err != nil {
				t.Fatal(err)
			}
			served := <-got
			defer served.Close()
			heard := make([]byte, len(c.first))
			if _, err := io.ReadFull(served, heard); err != nil || string(heard) != c.first {
				t.Errorf("TURN hears %q, %v", heard, err)
			}
			if _, err := io.WriteString(served, "ok"); err != nil {
				t.Fatal(err)
			}
			heard = make([]byte, 2)
			if _, err := io.ReadFull(conn, heard); err != nil || string(heard) != "ok" {
				t.Errorf("TURN says %q, %v", heard, err)
			}
		})
	}
}

// J101
func TestSplitOldTLS(t *testing.T) {
	addr := serve(t, testConfig(t), func(c net.Conn) { _ = c.Close() })
	for _, c := range []struct {
		name string
		max  uint16
		good bool
	}{
		{"TLS 1.0", tls.VersionTLS10, false},
		{"TLS 1.1", tls.VersionTLS11, false},
		{"TLS 1.2", tls.VersionTLS12, true},
		{"TLS 1.3", tls.VersionTLS13, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", addr,
				&tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: c.max})
			if err == nil {
				_ = conn.Close()
			}
			if (err == nil) != c.good {
				t.Fatalf("the handshake: %v", err)
			}
			if !c.good && !strings.Contains(err.Error(), "protocol version") { // the alert of RFC 8446 6.2
				t.Errorf("the handshake is refused by %v", err)
			}
		})
	}
}

// J101
func TestSplitPlainBytes(t *testing.T) {
	addr := serve(t, testConfig(t), func(c net.Conn) { t.Error("plain bytes went to TURN"); _ = c.Close() })
	for name, text := range map[string]string{
		"STUN":       "\x00\x01\x00\x00\x21\x12\xa4\x42aaaaaaaaaaaa",
		"zeros":      "\x00\x00\x00\x00",
		"lower case": "get / http/1.1\r\n\r\n",
		"half HTTP":  "GET / nonsense\r\n\r\n",
		"bad record": "\x16\x03\x01\xff\xff" + strings.Repeat("x", 100),
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err = conn.SetDeadline(time.Now().Add(handshakeTimeout - time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err = io.WriteString(conn, text); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(conn)
			var late net.Error
			if errors.As(err, &late) && late.Timeout() || strings.HasPrefix(string(rest), "HTTP") {
				t.Errorf("it goes on: %q, %v", rest, err)
			}
		})
	}
}

// pipes is a listener whose connections are in memory, so that a bubble's clock rules over them.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }

func (p *pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.conns <- there
	return here
}

// J101
func TestSplitIdleConnections(t *testing.T) {
	for name, begin := range map[string]func(net.Conn) net.Conn{
		"silent":          func(c net.Conn) net.Conn { return c },
		"half a hello":    func(c net.Conn) net.Conn { _, _ = c.Write([]byte("\x16\x03\x01\x02\x00\x01")); return c },
		"half a request":  func(c net.Conn) net.Conn { _, _ = c.Write([]byte("GET / HTTP/1.1\r\n")); return c },
		"after handshake": shake,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes()
				l := Split(p, testConfig(t), func(net.Conn) { t.Error("TURN got one") })
				accepted := make(chan error, 1)
				go func() {
					_, err := l.Accept()
					accepted <- err
				}()
				c := begin(p.dial())
				start := time.Now()
				if n, err := c.Read(make([]byte, 1)); err == nil {
					t.Errorf("it hears %d bytes", n)
				}
				if took := time.Since(start); took != handshakeTimeout {
					t.Errorf("it is closed after %v", took)
				}
				_ = c.Close()
				if err := l.Close(); err != nil {
					t.Error(err)
				}
				if err := <-accepted; !errors.Is(err, net.ErrClosed) {
					t.Errorf("Accept: %v", err)
				}
			})
		})
	}
}

// shake makes the client's handshake, without ALPN.
func shake(c net.Conn) net.Conn {
	secure := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	_ = secure.HandshakeContext(context.Background()) // the test looks at what comes after it
	return secure
}

// TestSplitFlood fills the port with connections that say nothing: one that does is served at once. J101
func TestSplitFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		l := Split(p, testConfig(t), func(net.Conn) { t.Error("TURN got one") })
		serveOn(t, l)
		var idle []net.Conn
		for range 10_000 {
			idle = append(idle, p.dial())
		}
		synctest.Wait()
		if open := l.(*splitter).pending.Len(); open != maxHandshakes {
			t.Errorf("%d handshakes are under way", open)
		}
		start := time.Now()
		conn := tls.Client(p.dial(), &tls.Config{InsecureSkipVerify: true})
		if got := ask(t, conn); got != "HTTP/1.1 tls=true" || time.Since(start) != 0 {
			t.Errorf("the answer after %v is %q", time.Since(start), got)
		}
		time.Sleep(handshakeTimeout)
		synctest.Wait()
		for i, c := range idle {
			if _, err := c.Read(make([]byte, 1)); err == nil {
				t.Errorf("connection %d is open", i)
			}
			_ = c.Close()
		}
		_ = conn.NetConn().Close()
	})
}

func TestSplitClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		l := Split(p, testConfig(t), nil)
		accepted := make(chan error, 1)
		go func() {
			_, err := l.Accept()
			accepted <- err
		}()
		silent := p.dial()
		synctest.Wait()
		start := time.Now()
		if err := errors.Join(l.Close(), l.Close()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("Close takes %v", took)
		}
		if err := <-accepted; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept after Close: %v", err)
		}
		if _, err := silent.Read(make([]byte, 1)); err == nil {
			t.Error("the connection is open")
		}
	})
}

// errListener fails once, then gives connections.
type errListener struct {
	*pipes
	fail chan error
}

func (l *errListener) Accept() (net.Conn, error) {
	select {
	case err := <-l.fail:
		return nil, err
	default:
		return l.pipes.Accept()
	}
}

func TestSplitHandsErrorsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("too many open files")
		below := &errListener{newPipes(), make(chan error, 1)}
		below.fail <- full
		l := Split(below, testConfig(t), nil)
		defer l.Close()
		if _, err := l.Accept(); !errors.Is(err, full) {
			t.Errorf("Accept: %v", err)
		}
		go func() { _ = shake(below.dial()).Close() }()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	})
}
