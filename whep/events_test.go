package whep

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/session"
)

// order makes a session and an event stream of it, and returns the stream's path.
func order(t *testing.T, f *fixture, kinds string) string {
	t.Helper()
	f.do(t, "POST", "/cam/whep", "v=0", sdpHeader)
	w, body := f.do(t, "POST", "/cam/whep/id/sse", kinds, jsonHeader)
	if w.StatusCode != http.StatusCreated || body != "" {
		t.Fatalf("%d %s", w.StatusCode, body)
	}
	return w.Header.Get("Location")
}

// B15: events come as the draft has them, one data line each, to the kinds that were ordered; the stream's URL is a
// secret of its own, readable by pages of other origins.
func TestEvents(t *testing.T) {
	f := newFixture(t, sdp)
	path := order(t, f, `["active","layers","viewercount"]`)
	if !regexp.MustCompile(`^/cam/whep/id/sse/[A-Z2-7]{26}$`).MatchString(path) {
		t.Errorf("Location: %s", path)
	}
	w := f.open(t, "GET", path, "")
	defer w.Body.Close()
	if w.StatusCode != 200 || w.Header.Get("Content-Type") != "text/event-stream" || w.Header.Get("Cache-Control") != "no-store" ||
		w.Header.Get("Access-Control-Allow-Origin") == "" || w.Header.Get("X-Accel-Buffering") != "no" {
		t.Fatalf("%d %v", w.StatusCode, w.Header)
	}
	lines := bufio.NewReader(w.Body)
	for _, c := range []struct {
		event session.Event
		want  string
	}{
		{session.Event{Kind: session.EventActive}, "event: active\ndata: {}\n\n"},
		{session.Event{Kind: session.EventViewerCount, Viewers: 3}, "event: viewercount\ndata: {\"viewercount\":3}\n\n"},
		{session.Event{Kind: session.EventReconnect}, "event: reconnect\ndata: {}\n\n"},
		{
			session.Event{Kind: session.EventLayers, Layers: []session.Layer{{RID: "h", Width: 1280, Height: 720, Bitrate: 538288}, {RID: "l", Active: true}}},
			`event: layers` + "\n" + `data: {"1":{` +
				`"active":[{"id":"h","simulcastIdx":1,"bitrate":538288,"width":1280,"height":720},{"id":"l","simulcastIdx":0,"selected":true}],` +
				`"inactive":[],` +
				`"layers":[{"encodingId":"h","simulcastIdx":1,"bitrate":538288,"width":1280,"height":720},{"encodingId":"l","simulcastIdx":0,"selected":true}]}}` + "\n\n",
		},
	} {
		f.session.news <- c.event
		got := make([]byte, len(c.want))
		if _, err := io.ReadFull(lines, got); err != nil || string(got) != c.want {
			t.Errorf("%v: %s", err, got)
		}
	}
	want := []session.EventKind{"active", "layers", "viewercount"}
	if kinds, listeners := f.session.heard(); !slices.Equal(kinds, want) || listeners != 1 {
		t.Errorf("%d listen for %q", listeners, kinds)
	}
	f.session.end()
	if rest, err := io.ReadAll(lines); err != nil || len(rest) != 0 {
		t.Errorf("after the session: %v %q", err, rest)
	}
	for _, path := range []string{path, "/cam/whep/id/sse"} {
		if w, _ := f.do(t, "GET", path, ""); w.StatusCode != 404 {
			t.Errorf("%s after the session: %d", path, w.StatusCode)
		}
	}
}

// B15, J22: what may be ordered, by which methods, and how much.
func TestOrders(t *testing.T) {
	f := newFixture(t, sdp)
	f.do(t, "POST", "/cam/whep", "v=0", sdpHeader)
	for _, c := range []struct {
		name, method, path, body, header string
		status                           int
	}{
		{"all", "POST", "/sse", "[]", jsonHeader, 201},
		{"all, by no body", "POST", "/sse", "", "", 201},
		{"with a parameter", "POST", "/sse", `["reconnect"]`, jsonHeader + "; charset=utf-8", 201},
		{"J22: unknown", "POST", "/sse", `["nope"]`, jsonHeader, 400},
		{"J22: too much", "POST", "/sse", `["` + strings.Repeat("active\",\"", 1<<20/9) + `active"]`, jsonHeader, 413},
		{"no array", "POST", "/sse", `"active"`, jsonHeader, 400},
		{"null", "POST", "/sse", `null`, jsonHeader, 400},
		{"null inside", "POST", "/sse", `[null]`, jsonHeader, 400},
		{"numbers", "POST", "/sse", `[1]`, jsonHeader, 400},
		{"cut off", "POST", "/sse", `["active"`, jsonHeader, 400},
		{"more behind", "POST", "/sse", `[] []`, jsonHeader, 400},
		{"other type", "POST", "/sse", `[]`, "Content-Type: text/plain", 415},
		{"OPTIONS", "OPTIONS", "/sse", "", "", 200},
		{"other method", "GET", "/sse", "", "", 405},
		{"no such stream", "GET", "/sse/AAAA", "", "", 404},
		{"no such stream to end", "DELETE", "/sse/AAAA", "", "", 404},
		{"OPTIONS of a stream", "OPTIONS", "/sse/AAAA", "", "", 200},
		{"other method of a stream", "POST", "/sse/AAAA", "", "", 405},
		{"nothing", "GET", "/sse/AAAA/b", "", "", 404},
		{"nothing else", "GET", "/other", "", "", 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, body := f.do(t, c.method, "/cam/whep/id"+c.path, c.body, c.header)
			if w.StatusCode != c.status || w.Header.Get("Cache-Control") != "no-store" || w.Header.Get("Access-Control-Allow-Origin") == "" {
				t.Errorf("%d, want %d: %s", w.StatusCode, c.status, body)
			}
			if isProblem := w.Header.Get("Content-Type") == "application/problem+json"; isProblem != (c.status >= 400) {
				t.Errorf("%d %v %s", w.StatusCode, w.Header, body)
			}
		})
	}
}

