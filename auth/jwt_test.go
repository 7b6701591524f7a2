package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
)

var testSecret = strings.Repeat("s", minSecret)

// ring has a key of each kind, made once since those of RSA take long.
var ring = sync.OnceValue(func() map[string]crypto.Signer {
	keys := map[string]crypto.Signer{}
	for name, curve := range map[string]elliptic.Curve{"p256": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521()} {
		keys[name], _ = ecdsa.GenerateKey(curve, rand.Reader)
	}
	keys["rsa"], _ = rsa.GenerateKey(rand.Reader, 2048)
	_, keys["ed"], _ = ed25519.GenerateKey(rand.Reader)
	return keys
})

// said are claims; those of a good token, changed.
type said map[string]any

func good(changes said) said {
	c := said{
		"sub": "alice", "iss": "issuer", "aud": []string{"other", "sluice"}, "exp": time.Now().Add(time.Hour).Unix(),
		"sluice": []any{said{"actions": []string{"publish", "play", "fly"}, "streams": []string{"auth_*"}}},
	}
	for k, v := range changes {
		c[k] = v
		if v == nil {
			delete(c, k)
		}
	}
	return c
}

// sign makes a token; kid "" leaves it out.
func sign(t testing.TB, a jose.SignatureAlgorithm, key any, kid string, claims any) string {
	t.Helper()
	o := &jose.SignerOptions{}
	if kid != "" {
		o = o.WithHeader("kid", kid)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: a, Key: key}, o)
	if err != nil {
		t.Fatal(err)
	}
	payload, ok := claims.([]byte)
	if !ok {
		if payload, err = json.Marshal(claims); err != nil {
			t.Fatal(err)
		}
	}
	w, err := s.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := w.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// handmade is a token whose parts are as given.
func handmade(header, payload string, signature []byte) string {
	text := base64.RawURLEncoding.EncodeToString
	return text([]byte(header)) + "." + text([]byte(payload)) + "." + text(signature)
}

func public(kid string, key crypto.Signer) jose.JSONWebKey {
	return jose.JSONWebKey{Key: key.Public(), KeyID: kid}
}

// serve is a key set that never changes.
func serve(keys ...jose.JSONWebKey) server {
	return func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: keys})
	}
}

func everyKey() []jose.JSONWebKey {
	var keys []jose.JSONWebKey
	for name, k := range ring() {
		keys = append(keys, public(name, k))
	}
	return keys
}

func withKeys(t testing.TB, s server) Authorizer {
	t.Helper()
	return must(t, Options{
		Mode: ModeJWT, Client: s.client(),
		JWT: JWT{JWKSURL: "https://keys.test/jwks", Issuer: "issuer", Audience: "sluice"},
	})
}

func ask(t testing.TB, a Authorizer, token string) string {
	t.Helper()
	return outcome(a.Authorize(t.Context(), Request{Action: Publish, Stream: "auth_1", Credentials: Credentials{Token: token}, Remote: here}))
}

// I4: every algorithm with its kind of key, by the key's id and without; and none with a key of another kind.
func TestAlgorithms(t *testing.T) {
	fitting := map[jose.SignatureAlgorithm]string{
		jose.RS256: "rsa", jose.RS384: "rsa", jose.RS512: "rsa", jose.PS256: "rsa", jose.PS384: "rsa", jose.PS512: "rsa",
		jose.ES256: "p256", jose.ES384: "p384", jose.ES512: "p521", jose.EdDSA: "ed",
	}
	for algorithm, name := range fitting {
		for _, kid := range []string{name, ""} {
			if got := ask(t, withKeys(t, serve(everyKey()...)), sign(t, algorithm, ring()[name], kid, good(nil))); got != "jwt:alice" {
				t.Errorf("%s, kid %q: %s", algorithm, kid, got)
			}
		}
		for other, k := range ring() {
			if other != name && fits(public("", k), algorithm) {
				t.Errorf("%s goes with %s", algorithm, other)
			}
		}
	}
	for _, algorithm := range []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512} {
		a := must(t, Options{Mode: ModeJWT, JWT: JWT{Secret: strings.Repeat("s", 64)}})
		if got := ask(t, a, sign(t, algorithm, []byte(strings.Repeat("s", 64)), "", good(nil))); got != "jwt:alice" {
			t.Errorf("%s: %s", algorithm, got)
		}
	}
}

