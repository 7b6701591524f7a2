package resource

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// raw sends bytes over a connection of its own and returns the answer's head once the server has closed it.
func raw(t *testing.T, f *fixture, half bool, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, text) // the server may answer before it has read all
	if half {
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	status, _ := bufio.NewReader(c).ReadString('\n')
	_, err = io.Copy(io.Discard, c)
	var timeout net.Error
	if err != nil && errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the connection stays open after %q", status)
	}
	return status
}

const post = "POST /cam/whip HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\n"

// J4, J6, J11, J14: what can't be a request is answered and its connection closed, with nothing left of it.
func TestConnectionEnds(t *testing.T) {
	f := newFixture(t, Options{}, nil)
	for _, c := range []struct {
		name, text string
		half       bool
		want       string
	}{
		{"J4", post + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", 1<<20, strings.Repeat("a", 64<<10+1)), false, "413"},
		{"J4, J58: chunked", post + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1000\r\n"+strings.Repeat("a", 0x1000)+"\r\n", 17), false, "413"},
		{"J6", post + "Content-Length: 100\r\n\r\n0123456789", true, "400"},
		{"J11", "GET /cam/whip HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", false, "431"},
		{"J2, J6: stops after a head of another type", strings.ReplaceAll(post, sdpType, "text/plain") + "Content-Length: 100\r\n\r\n0123456789", true, "415"},
		{"J14: CONNECT", "CONNECT localhost:25 HTTP/1.1\r\nHost: localhost:25\r\nConnection: close\r\n\r\n", false, "405"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if status := raw(t, f, c.half, c.text); !strings.HasPrefix(status, "HTTP/1.1 "+c.want) {
				t.Errorf("%q, want %s", status, c.want)
			}
		})
	}
	if len(f.resources.live) != 0 {
		t.Errorf("%d sessions", len(f.resources.live))
	}
}

// J8: an ID is never a path, a command or a panic.
func TestStrangeIDs(t *testing.T) {
	f := newFixture(t, Options{}, nil)
	for _, id := range []string{
		"%2e%2e", "..%2f..%2fetc%2fpasswd", "%00", "%ff%fe", "%E2%80%AE", strings.Repeat("a", 4<<10), "%20", "*", "a%3Fb",
	} {
		for _, method := range []string{"GET", "PATCH", "DELETE"} {
			if w, body := do(t, method, f.URL+"/cam/whip/"+id, "", "Content-Type", fragmentType); w.StatusCode != 404 && w.StatusCode != 400 {
				t.Errorf("%s %.40s: %d %s", method, id, w.StatusCode, body)
			}
		}
	}
}

// J5, A70: a body that comes too slowly is 408 after 10 s, for POST and PATCH; time is the bubble's.
func TestSlowBody(t *testing.T) {
	for _, head := range []string{post, strings.ReplaceAll(strings.ReplaceAll(post, "POST /cam/whip", "PATCH /cam/whip/0"), sdpType, fragmentType)} {
		overPipe(t, Endpoint{Path: "/cam/whip"}, func(c net.Conn) {
			began := time.Now()
			var client sync.WaitGroup
			client.Go(func() { drip(c, head+"Transfer-Encoding: chunked\r\n\r\n") })
			status, err := bufio.NewReader(c).ReadString('\n')
			if took := time.Since(began); err != nil || took != bodyTimeout || !strings.HasPrefix(status, "HTTP/1.1 408") {
				t.Errorf("after %v: %v %s", took, err, status)
			}
			_ = c.Close()
			client.Wait()
		})
	}
}

// J5: the time for a body is none for what comes after it.
func TestBodyJustInTime(t *testing.T) {
	create := func(ctx context.Context, _ *http.Request, _ string) (Made, error) {
		select {
		case <-time.After(4 * time.Second):
			return Made{Session: newFake("1"), SDP: answer}, nil
		case <-ctx.Done():
			return Made{}, ctx.Err()
		}
	}
	overPipe(t, Endpoint{Path: "/cam/whip", Create: create}, func(c net.Conn) {
		_, _ = io.WriteString(c, post+"Content-Length: 3\r\n\r\n")
		time.Sleep(9 * time.Second)
		_, _ = io.WriteString(c, "v=0")
		if status, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.HasPrefix(status, "HTTP/1.1 201") {
			t.Errorf("%v %s", err, status)
		}
	})
}

// overPipe runs a client of a server in a bubble. There is a session /cam/whip/0.
func overPipe(t *testing.T, e Endpoint, client func(net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		f := &fixture{resources: New(Options{Log: slog.New(slog.DiscardHandler), PostsPerSecond: 20})}
		f.resources.add("/cam/whip/0", Made{Session: newFake("0")})
		server := &http.Server{Handler: f.handler(e)}
		go func() { _ = server.Serve(&oneConn{conn: far, closed: make(chan struct{})}) }()
		client(near)
		_ = near.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
}

// drip sends a byte of the body each second until nobody reads any more.
func drip(c net.Conn, head string) {
	_, err := io.WriteString(c, head)
	for err == nil {
		time.Sleep(time.Second)
		_, err = io.WriteString(c, "1\r\na\r\n")
	}
}

// oneConn is a listener of one connection.
type oneConn struct {
	conn   net.Conn
	taken  bool // owned by the goroutine that accepts
	closed chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if l.taken {
		<-l.closed
		return nil, net.ErrClosed
	}
	l.taken = true
	return l.conn, nil
}

func (l *oneConn) Close() error   { close(l.closed); return nil }
func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }
