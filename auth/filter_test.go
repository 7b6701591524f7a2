package auth

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// filtered is what Filter returns, as tables have it.
func filtered(t *testing.T, a Authorizer, p *Principal, r Request, streams ...string) string {
	t.Helper()
	some, err := a.Filter(t.Context(), p, r, streams)
	if err != nil {
		return outcome(nil, err)
	}
	return strings.Join(some, " ")
}

// I1: which of many streams are for whom, in every mode.
func TestFilter(t *testing.T) {
	internal := must(t, Options{Mode: ModeInternal, Users: house(t)})
	closed := must(t, Options{Mode: ModeInternal})
	signed := must(t, Options{Mode: ModeJWT, JWT: JWT{Secret: testSecret}})
	asked := (&backend{status: func(q question) int {
		if q.Path == "auth_1" || q.Action == "metrics" && q.Path == "" {
			return 200
		}
		return 403
	}}).authorizer(t)
	alice := Credentials{Token: aliceToken}
	bearer := Credentials{Token: sign(t, "HS256", []byte(testSecret), "", good(nil))}
	for _, c := range []struct {
		name   string
		a      Authorizer
		shown  Credentials
		action Action
		want   string
	}{
		{"none", must(t, Options{Mode: ModeNone}), Credentials{}, Publish, "open1 auth_1 studio "},
		{"internal", internal, alice, Play, "open1 auth_1"},
		{"internal, without a stream", internal, alice, Metrics, ""},
		{"internal, nothing", internal, Credentials{}, Play, "open1"},
		{"internal, nothing and nobody", closed, Credentials{}, Play, ""},
		{"internal, wrong", internal, Credentials{Token: "x"}, Play, "invalid"},
		{"jwt", signed, bearer, Publish, "auth_1"},
		{"jwt, nothing", signed, Credentials{}, Publish, ""},
		{"jwt, wrong", signed, Credentials{Token: "x"}, Publish, "invalid"},
		{"http", asked, alice, Play, "auth_1"},
		{"http, without a stream", asked, alice, Metrics, "auth_1 "},
		{"http, nothing", asked, Credentials{}, Play, "auth_1"},
		{"http, unreadable", asked, Credentials{Unreadable: true}, Play, "invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Request{Action: c.action, Stream: "x", Credentials: c.shown, Remote: here}
			if got := filtered(t, c.a, nil, r, "open1", "auth_1", "studio", ""); got != c.want {
				t.Errorf("%q", got)
			}
			p, err := c.a.Identify(t.Context(), r)
			if err != nil {
				return
			}
			if got := filtered(t, c.a, p, r, "open1", "auth_1", "studio", ""); got != c.want {
				t.Errorf("with a cookie: %q", got)
			}
		})
	}
	if got := filtered(t, asked, &Principal{Name: "alice", Kind: ModeInternal}, Request{Action: Play, Credentials: alice}, "auth_1"); got != "invalid" {
		t.Errorf("with a cookie of another mode: %s", got)
	}
}

// I5, I6: however many streams there are, a list of them is one question to the limit, no wrong login, and what was
// allowed is not asked again.
func TestCallbackFilterIsCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &backend{status: func(q question) int {
			if strings.HasSuffix(q.Path, "7") {
				return 200
			}
			return 401
		}}
		a := b.authorizer(t)
		r := Request{Action: Play, Credentials: Credentials{Token: "t"}, Remote: here}
		var many []string
		for i := range maxFiltered + 100 {
			many = append(many, fmt.Sprint(i))
		}
		for range maxFailures + 1 {
			if got := filtered(t, a, nil, r, many...); len(strings.Fields(got)) != 25 {
				t.Fatal(got)
			}
		}
		if n := int(b.asked.Load()); n != maxFiltered+maxFailures*(maxFiltered-25) {
			t.Errorf("%d questions", n)
		}
		r.Stream = "7"
		if got := outcome(a.Authorize(t.Context(), r)); !strings.HasPrefix(got, "http:") {
			t.Errorf("afterwards: %s", got)
		}
		for range rateBurst {
			filtered(t, a, nil, r, "1")
		}
		if got := filtered(t, a, nil, r, "1", "7"); got != "rate" {
			t.Errorf("without a limit: %s", got)
		}
		if got := filtered(t, a, nil, r, "7", "17"); got != "7 17" {
			t.Errorf("of what is known: %s", got)
		}
	})
}

// I5: a server that is silent, or in trouble, costs three seconds in all, and nobody is let in.
func TestCallbackFilterFails(t *testing.T) {
	many := strings.Split(strings.Repeat("cam ", 99)+"cam", " ")
	for name, c := range map[string]struct {
		serve server
		takes time.Duration
	}{
		"silent": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, askTimeout},
		"slow": {func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(time.Second):
			case <-r.Context().Done():
			}
		}, askTimeout},
		"trouble": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int32
				b := server(func(w http.ResponseWriter, r *http.Request) {
					asked.Add(1)
					c.serve(w, r)
				})
				a := must(t, Options{Mode: ModeHTTP, HTTP: HTTP{URL: "http://auth.test/"}, Client: b.client()})
				begin := time.Now()
				got := filtered(t, a, nil, Request{Action: Play, Remote: here}, many...)
				if took := time.Since(begin); got != "unavailable" || took != c.takes || asked.Load() > 4*filterJobs {
					t.Errorf("%s after %v and %d questions", got, took, asked.Load())
				}
			})
		})
	}
}
