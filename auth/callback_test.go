package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// backend answers as status says for each question, and counts them.
type backend struct {
	status func(q question) int
	asked  atomic.Int32
}

func (b *backend) serve(w http.ResponseWriter, r *http.Request) {
	b.asked.Add(1)
	var q question
	if json.NewDecoder(r.Body).Decode(&q) != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	w.WriteHeader(b.status(q))
}

func (b *backend) authorizer(t testing.TB) Authorizer {
	t.Helper()
	return must(t, Options{Mode: ModeHTTP, Client: server(b.serve).client(), HTTP: HTTP{URL: "http://auth.test/ask"}})
}

func always(status int) *backend { return &backend{status: func(question) int { return status }} }

// I5: what an answer means; what is no clear word is a no.
func TestCallbackAnswers(t *testing.T) {
	for status, want := range map[int][2]string{ // with credentials, and without
		200: {"http:alice", "anonymous"}, 204: {"http:alice", "anonymous"}, 299: {"http:alice", "anonymous"},
		401: {"invalid", "none"}, 403: {"forbidden", "forbidden"},
		301: {"unavailable", "unavailable"}, 302: {"unavailable", "unavailable"}, 304: {"unavailable", "unavailable"},
		400: {"unavailable", "unavailable"}, 404: {"unavailable", "unavailable"}, 429: {"unavailable", "unavailable"},
		500: {"unavailable", "unavailable"}, 503: {"unavailable", "unavailable"},
	} {
		a := always(status).authorizer(t)
		r := Request{Action: Play, Stream: "cam", Remote: here}
		nothing := outcome(a.Authorize(t.Context(), r))
		r.Credentials = Credentials{User: "alice", Password: "right"}
		if got := outcome(a.Authorize(t.Context(), r)); got != want[0] || nothing != want[1] {
			t.Errorf("%d: %s, %s", status, got, nothing)
		}
	}
}

// I1: the question is the one that MediaMTX asks.
func TestCallbackQuestion(t *testing.T) {
	full := Request{
		Action: Play, Stream: "cam", Credentials: Credentials{User: "alice", Password: "right"}, Remote: netip.MustParseAddr("::ffff:192.0.2.1"),
		Protocol: "whep", ID: "id", Query: "a=b", UserAgent: "curl",
	}
	with := func(change func(r *Request)) Request {
		r := full
		change(&r)
		return r
	}
	body := `{"user":"alice","password":"right","token":"","ip":"192.0.2.1","action":"read","path":"cam","protocol":"webrtc","id":"id","query":"a=b","userAgent":"curl"}`
	change := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(body) }
	for _, c := range []struct {
		name string
		r    Request
		want string
	}{
		{"play", full, body},
		{"publish", with(func(r *Request) { r.Action, r.Protocol = Publish, "whip" }), change("read", "publish")},
		{"admin", with(func(r *Request) { r.Action, r.Stream, r.Protocol = Admin, "", "http" }), change("read", "api", `"cam"`, `""`, "webrtc", "http")},
		{"metrics", with(func(r *Request) { r.Action = Metrics }), change("read", "metrics")},
		{"ours", with(func(r *Request) { r.Action = PTZ }), change("read", "ptz")},
		{"token", with(func(r *Request) { r.Credentials = Credentials{Token: "t"} }), change(`"alice"`, `""`, `"right"`, `""`, `"token":""`, `"token":"t"`)},
		{"both in one", with(func(r *Request) { r.Credentials = Credentials{Token: "alice:right"} }), body},
		{"nothing", with(func(r *Request) { r.Credentials = Credentials{} }), change(`"alice"`, `""`, `"right"`, `""`)},
		{"no address", with(func(r *Request) { r.Remote = netip.Addr{} }), change("192.0.2.1", "")},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			a := must(t, Options{Mode: ModeHTTP, HTTP: HTTP{URL: "http://auth.test/"}, Client: server(func(_ http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				got = string(b)
			}).client()})
			if _, err := a.Authorize(t.Context(), c.r); err != nil || got != c.want {
				t.Errorf("%v\n%s\n%s", err, got, c.want)
			}
		})
	}
}

