package call

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"sluice/negotiation"
	"sluice/peer"
	"sluice/signalling/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	description = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a0\r\na=ice-ufrag:ours\r\na=ice-pwd:0123456789abcdefghijkl\r\n" +
		"a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v1\r\n"
	late   = "2 1 udp 1 198.51.100.1 5000 typ srflx raddr 192.0.2.1 rport 5000"
	theirs = "a=ice-ufrag:next\r\na=ice-pwd:lkjihgfedcba9876543210\r\n"
)

var errBroken = errors.New("no candidates fit")

// fakeLink notes what is asked of it.
type fakeLink struct {
	late    []string
	failing error // of AcceptRestart

	mu       sync.Mutex
	accepted string
	servers  []peer.ICEServer
	fragment *negotiation.Fragment
	closed   int
}

func (l *fakeLink) Description() string { return description }

func (l *fakeLink) Accept(answer string, servers []peer.ICEServer) error {
	l.accepted, l.servers = answer, servers
	return nil
}

func (l *fakeLink) LateCandidates(context.Context) []string { return l.late }

func (l *fakeLink) RestartOffer() (*negotiation.Fragment, error) {
	return &negotiation.Fragment{ICEUfrag: "again", ICEPwd: "0123456789abcdefghijkl"}, nil
}

func (l *fakeLink) AcceptRestart(f *negotiation.Fragment) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fragment = f
	return l.failing
}

func (l *fakeLink) Close() { l.closed++ }

// patch is what a server gets and answers.
type patch struct{ method, ifMatch, body string }

// called makes a call with a server that answers PATCH by the given script.
func called(t *testing.T, l *fakeLink, script http.HandlerFunc) (*Call, <-chan patch) {
	t.Helper()
	return calledFor(t, l, client.WHIP, http.StatusCreated, "/s/1", script)
}

func calledFor(t *testing.T, l *fakeLink, p client.Protocol, status int, location string, script http.HandlerFunc) (*Call, <-chan patch) {
	t.Helper()
	patches := make(chan patch, 8)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost {
			patches <- patch{r.Method, r.Header.Get("If-Match"), string(body)}
			script(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/sdp")
		h["Location"] = []string{location}
		h.Set("ETag", `"g1"`)
		h.Add("Link", `<stun:s>; rel="ice-server"`)
		h.Add("Link", `<turn:t>; rel="ice-server"; username=u; credential=c`)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "v=0\r\nanswer")
	}))
	t.Cleanup(s.Close)
	c, err := client.New(client.Options{Protocol: p, URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	session, err := c.Post(t.Context(), description)
	if err != nil {
		t.Fatal(err)
	}
	return New(session, l, slog.New(slog.DiscardHandler)), patches
}

func noContent(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func restarted(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/trickle-ice-sdpfrag")
	_, _ = io.WriteString(w, theirs)
}

// running runs a call until the test ends or it fails.
func running(t *testing.T, c *Call) <-chan error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended, done := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		ended <- c.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return ended
}

// C8: the servers of Link are used.
func TestAccept(t *testing.T) {
	l := &fakeLink{}
	c, _ := called(t, l, noContent)
	if err := c.Accept(); err != nil || l.accepted != "v=0\r\nanswer" {
		t.Errorf("accepted %q (%v)", l.accepted, err)
	}
	want := []peer.ICEServer{{URLs: []string{"stun:s"}}, {URLs: []string{"turn:t"}, Username: "u", Credential: "c"}}
	if !reflect.DeepEqual(l.servers, want) {
		t.Errorf("servers are %+v, want %+v", l.servers, want)
	}
}

// C6: one PATCH with all candidates, of the bundle's first section, and the end of them.
func TestLateCandidates(t *testing.T) {
	c, patches := called(t, &fakeLink{late: []string{late, late + " x"}}, noContent)
	running(t, c)
	got := <-patches
	if got.method != "PATCH" || got.ifMatch != `"g1"` {
		t.Errorf("sent %+v", got)
	}
	lines := strings.Split(strings.TrimSuffix(got.body, "\r\n"), "\r\n")
	for _, want := range []string{"a=ice-ufrag:ours", "a=mid:a0", "a=candidate:" + late, "a=candidate:" + late + " x", "a=end-of-candidates"} {
		if !slices.Contains(lines, want) {
			t.Errorf("no %q in %q", want, got.body)
		}
	}
	if strings.Count(got.body, "m=") != 1 || strings.Contains(got.body, "typ host") {
		t.Errorf("the fragment is %q", got.body)
	}
}

// C6, D23: the session goes on without trickle, whatever the server says to it.
func TestTrickleIsNoFailure(t *testing.T) {
	for _, code := range []int{501, 400, 500} {
		c, patches := called(t, &fakeLink{late: []string{late}}, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-Match") == "*" {
				restarted(w, r)
				return
			}
			w.WriteHeader(code)
		})
		ended := running(t, c)
		<-patches
		c.Restart()
		select {
		case <-patches:
		case err := <-ended:
			t.Errorf("%d ends the call: %v", code, err)
		}
	}
}

// C7
func TestRestart(t *testing.T) {
	for name, c := range map[string]struct {
		script  http.HandlerFunc
		failing error
		want    string // part of the error; "": none
	}{
		"accepted":       {restarted, nil, ""},
		"not taken":      {status(501), nil, "status 501"},
		"gone":           {status(404), nil, "status 404"},
		"server error":   {status(500), nil, "status 500"},
		"no fragment":    {noContent, nil, "status 204"},
		"an unfit one":   {restarted, errBroken, errBroken.Error()},
		"a broken one":   {func(w http.ResponseWriter, _ *http.Request) { restart(w, "junk") }, nil, "read the server's side"},
		"one half":       {func(w http.ResponseWriter, _ *http.Request) { restart(w, "a=ice-ufrag:next\r\n") }, nil, "lacks ice-ufrag or ice-pwd"},
		"an endless one": {func(w http.ResponseWriter, _ *http.Request) { restart(w, strings.Repeat("a=x\r\n", 5000)) }, nil, "read the server's side"},
	} {
		t.Run(name, func(t *testing.T) {
			l := &fakeLink{failing: c.failing}
			call, patches := called(t, l, c.script)
			ended := running(t, call)
			call.Restart()
			call.Restart() // one wish
			if got := <-patches; got.method != "PATCH" || got.ifMatch != "*" || !strings.Contains(got.body, "a=ice-ufrag:again\r\n") {
				t.Errorf("sent %+v", got)
			}
			if c.want == "" {
				call.Restart()
				<-patches // Run has taken the first answer before it asks again
				l.mu.Lock()
				defer l.mu.Unlock()
				if l.fragment == nil || l.fragment.ICEUfrag != "next" {
					t.Errorf("took %+v", l.fragment)
				}
				return
			}
			err := <-ended
			if !errors.As(err, new(*RestartError)) || !strings.Contains(err.Error(), c.want) || client.IsFinal(err) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func restart(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/trickle-ice-sdpfrag")
	_, _ = io.WriteString(w, body)
}

// C7: where no restart can be had, none is begun, since that would cut the connection.
func TestNoRestart(t *testing.T) {
	for name, c := range map[string]struct {
		status   int
		location string
	}{
		"a counter-offer":  {http.StatusNotAcceptable, "/s/1"},
		"no session's URL": {http.StatusCreated, ""},
	} {
		t.Run(name, func(t *testing.T) {
			call, _ := calledFor(t, &fakeLink{}, client.WHEP, c.status, c.location, noContent)
			if call.Restart() || len(call.restarts) != 0 {
				t.Error("it begins one")
			}
		})
	}
}

// C11
func TestEnd(t *testing.T) {
	l := &fakeLink{}
	c, patches := called(t, l, noContent)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.End(ctx)
	if got := <-patches; got.method != "DELETE" || l.closed != 1 {
		t.Errorf("sent %+v, closed %d times", got, l.closed)
	}
}