// I4: what the claims may be; J10: who they name.
func TestClaims(t *testing.T) {
	at := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for _, c := range []struct {
		name   string
		claims any
		want   string
	}{
		{"good", good(nil), "jwt:alice"},
		{"one audience", good(said{"aud": "sluice"}), "jwt:alice"},
		{"another audience", good(said{"aud": "other"}), "invalid"},
		{"no audience", good(said{"aud": nil}), "invalid"},
		{"an audience of numbers", good(said{"aud": []int{1}}), "invalid"},
		{"another issuer", good(said{"iss": "issuer2"}), "invalid"},
		{"no issuer", good(said{"iss": nil}), "invalid"},
		{"no exp", good(said{"exp": nil}), "invalid"},
		{"exp null", good(said{"exp": json.RawMessage("null")}), "invalid"},
		{"exp is text", good(said{"exp": "9999999999"}), "invalid"},
		{"exp with a fraction", good(said{"exp": float64(at(time.Hour)) + 0.5}), "jwt:alice"},
		{"exp beyond all time", good(said{"exp": json.RawMessage("1e300")}), "jwt:alice"},
		{"exp before all time", good(said{"exp": json.RawMessage("-1e300")}), "invalid"},
		{"exp beyond numbers", good(said{"exp": json.RawMessage("1e999")}), "invalid"},
		{"expired within the leeway", good(said{"exp": at(-leeway + 15*time.Second)}), "jwt:alice"},
		{"expired", good(said{"exp": at(-leeway - 2*time.Second)}), "invalid"},
		{"nbf within the leeway", good(said{"nbf": at(leeway - 5*time.Second)}), "jwt:alice"},
		{"nbf", good(said{"nbf": at(leeway + time.Minute)}), "invalid"},
		{"nbf far away", good(said{"nbf": json.RawMessage("1e300")}), "invalid"},
		{"no rights", good(said{"sluice": nil}), "forbidden"},
		{"rights are text", good(said{"sluice": "publish"}), "invalid"},
		{"rights for another stream", good(said{"sluice": []any{said{"actions": []string{"publish"}, "streams": []string{"studio"}}}}), "forbidden"},
		{"rights without streams", good(said{"sluice": []any{said{"actions": []string{"publish"}}}}), "forbidden"},
		{"a pattern too long", good(said{"sluice": []any{said{"actions": []string{"publish"}, "streams": []string{strings.Repeat("*", 257)}}}}), "forbidden"},
		{"upper case", good(said{"sluice": nil, "SLUICE": good(nil)["sluice"]}), "forbidden"},
		{"no subject", good(said{"sub": nil}), "jwt:#"},
		{"not JSON", []byte("publish"), "invalid"},
		{"twice", []byte(`{"exp":9999999999,"exp":1}`), "invalid"},
		{"a list", []byte("[]"), "invalid"},
		{"deep", good(said{"x": json.RawMessage(strings.Repeat("[", 2000) + strings.Repeat("]", 2000))}), "invalid"},
		{"deep, and no end", []byte(`{"x":` + strings.Repeat(`{"a":`, 2000)), "invalid"},
		{"brackets in text are not deep", good(said{"x": strings.Repeat(`[{"\`, 100)}), "jwt:alice"},
		{"MediaMTX", good(said{"sluice": nil, "mediamtx_permissions": []said{{"action": "publish", "path": "auth_1"}}}), "jwt:alice"},
		{"MediaMTX, all paths", good(said{"sluice": nil, "mediamtx_permissions": []said{{"action": "read"}, {"action": "publish", "path": ""}}}), "jwt:alice"},
		{"MediaMTX, another path", good(said{"sluice": nil, "mediamtx_permissions": []said{{"action": "publish", "path": "auth_2"}}}), "forbidden"},
		{"MediaMTX, no glob", good(said{"sluice": nil, "mediamtx_permissions": []said{{"action": "publish", "path": "auth_*"}}}), "forbidden"},
		{"MediaMTX, no expression", good(said{"sluice": nil, "mediamtx_permissions": []said{{"action": "publish", "path": "~.*"}}}), "forbidden"},
		{"MediaMTX, only api", good(said{"sluice": nil, "mediamtx_permissions": []said{{"action": "api"}, {"action": "pprof"}}}), "forbidden"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ask(t, withKeys(t, serve(everyKey()...)), sign(t, jose.ES256, ring()["p256"], "p256", c.claims))
			if got != c.want && (c.want != "jwt:#" || !strings.HasPrefix(got, c.want)) {
				t.Errorf("%s", got)
			}
		})
	}
}

// I4: tokens that somebody forges.
func TestForgedTokens(t *testing.T) {
	key := ring()["rsa"]
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	jwk, err := json.Marshal(public("rsa", key))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(good(nil))
	if err != nil {
		t.Fatal(err)
	}
	rs := sign(t, jose.RS256, key, "rsa", good(nil))
	parts := strings.Split(rs, ".")
	embedded := &jose.SignerOptions{EmbedJWK: true}
	mallory, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	own, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: mallory}, embedded)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := own.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	withJWK, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"alg none":                        handmade(`{"alg":"none"}`, string(payload), nil),
		"alg None":                        handmade(`{"alg":"None","kid":"rsa"}`, string(payload), nil),
		"no alg":                          handmade(`{"kid":"rsa"}`, string(payload), []byte("x")),
		"no signature":                    parts[0] + "." + parts[1] + ".",
		"HS with the public key as PEM":   sign(t, jose.HS256, text, "rsa", good(nil)),
		"HS with the public key as DER":   sign(t, jose.HS256, der, "rsa", good(nil)),
		"HS with the public key as a JWK": sign(t, jose.HS512, jwk, "rsa", good(nil)),
		"HS with a key that is offered":   sign(t, jose.HS256, []byte(testSecret), "oct", good(nil)),
		"a key of its own":                sign(t, jose.RS256, mallory, "rsa", good(nil)),
		"a key in the header":             withJWK,
		"another payload":                 parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":9999999999}`)) + "." + parts[2],
		"another header":                  base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"PS256","kid":"rsa"}`)) + "." + parts[1] + "." + parts[2],
		"a critical extension":            handmade(`{"alg":"RS256","kid":"rsa","crit":["x"],"x":1}`, string(payload), []byte("x")),
		"two parts":                       parts[0] + "." + parts[1],
		"four parts":                      rs + ".x",
		"five parts, as encrypted":        rs + ".x.x",
		"JSON":                            `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"64 KiB":                          rs + strings.Repeat("A", 64<<10),
		"a deep header":                   handmade(strings.Repeat(`{"a":`, 2000), string(payload), []byte("x")),
		"nothing in it":                   "..",
		"spaces":                          " " + rs,
	} {
		t.Run(name, func(t *testing.T) {
			offered := append(everyKey(), jose.JSONWebKey{Key: []byte(testSecret), KeyID: "oct"})
			if got := ask(t, withKeys(t, serve(offered...)), token); got != "invalid" {
				t.Errorf("%s", got)
			}
		})
	}
	a := must(t, Options{Mode: ModeJWT, JWT: JWT{Secret: testSecret}})
	if got := ask(t, a, rs); got != "invalid" {
		t.Errorf("RS where HS is wanted: %s", got)
	}
	if got := ask(t, a, sign(t, jose.HS256, []byte(strings.Repeat("t", minSecret)), "", good(nil))); got != "invalid" {
		t.Errorf("another secret: %s", got)
	}
}

// I4: a token goes where there is room for a password only; and what the options may not be.
func TestJWTOptions(t *testing.T) {
	a := must(t, Options{Mode: ModeJWT, JWT: JWT{Secret: testSecret}})
	token := sign(t, jose.HS256, []byte(testSecret), "", good(nil))
	r := Request{Action: Play, Stream: "auth_1", Credentials: Credentials{User: "x", Password: token}}
	if got := outcome(a.Authorize(t.Context(), r)); got != "jwt:alice" {
		t.Error(got)
	}
	for name, o := range map[string]JWT{
		"nothing":            {},
		"both":               {JWKSURL: "https://keys.test/", Secret: testSecret},
		"a short secret":     {Secret: testSecret[1:]},
		"no URL":             {JWKSURL: "keys.test"},
		"a file":             {JWKSURL: "file:///canary"},
		"a URL that is none": {JWKSURL: "https://a:canary@keys.test:x/"},
	} {
		if _, err := New(Options{Mode: ModeJWT, JWT: o}); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// I4: a token that has expired ends nothing that goes on, unless that is wanted; it is no guess, whatever it is.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lenient := must(t, Options{Mode: ModeJWT, JWT: JWT{Secret: testSecret}})
		strict := must(t, Options{Mode: ModeJWT, JWT: JWT{Secret: testSecret, EnforceExpiry: true}})
		r := Request{Action: Publish, Stream: "auth_1", Credentials: Credentials{Token: sign(t, jose.HS256, []byte(testSecret), "", good(nil))}}
		p, err := lenient.Authorize(t.Context(), r)
		if err != nil || !p.Expires.Equal(time.Now().Add(time.Hour)) {
			t.Fatalf("%v %v", p, err)
		}
		if !lenient.Holds(p, Publish, "auth_1") || !strict.Holds(p, Publish, "auth_1") || strict.Holds(p, Publish, "studio") {
			t.Error("the rights don't hold as they were given")
		}
		if got := outcome(lenient.Renew(t.Context(), p, r)); got != "jwt:alice" {
			t.Error(got)
		}
		time.Sleep(time.Hour + leeway + time.Second)
		if !lenient.Holds(p, Publish, "auth_1") || strict.Holds(p, Publish, "auth_1") {
			t.Error("expiry")
		}
		for i := range 2 * maxFailures {
			if got := outcome(lenient.Authorize(t.Context(), r)) + outcome(lenient.Renew(t.Context(), p, r)); got != "invalidinvalid" {
				t.Errorf("%d: %s", i, got)
			}
		}
	})
}