// I5: a yes is remembered for ten seconds, for the same question of the same sender; a no is not.
func TestCallbackMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := always(200)
		a := b.authorizer(t)
		same := Request{Action: Play, Stream: "cam", Credentials: Credentials{Token: "t"}, Remote: here, Query: "q", Protocol: "whep", UserAgent: "x"}
		expect := func(name string, r Request, asked int32) {
			t.Helper()
			before := b.asked.Load()
			_, _ = a.Authorize(t.Context(), r)
			if got := b.asked.Load() - before; got != asked {
				t.Errorf("%s: asked %d times", name, got)
			}
		}
		with := func(change func(r *Request)) Request {
			r := same
			change(&r)
			return r
		}
		expect("first", same, 1)
		expect("again", same, 0)
		expect("another browser", with(func(r *Request) { r.UserAgent = "y" }), 0)
		expect("another action", with(func(r *Request) { r.Action = Talk }), 1)
		expect("another stream", with(func(r *Request) { r.Stream = "cam2" }), 1)
		expect("another token", with(func(r *Request) { r.Credentials.Token = "u" }), 1)
		expect("a user", with(func(r *Request) { r.Credentials = Credentials{User: "t"} }), 1)
		expect("nothing", with(func(r *Request) { r.Credentials = Credentials{} }), 1)
		expect("another address", with(func(r *Request) { r.Remote = netip.MustParseAddr("192.0.2.2") }), 1)
		expect("another query", with(func(r *Request) { r.Query = "r" }), 1)
		time.Sleep(answerTTL)
		expect("ten seconds later", same, 1)
		b.status = func(question) int { return 401 }
		time.Sleep(answerTTL)
		expect("a no", same, 1)
		expect("a no again", same, 1)
	})
}

// I5, I6: a sender may cause 20 questions a second, 40 at once; wrong logins back off, and no login is none.
func TestCallbackLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := always(403)
		a := b.authorizer(t)
		ask := func(from string) string {
			return outcome(a.Authorize(t.Context(), Request{Action: Play, Stream: "cam", Remote: netip.MustParseAddr(from)}))
		}
		for range 100 {
			ask("192.0.2.1")
		}
		if got := ask("192.0.2.1") + ask("192.0.2.2"); got != "rateforbidden" || b.asked.Load() != rateBurst+1 {
			t.Errorf("%s, %d questions", got, b.asked.Load())
		}
		time.Sleep(time.Second)
		for range 100 {
			ask("192.0.2.1")
		}
		if n := b.asked.Load(); n != rateBurst+1+ratePerSecond {
			t.Errorf("%d questions", n)
		}
		time.Sleep(time.Minute)
		b.status = func(question) int { return 401 }
		for range 2 * maxFailures {
			if got := ask("192.0.2.3"); got != "none" {
				t.Error(got)
			}
		}
		guess := Request{Action: Play, Stream: "cam", Remote: here, Credentials: Credentials{Token: "x"}}
		for range maxFailures {
			if got := outcome(a.Authorize(t.Context(), guess)); got != "invalid" {
				t.Error(got)
			}
		}
		before := b.asked.Load()
		if got := outcome(a.Authorize(t.Context(), guess)); got != "backoff" || b.asked.Load() != before {
			t.Error(got)
		}
	})
}

// I5: an answer that does not come within three seconds is a no.
func TestCallbackHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := must(t, Options{Mode: ModeHTTP, HTTP: HTTP{URL: "http://auth.test/"}, Client: server(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		}).client()})
		begin := time.Now()
		if got := outcome(a.Authorize(t.Context(), Request{Action: Play, Remote: here})); got != "unavailable" || time.Since(begin) != askTimeout {
			t.Errorf("%s after %v", got, time.Since(begin))
		}
	})
}

// I44: a login is right if the other server knows it, whatever it is good for; who he is, is told by what he shows.
func TestCallbackIdentify(t *testing.T) {
	b := &backend{status: func(q question) int {
		switch {
		case q.Password != "right":
			return 401
		case q.Action == "publish" && q.Path == "cam":
			return 200
		default:
			return 403
		}
	}}
	a := b.authorizer(t)
	identify := func(c Credentials) string {
		return outcome(a.Identify(t.Context(), Request{Credentials: c, Remote: here}))
	}
	alice := Credentials{User: "alice", Password: "right"}
	if got := identify(alice) + " " + identify(Credentials{User: "alice", Password: "x"}) + " " + identify(Credentials{}); got != "http:alice invalid none" {
		t.Error(got)
	}
	p, err := a.Identify(t.Context(), Request{Credentials: alice})
	if err != nil || p.May(Publish, "cam") || p.May(Play, "") {
		t.Errorf("%+v %v", p, err)
	}
	for action, want := range map[Action]string{Publish: "http:alice", Play: "forbidden", "": "http:alice"} {
		if got := outcome(a.Renew(t.Context(), p, Request{Action: action, Stream: "cam", Credentials: alice, Remote: here})); got != want {
			t.Errorf("%s: %s", action, got)
		}
	}
	p, err = a.Authorize(t.Context(), Request{Action: Publish, Stream: "cam", Credentials: alice, Remote: here})
	if err != nil || !a.Holds(p, Publish, "cam") || a.Holds(p, Publish, "cam2") || a.Holds(p, Play, "cam") {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := always(200).authorizer(t).Authorize(t.Context(), Request{Action: Play, Stream: "*"}); err != nil || p.May(Play, "cam") {
		t.Errorf("a star in a name becomes a pattern: %+v %v", p, err)
	}
}

// I5: over a real network: the connection is kept, and a redirect, which would carry the password along, is a no.
func TestCallbackOverTheNetwork(t *testing.T) {
	var connections, leaked atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("/ask", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "a body that nobody reads") })
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", maxAnswer+2)) })
	mux.Handle("/moved", http.RedirectHandler("/leak", http.StatusTemporaryRedirect))
	mux.HandleFunc("/leak", func(http.ResponseWriter, *http.Request) { leaked.Add(1) })
	s := httptest.NewUnstartedServer(mux)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	client := newClient()
	defer client.CloseIdleConnections()
	ask := func(path, stream string) string {
		a := must(t, Options{Mode: ModeHTTP, Client: client, HTTP: HTTP{URL: s.URL + path}})
		return outcome(a.Authorize(t.Context(), Request{Action: Play, Stream: stream, Remote: here}))
	}
	for i := range 5 {
		if got := ask("/ask", fmt.Sprint(i)); got != "anonymous" {
			t.Error(got)
		}
	}
	// One that the client's writer was held up on is not used again.
	if n := connections.Load(); n > 2 {
		t.Errorf("%d connections", n)
	}
	if got := ask("/moved", "cam") + " " + ask("/long", "cam"); got != "unavailable anonymous" || leaked.Load() != 0 {
		t.Errorf("%s, %d requests where it was redirected", got, leaked.Load())
	}
	s.Close()
	if got := ask("/ask", "cam"); got != "unavailable" {
		t.Errorf("with nobody there: %s", got)
	}
}

