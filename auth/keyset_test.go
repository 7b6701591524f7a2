package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// issuer is a server of keys that change, and that may be away.
type issuer struct {
	mu      sync.Mutex
	keys    []jose.JSONWebKey
	away    bool
	delay   time.Duration
	fetches int
}

func (i *issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.fetches++
	keys, away, delay := i.keys, i.away, i.delay
	i.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-r.Context().Done():
	}
	if away {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: keys})
}

func (i *issuer) set(change func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change()
}

func (i *issuer) expect(t *testing.T, fetches int) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.fetches != fetches {
		t.Errorf("%d fetches instead of %d", i.fetches, fetches)
	}
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// I4: keys are fetched when a token needs them, kept for five minutes, and fetched again for a key that is not known,
// each half minute at most.
func TestKeysChange(t *testing.T) {
	first, second, third := newKey(t), newKey(t), newKey(t)
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{keys: []jose.JSONWebKey{public("1", first)}}
		a := withKeys(t, i.serve)
		es := func(kid string, k crypto.Signer) string { return ask(t, a, sign(t, jose.ES256, k, kid, good(nil))) }
		i.expect(t, 0)
		if got := es("1", first); got != "jwt:alice" {
			t.Fatal(got)
		}
		i.set(func() { i.keys = []jose.JSONWebKey{public("1", first), public("2", second)} })
		if got := es("2", second); got != "invalid" {
			t.Errorf("within half a minute: %s", got)
		}
		i.expect(t, 1)
		time.Sleep(keysRetry)
		if got := es("2", second); got != "jwt:alice" {
			t.Error(got)
		}
		for range 5 {
			es("3", third)
		}
		i.expect(t, 2)
		i.set(func() { i.keys = []jose.JSONWebKey{public("2", second)} })
		time.Sleep(keysTTL - time.Second)
		if got := es("1", first); got != "jwt:alice" {
			t.Errorf("before the keys are old: %s", got)
		}
		i.expect(t, 2)
		time.Sleep(time.Second)
		if got := es("1", first); got != "invalid" {
			t.Errorf("with a key that was withdrawn: %s", got)
		}
		i.expect(t, 3)
	})
}

// I4: while the keys can't be had, the old ones go on; where there are none, nobody is let in, and nobody has guessed.
func TestKeysAreAway(t *testing.T) {
	k, other := newKey(t), newKey(t)
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{keys: []jose.JSONWebKey{public("1", k)}, away: true}
		var log strings.Builder
		a := must(t, Options{
			Mode: ModeJWT, Client: server(i.serve).client(), Log: slog.New(slog.NewTextHandler(&log, nil)),
			JWT: JWT{JWKSURL: "https://user:" + canary + "@keys.test/" + canary},
		})
		es := func(kid string, k crypto.Signer) string { return ask(t, a, sign(t, jose.ES256, k, kid, good(nil))) }
		for range 2 * maxFailures {
			if got := es("1", k); got != "unavailable" {
				t.Fatal(got)
			}
		}
		i.expect(t, 1)
		i.set(func() { i.away = false })
		time.Sleep(keysFirst)
		if got := es("1", k); got != "jwt:alice" {
			t.Fatal(got)
		}
		i.set(func() { i.away = true })
		time.Sleep(keysTTL)
		for range 3 {
			if got := es("1", k) + " " + es("2", other); got != "jwt:alice unavailable" {
				t.Error(got)
			}
		}
		i.expect(t, 3)
		if strings.Count(log.String(), "the old ones go on") != 1 || strings.Contains(log.String(), canary) {
			t.Errorf("log: %s", log.String())
		}
	})
}

// I4: old keys go on for a day, and come back when they can be had again.
func TestKeysGrowTooOld(t *testing.T) {
	k := newKey(t)
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{keys: []jose.JSONWebKey{public("1", k)}}
		var log strings.Builder
		a := must(t, Options{
			Mode: ModeJWT, Client: server(i.serve).client(), JWT: JWT{JWKSURL: "https://keys.test/"}, Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
		es := func() string {
			return ask(t, a, sign(t, jose.ES256, k, "1", good(said{"exp": time.Now().Add(time.Hour).Unix()})))
		}
		if got := es(); got != "jwt:alice" {
			t.Fatal(got)
		}
		i.set(func() { i.away = true })
		time.Sleep(keysMaxAge - time.Second)
		if got := es(); got != "jwt:alice" {
			t.Errorf("after a day, but for a second: %s", got)
		}
		time.Sleep(time.Second)
		for range 2 * maxFailures {
			if got := es(); got != "unavailable" {
				t.Fatalf("after a day: %s", got)
			}
		}
		i.expect(t, 2)
		time.Sleep(keysRetry)
		if got := es(); got != "unavailable" || strings.Count(log.String(), "the old ones go on") != 1 {
			t.Errorf("later: %s, log: %s", got, log.String())
		}
		i.set(func() { i.away = false })
		time.Sleep(keysRetry)
		if got := es(); got != "jwt:alice" {
			t.Errorf("when they are back: %s", got)
		}
	})
}