// FuzzToken holds the reading of tokens to its word: nothing without a right signature gets in, and nothing panics.
func FuzzToken(f *testing.F) {
	payload, _ := json.Marshal(good(nil))
	f.Add(handmade(`{"alg":"none"}`, string(payload), nil))
	f.Add(handmade(`{"alg":"HS256"}`, string(payload), bytes.Repeat([]byte("x"), 32)))
	f.Add(handmade(`{"alg":"ES256","kid":"p256","crit":["b64"],"b64":false}`, "{}", bytes.Repeat([]byte("x"), 64)))
	f.Add("..")
	signedWith := must(f, Options{Mode: ModeJWT, JWT: JWT{Secret: testSecret}}).(*tokens)
	keys := withKeys(f, serve(public("p256", ring()["p256"]))).(*tokens)
	f.Fuzz(func(t *testing.T, token string) {
		for _, a := range []*tokens{signedWith, keys} {
			if p, err := a.who(t.Context(), Credentials{Token: token}); err == nil {
				t.Errorf("%q is %s", token, p.Name)
			}
		}
	})
}

// FuzzClaims reads payloads whose signature was right.
func FuzzClaims(f *testing.F) {
	payload, _ := json.Marshal(good(nil))
	f.Add(payload)
	f.Add([]byte(`{"exp":1e300,"aud":"sluice","mediamtx_permissions":[{"action":"read","path":"~x"}]}`))
	a := must(f, Options{Mode: ModeJWT, JWT: JWT{Secret: testSecret}}).(*tokens)
	f.Fuzz(func(t *testing.T, payload []byte) {
		p, err := a.principal(payload)
		if err != nil {
			return
		}
		for _, g := range p.Grants {
			if err := g.check(); err != nil {
				t.Errorf("%s", err)
			}
		}
		if over(p) && p.Expires.Year() > 40_000 {
			t.Errorf("%v is over", p.Expires)
		}
		if !strings.HasPrefix(p.Name, "jwt:") || len(p.Name) > 4+maxUser {
			t.Errorf("%q", p.Name)
		}
	})
}