// J22: a session has 100 event streams at most; one that is deleted makes room.
func TestTooManyStreams(t *testing.T) {
	f := newFixture(t, sdp)
	path := order(t, f, "[]")
	for i := 2; i <= 101; i++ {
		if w, _ := f.do(t, "POST", "/cam/whep/id/sse", "[]", jsonHeader); (w.StatusCode == 429) != (i == 101) {
			t.Fatalf("stream %d: %d", i, w.StatusCode)
		}
	}
	if w, _ := f.do(t, "DELETE", path, ""); w.StatusCode != 200 {
		t.Errorf("DELETE: %d", w.StatusCode)
	}
	if w, _ := f.do(t, "POST", "/cam/whep/id/sse", "[]", jsonHeader); w.StatusCode != 201 {
		t.Errorf("after DELETE: %d", w.StatusCode)
	}
}

// B15: DELETE ends a stream for who reads it, and it is 404 from then on; a second reader takes the first one's place.
func TestStreamEnds(t *testing.T) {
	f := newFixture(t, sdp)
	path := order(t, f, "[]")
	first := f.open(t, "GET", path, "")
	defer first.Body.Close()
	second := f.open(t, "GET", path, "")
	defer second.Body.Close()
	if rest, err := io.ReadAll(first.Body); err != nil || len(rest) != 0 {
		t.Errorf("first: %v %q", err, rest)
	}
	if w, body := f.do(t, "HEAD", path, ""); w.StatusCode != 200 || w.Header.Get("Content-Type") != "text/event-stream" || body != "" {
		t.Errorf("HEAD: %d %v", w.StatusCode, w.Header)
	}
	f.session.news <- session.Event{Kind: session.EventActive} // HEAD has not ended the second
	if w, body := f.do(t, "DELETE", path, ""); w.StatusCode != 200 || body != "" {
		t.Errorf("DELETE: %d %s", w.StatusCode, body)
	}
	if rest, err := io.ReadAll(second.Body); err != nil || string(rest) != "event: active\ndata: {}\n\n" {
		t.Errorf("second: %v %q", err, rest)
	}
	for _, method := range []string{"GET", "DELETE"} {
		if w, _ := f.do(t, method, path, ""); w.StatusCode != 404 {
			t.Errorf("%s: %d", method, w.StatusCode)
		}
	}
}

// B15: a stream without events has a comment each 15 s, so that no proxy takes it for dead.
func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := httptest.NewRecorder()
		out := &eventWriter{w: w, control: http.NewResponseController(w)}
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		began := time.Now()
		for out.next(ctx, newFake()) == nil {
		}
		if want := ":\n\n:\n\n"; w.Body.String() != want || !w.Flushed || time.Since(began) != 40*time.Second {
			t.Errorf("%q after %v", w.Body, time.Since(began))
		}
	})
}

// B14, B15: a client that reads no more is given up after 10 s; time is the bubble's.
func TestClientThatDoesNotRead(t *testing.T) {
	overPipe(t, func(c net.Conn, f *fake, over <-chan time.Time) {
		readHead(t, c)
		began := time.Now()
		f.news <- session.Event{Kind: session.EventActive}
		if took := (<-over).Sub(began); took != writeTimeout {
			t.Errorf("given up after %v", took)
		}
		if _, listeners := f.heard(); listeners != 0 {
			t.Error("still listens")
		}
	})
}

// B15: the connection serves other requests when a stream has ended.
func TestConnectionAfterStream(t *testing.T) {
	overPipe(t, func(c net.Conn, f *fake, _ <-chan time.Time) {
		rest := readHead(t, c)
		f.news <- session.Event{Kind: session.EventActive}
		close(f.news)
		for line := ""; line != "0\r\n"; { // the end of a chunked body
			var err error
			if line, err = rest.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * writeTimeout)
		readHead(t, c)
	})
}

// readHead asks for the stream and reads that it begins.
func readHead(t *testing.T, c net.Conn) *bufio.Reader {
	t.Helper()
	go func() { _, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") }()
	r := bufio.NewReader(c)
	for line := ""; !strings.HasPrefix(line, "HTTP/1.1 200"); {
		var err error
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// overPipe runs a client of an event stream in a bubble. over gets the time at which the first answer has ended.
func overPipe(t *testing.T, client func(c net.Conn, f *fake, over <-chan time.Time)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		f := newFake()
		v := newViewer(f, nil, "/cam/whep/id", sdp)
		id, _ := v.addStream(nil)
		over := make(chan time.Time, 2)
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v.serve(w, r, []string{"sse", id})
			over <- time.Now()
		})}
		go func() { _ = server.Serve(&oneConn{conn: far, closed: make(chan struct{})}) }()
		client(near, f, over)
		_ = near.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
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

// B15: who orders what there is not is told what there is, in the words that he has to use.
func TestFaultsOfOrders(t *testing.T) {
	for body, want := range map[string]string{
		`["nope"]`: `There is no event "nope"; all there are: ["active","inactive","layers","viewercount","reconnect"].`,
		`{}`:       `The body must be a JSON array of events, such as ["active","inactive","layers","viewercount","reconnect"].`,
	} {
		if _, fault := parseKinds(body); fault != want {
			t.Errorf("%s: %s", body, fault)
		}
	}
}