// I4: a server that hangs is given up after three seconds; only one request waits for it when there are old keys, and
// all wait for the same one when there are none.
func TestKeysHang(t *testing.T) {
	k := newKey(t)
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{keys: []jose.JSONWebKey{public("1", k)}, delay: time.Second}
		a := withKeys(t, i.serve)
		all := func() (waited []time.Duration) {
			var mu sync.Mutex
			var group sync.WaitGroup
			for n := range 20 {
				token := sign(t, jose.ES256, k, "1", good(said{"n": n}))
				group.Go(func() {
					begin := time.Now()
					if got := ask(t, a, token); got != "jwt:alice" {
						t.Error(got)
					}
					mu.Lock()
					defer mu.Unlock()
					waited = append(waited, time.Since(begin))
				})
			}
			group.Wait()
			return waited
		}
		for _, d := range all() {
			if d != time.Second {
				t.Errorf("the first waited %v", d)
			}
		}
		i.set(func() { i.delay = time.Hour })
		time.Sleep(keysTTL)
		slow := 0
		for _, d := range all() {
			switch d {
			case 0:
			case askTimeout:
				slow++
			default:
				t.Errorf("somebody waited %v", d)
			}
		}
		if slow != 1 {
			t.Errorf("%d waited", slow)
		}
		i.expect(t, 2)
	})
}

// I4: a request that is given up meanwhile takes the keys from nobody: else, guesses could hold up a fetch for ever.
func TestKeysForOthers(t *testing.T) {
	k := newKey(t)
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{keys: []jose.JSONWebKey{public("1", k)}, delay: time.Second}
		a := withKeys(t, i.serve)
		token := sign(t, jose.ES256, k, "1", good(nil))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, _ = a.Authorize(ctx, Request{Credentials: Credentials{Token: token}})
		if got := ask(t, a, token); got != "jwt:alice" {
			t.Error(got)
		}
		i.expect(t, 1)
	})
}

// I4: which sets are taken, and which keys of them.
func TestKeySets(t *testing.T) {
	k, other := newKey(t), newKey(t)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	token := sign(t, jose.ES256, k, "1", good(nil))
	text := func(k jose.JSONWebKey) string {
		b, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	right := text(public("1", k))
	many := make([]string, 1000)
	for i := range many {
		many[i] = strings.Replace(text(public("", other)), "{", fmt.Sprintf(`{"kid":"%d",`, i+2), 1)
	}
	for _, c := range []struct{ name, body, want string }{
		{"one", `{"keys":[` + right + `]}`, "jwt:alice"},
		{"two with the same id", `{"keys":[` + text(public("1", other)) + "," + right + `]}`, "jwt:alice"},
		{"without an id", `{"keys":[` + text(public("", k)) + `]}`, "jwt:alice"},
		{"a private key", `{"keys":[` + text(jose.JSONWebKey{Key: k, KeyID: "1"}) + `]}`, "jwt:alice"},
		{"1000", `{"keys":[` + strings.Join(many, ",") + "," + right + `]}`, "jwt:alice"},
		{"kinds of keys that nobody knows", `{"keys":[{"kty":"MOON"},{},7,"x",{"kty":"RSA","n":"","e":""},` + right + `]}`, "jwt:alice"},
		{"for encryption", `{"keys":[` + text(jose.JSONWebKey{Key: k.Public(), KeyID: "1", Use: "enc"}) + `]}`, "invalid"},
		{"for another algorithm", `{"keys":[` + text(jose.JSONWebKey{Key: k.Public(), KeyID: "1", Algorithm: "ES384"}) + `]}`, "invalid"},
		{"another id", `{"keys":[` + text(public("2", k)) + `]}`, "invalid"},
		{"none", `{"keys":[]}`, "invalid"},
		{"no set", `{}`, "unavailable"},
		{"a page", `<html>`, "unavailable"},
		{"257 KiB", `{"x":"` + strings.Repeat("x", 257<<10) + `","keys":[` + right + `]}`, "unavailable"},
		{"deep", `{"keys":` + strings.Repeat("[", 100_000), "unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := withKeys(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(c.body)) })
			if got := ask(t, a, token); got != c.want {
				t.Errorf("%s", got)
			}
		})
	}
	if fits(public("", small), jose.RS256) {
		t.Error("a key of 1024 bits is taken")
	}
}

// I4: a key set may move on its own server, and to no other.
func TestKeysRedirect(t *testing.T) {
	k := newKey(t)
	var asked atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		serve(public("1", k))(w, r)
	}))
	defer elsewhere.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("/keys", serve(public("1", k)))
	mux.Handle("/moved", http.RedirectHandler("/keys", http.StatusFound))
	mux.Handle("/away", http.RedirectHandler(elsewhere.URL, http.StatusFound))
	mux.Handle("/circle", http.RedirectHandler("/circle", http.StatusFound))
	s := httptest.NewServer(mux)
	defer s.Close()
	for path, want := range map[string]string{"/keys": "jwt:alice", "/moved": "jwt:alice", "/away": "unavailable", "/circle": "unavailable", "/404": "unavailable"} {
		a := must(t, Options{Mode: ModeJWT, Client: s.Client(), JWT: JWT{JWKSURL: s.URL + path}})
		if got := ask(t, a, sign(t, jose.ES256, k, "1", good(nil))); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
	if asked.Load() != 0 {
		t.Error("it follows to another host")
	}
}

func FuzzParseKeys(f *testing.F) {
	b, _ := json.Marshal(jose.JSONWebKeySet{Keys: everyKey()})
	f.Add(b)
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		keys, err := parseKeys(body)
		for _, k := range keys {
			if !k.IsPublic() || err != nil {
				t.Errorf("%v %v", k, err)
			}
		}
	})
}
