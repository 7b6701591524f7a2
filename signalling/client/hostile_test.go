package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// D42, D43: neither the token nor the key in the path nor the session's name gets into an error, whatever the
// server says.
func TestErrorsTellNoSecret(t *testing.T) {
	const id = "RES_session_0815"
	echo := func(w http.ResponseWriter, r *http.Request, status int) {
		header(w, "Content-Type", "text/plain")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "no %s for %s at %s", r.Header.Get("Authorization"), key, r.URL)
	}
	for name, script := range map[string]http.HandlerFunc{
		"echo": func(w http.ResponseWriter, r *http.Request) { echo(w, r, 403) },
		"echo in JSON": func(w http.ResponseWriter, r *http.Request) {
			header(w, "Content-Type", "application/problem+json")
			w.WriteHeader(404)
			_, _ = fmt.Fprintf(w, `{"detail":"stream key %s unknown, %s"}`, key, r.URL.Path)
		},
		"redirect to GET": func(w http.ResponseWriter, _ *http.Request) {
			header(w, "Location", "/else/"+key)
			w.WriteHeader(301)
		},
		"redirect to a broken URL": func(w http.ResponseWriter, _ *http.Request) {
			header(w, "Location", "http://[::1/"+key)
			w.WriteHeader(307)
		},
		"hangs up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"speaks something else": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH\r\n")
			_ = conn.Close()
		},
		"a broken header": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			_, _ = io.WriteString(conn, "HTTP/1.1 201 Created\r\nLocation /app/"+key+"/"+id+"\r\n\r\n")
			_ = conn.Close()
		},
		"refuses the restart": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPatch {
				echo(w, r, 500)
				return
			}
			created("Location", "/app/"+key+"/"+id)(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, script)
			got, err := newClient(t, WHIP, s.URL+"/app/"+key+"?sig="+key+"x").Post(t.Context(), offer)
			if got != nil {
				_, err = got.Restart(t.Context(), fragment)
			}
			if err == nil {
				t.Fatal("no error")
			}
			for _, secret := range []string{token, key, id} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%v tells %q", err, secret)
				}
			}
			if !strings.Contains(err.Error(), s.URL) {
				t.Errorf("%v does not tell who", err)
			}
		})
	}
}

// C10: what a server says is one short line.
func TestDetailIsShort(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		header(w, "Content-Type", "text/plain")
		w.WriteHeader(500)
		_, _ = io.WriteString(w, strings.Repeat("ä\r\n\x00", 1000))
	})
	_, err := newClient(t, WHIP, s.URL).Post(t.Context(), offer)
	var status *StatusError
	if !errors.As(err, &status) {
		t.Fatal(err)
	}
	if n := len([]rune(status.Detail)); n > maxDetail+1 || n < maxDetail-1 {
		t.Errorf("the detail has %d characters: %q", n, status.Detail)
	}
	if strings.ContainsAny(status.Detail, "\r\n\x00") {
		t.Errorf("the detail is %q", status.Detail)
	}
}

// C9: TLS servers are verified.
func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(created("Location", "/s/1"))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	url := "wheps" + strings.TrimPrefix(s.URL, "https")
	_, err := newClient(t, WHEP, url).Post(t.Context(), offer)
	if err == nil || !strings.Contains(err.Error(), "certificate that is not trusted") || IsFinal(err) {
		t.Errorf("error %v", err)
	}
	pool := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	c, err := New(Options{Protocol: WHEP, URL: url, RootCAs: pool})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = c.Post(t.Context(), offer); err != nil {
		t.Error(err)
	}
	if c, err = New(Options{Protocol: WHEP, URL: url, TLSInsecure: true}); err != nil {
		t.Fatal(err)
	}
	if _, err = c.Post(t.Context(), offer); err != nil {
		t.Errorf("for diagnosis: %v", err)
	}
	strict := httptest.NewUnstartedServer(created("Location", "/s/1"))
	strict.Config.ErrorLog = s.Config.ErrorLog
	strict.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}
	strict.StartTLS()
	t.Cleanup(strict.Close)
	if c, err = New(Options{Protocol: WHEP, URL: strict.URL, RootCAs: pool}); err != nil {
		t.Fatal(err)
	}
	if _, err = c.Post(t.Context(), offer); err == nil || !strings.Contains(err.Error(), "breaks off TLS") {
		t.Errorf("error %v", err)
	}
	plain := serve(t, created())
	_, err = newClient(t, WHEP, "https"+strings.TrimPrefix(plain.URL, "http")).Post(t.Context(), offer)
	if err == nil || !strings.Contains(err.Error(), "does not speak TLS") {
		t.Errorf("error %v", err)
	}
}

// A proxy of the environment is not asked.
func TestNoProxy(t *testing.T) {
	proxy := serve(t, created("Location", "/s/1"))
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	_, err := newClient(t, WHEP, "http://camera.invalid/whep").Post(t.Context(), offer)
	if err == nil || !strings.Contains(err.Error(), "http://camera.invalid") || len(proxy.requests()) != 0 {
		t.Errorf("error %v, the proxy was asked %d times", err, len(proxy.requests()))
	}
}

// overPipes makes a client that reaches a server over pipes, which a bubble can wait on.
func overPipes(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	c := newClient(t, WHIP, "http://server/"+key)
	c.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		l := &oneConn{conn: theirs, closed: make(chan struct{})}
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that its client goes away
			handler(w, r)
		})}
		go func() { _ = s.Serve(l) }()
		context.AfterFunc(t.Context(), func() { _ = s.Close() })
		return ours, nil
	}
	return c
}

// oneConn is a listener that accepts one connection.
type oneConn struct {
	conn   net.Conn
	closed chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error {
	close(l.closed)
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.UnixAddr{} }

// J130, C11
func TestSlowServers(t *testing.T) {
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	trickling := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			header(w, "Content-Type", typeSDP, "Location", "/s/1")
			w.WriteHeader(status)
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, "x")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-time.After(time.Second):
				case <-r.Context().Done():
				}
			}
		}
	}
	for name, c := range map[string]struct {
		script http.HandlerFunc
		want   string
	}{
		"no answer":                       {silent, "does not answer in time"},
		"an answer of a byte a second":    {trickling(201), "does not answer in time"},
		"a refusal of a byte each second": {trickling(503), "status 503"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				post := c.script
				script := func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodPost {
						post(w, r)
					}
				}
				began := time.Now()
				_, err := overPipes(t, script).Post(t.Context(), offer)
				if err == nil || !strings.Contains(err.Error(), c.want) || IsFinal(err) {
					t.Errorf("error %v, want %q", err, c.want)
				}
				if d := time.Since(began); d != requestTimeout {
					t.Errorf("it took %v, want %v", d, requestTimeout)
				}
			})
		})
	}
	t.Run("no answer to DELETE", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := overPipes(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodDelete {
					silent(w, r)
					return
				}
				created("Location", "/s/1")(w, r)
			})
			s, err := c.Post(t.Context(), offer)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if err := s.Delete(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v", err)
			}
			if d := time.Since(began); d != deleteTimeout {
				t.Errorf("it took %v, want %v", d, deleteTimeout)
			}
		})
	})
	t.Run("no answer to DELETE when told to stop", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := overPipes(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodDelete {
					silent(w, r)
					return
				}
				created("Location", "/s/1")(w, r)
			})
			s, err := c.Post(t.Context(), offer)
			if err != nil {
				t.Fatal(err)
			}
			for name, after := range map[string]time.Duration{"before": 0, "while": time.Second} {
				ctx, cancel := context.WithTimeout(t.Context(), after)
				began := time.Now()
				if err := s.Delete(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("%s: error %v", name, err)
				}
				cancel()
				if d := time.Since(began); d != after+hurryTimeout {
					t.Errorf("%s: it took %v, want %v", name, d, after+hurryTimeout)
				}
			}
		})
	})
	t.Run("cancelled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := overPipes(t, silent).Post(ctx, offer); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v, want the context's", err)
			}
		})
	})
}

// C9: a body without end is read no further than it may go.
func TestEndlessBody(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return
		}
		header(w, "Content-Type", typeSDP, "Location", "/s/1")
		w.WriteHeader(http.StatusCreated)
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	})
	_, err := newClient(t, WHIP, s.URL).Post(t.Context(), offer)
	if err == nil || !strings.Contains(err.Error(), "more than 128 KiB") {
		t.Errorf("error %v", err)
	}
}

// A header without end is not kept.
func TestEndlessHeader(t *testing.T) {
	s := serve(t, created("Location", "/"+strings.Repeat("x", maxHeader)))
	if _, err := newClient(t, WHIP, s.URL).Post(t.Context(), offer); !errors.As(err, new(*UnreachableError)) {
		t.Errorf("error %v", err)
	}
}