func TestCallbackOptions(t *testing.T) {
	for _, bad := range []string{"", "auth.test", "ftp://canary@auth.test", "http://:canary@", "http://a:canary@b:x/"} {
		if _, err := New(Options{Mode: ModeHTTP, HTTP: HTTP{URL: bad}}); bad != "http://:canary@" && err == nil || err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// refusing401 answers 401 for all that alice, whose password is "right", may not: she may publish "cam".
func refusing401() *backend {
	return &backend{status: func(q question) int {
		if q.Password == "right" && q.Action == "publish" && q.Path == "cam" {
			return 200
		}
		return 401
	}}
}

// I5, I6: a server that has only 401 for a no puts nobody out whose login it knows: he is known by what he was allowed.
func TestCallbackDeniesWith401(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := refusing401().authorizer(t)
		r := Request{Action: Publish, Stream: "cam", Credentials: Credentials{User: "alice", Password: "right"}, Remote: here}
		for range maxFailures {
			if got := outcome(a.Identify(t.Context(), r)); got != "invalid" {
				t.Errorf("before anything is known: %s", got)
			}
		}
		p, err := a.Authorize(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		other := r
		other.Stream = "cam2"
		for range maxFailures {
			_, err := a.Authorize(t.Context(), other)
			_, again := a.Renew(t.Context(), p, other)
			if !errors.As(err, new(*DeniedError)) || !errors.As(again, new(*DeniedError)) || !errors.Is(err, ErrInvalid) {
				t.Errorf("%v, with a cookie %v", err, again)
			}
		}
		wrong := r
		wrong.Credentials.Password = "x"
		none := r
		none.Action = ""
		if got := outcome(a.Identify(t.Context(), r)) + " " + outcome(a.Renew(t.Context(), p, none)) + " " + outcome(a.Identify(t.Context(), wrong)); got != "http:alice http:alice invalid" {
			t.Error(got)
		}
		if p, err := a.Identify(t.Context(), r); err != nil || len(p.Grants) > 0 {
			t.Errorf("who is known has rights by that: %+v %v", p, err)
		}
		time.Sleep(rightTTL)
		if got := outcome(a.Identify(t.Context(), r)); got != "invalid" {
			t.Errorf("after a while: %s", got)
		}
	})
}

// I6: a login page is for guessing, also in mode http.
func TestCallbackLoginBacksOff(t *testing.T) {
	a := refusing401().authorizer(t)
	r := Request{Credentials: Credentials{User: "alice", Password: "x"}, Remote: here, Login: true}
	for range maxFailures {
		if got := outcome(a.Identify(t.Context(), r)); got != "invalid" {
			t.Error(got)
		}
	}
	if got := outcome(a.Identify(t.Context(), r)); got != "backoff" {
		t.Error(got)
	}
}

// I5: too many questions are told apart from wrong logins, with the time until the next.
func TestRateTellsWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newRate()
		for range rateBurst {
			if err := l.take(here); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second / ratePerSecond / 2)
		var rate *RateError
		if err := l.take(here); !errors.As(err, &rate) || rate.RetryAfter < 20*time.Millisecond || rate.RetryAfter > 30*time.Millisecond {
			t.Fatal(err)
		}
		time.Sleep(rate.RetryAfter + time.Nanosecond)
		if err := l.take(here); err != nil {
			t.Errorf("after the time it told: %v", err)
		}
	})
}
