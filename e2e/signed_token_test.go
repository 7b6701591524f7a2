package e2e

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"sluice/media"
)

// issuer signs tokens, and tells its public key as a JSON Web Key Set.
type issuer struct {
	*httptest.Server

	mu  sync.Mutex
	kid string             // guarded by mu
	key ed25519.PrivateKey // guarded by mu
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{}
	i.renew(t, "first")
	i.Server = httptest.NewServer(http.HandlerFunc(i.tell))
	t.Cleanup(i.Close)
	return i
}

// renew makes another key, which is the only one from then on.
func (i *issuer) renew(t *testing.T, kid string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.kid, i.key = kid, key
}

func (i *issuer) tell(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	x := base64.RawURLEncoding.EncodeToString(i.key.Public().(ed25519.PublicKey))
	fmt.Fprintf(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":%q,"x":%q}]}`, i.kid, x)
}

// token signs one for a subject who may do things with all streams, until some time.
func (i *issuer) token(t *testing.T, subject string, expires time.Time, actions ...string) string {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	encode := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	signed := encode(map[string]any{"alg": "EdDSA", "typ": "JWT", "kid": i.kid}) + "." + encode(map[string]any{
		"sub": subject, "aud": "sluice", "iss": i.URL, "exp": expires.Unix(),
		"sluice": []any{map[string]any{"actions": actions, "streams": []string{"*"}}},
	})
	return signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(i.key, []byte(signed)))
}

// startSigned is startGateway for one that believes an issuer, who looks after it for the test.
func startSigned(t *testing.T, i *issuer, config string) *gatewayProcess {
	t.Helper()
	g := startGateway(t, fmt.Sprintf("auth.mode = \"jwt\"\nauth.jwt.jwks_url = %q\nauth.jwt.issuer = %q\nauth.jwt.audience = \"sluice\"\n", i.URL+"/keys", i.URL)+config)
	visitor.show(t, g.URL, i.token(t, "admin", time.Now().Add(time.Hour), "admin", "play"))
	return g
}

// TestKeysChange has the issuer of tokens change its key: tokens of the new one are believed as soon as one comes, and
// those of the old one not any more; who plays goes on.
//
// Proves I4 as seen by viewers.
func TestKeysChange(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	g := startSigned(t, i, fmt.Sprintf("streams.cam.source = %q\n", startCameraOf(t, media.VP8)))
	g.awaitState(t, "cam", "ready", cameraLimit)
	fetched := time.Now()
	later := time.Now().Add(time.Hour)
	p := openBrowser(t, chromium).open(t, g.page("cam"))
	p.signIn(i.token(t, "ann", later, "play"))
	p.awaitAddress("/cam/")
	p.awaitPicture(10)
	if s := g.awaitRole(t, "cam", "play", 1)[0]; s.Principal != "jwt:ann" {
		t.Errorf("the session is that of %q", s.Principal)
	}

	old := i.token(t, "bob", later, "play")
	i.renew(t, "second")
	may := func(token string) int {
		r, _ := g.call(t, "GET", "api/v1/streams/cam", "", "Authorization", "Bearer "+token)
		return r.StatusCode
	}
	fresh := i.token(t, "bob", later, "play")
	time.Sleep(time.Until(fetched.Add(keysRetry))) // the keys are asked for no more often
	if status := may(fresh); status != http.StatusOK {
		t.Errorf("a token of the new key: %d", status)
	}
	if status := may(old); status != http.StatusUnauthorized {
		t.Errorf("a token of the old key: %d", status)
	}
	p.awaitPicture(10)
	g.checkNotSaid(t, old, fresh)
}

// keysRetry is the least time between two questions for keys (I4), and a moment.
const keysRetry = 30*time.Second + 500*time.Millisecond

// TestTokenExpires plays with a token that is about to expire: the session ends, and the page says why it does not play.
//
// Proves I4 for enforce_exp.
func TestTokenExpires(t *testing.T) {
	t.Parallel()
	const leeway, patrol = 30 * time.Second, 10 * time.Second
	i := newIssuer(t)
	g := startSigned(t, i, fmt.Sprintf("auth.jwt.enforce_exp = true\nstreams.cam.source = %q\n", startCameraOf(t, media.VP8)))
	g.awaitState(t, "cam", "ready", cameraLimit)
	p := openBrowser(t, chromium).open(t, g.URL+"healthz") // a browser may take its time to start
	expires := time.Now().Add(25*time.Second - leeway).Truncate(time.Second)
	p.leave(g.URL + "login?next=%2Fcam%2F#token=" + i.token(t, "ann", expires, "play"))
	p.awaitAddress("/cam/")
	p.awaitPicture(5)
	born := p.look().Born
	p.awaitBanner("error", time.Until(expires.Add(leeway+patrol))+noticeLimit, "Sign in to watch this stream")
	if p.look().Born != born || time.Now().Before(expires.Add(leeway)) {
		t.Error("the session ended before the token")
	}
	g.awaitRole(t, "cam", "play", 0)
}

// noticeLimit is for a page to see that its session was ended, and to ask again.
const noticeLimit = 20 * time.Second
