package e2e

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"sluice/auth"
)

// guest shows the tests' client's token to gateways that want one. Gateways with TLS have certificates of their own.
type guest struct {
	*http.Transport
	tokens sync.Map // by host and port of the gateway
}

func newGuest() *guest {
	return &guest{Transport: &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see guest
	}}
}

// show has the client show a token to a gateway until the end of the test.
func (g *guest) show(t testing.TB, gateway, token string) {
	t.Helper()
	u, err := url.Parse(gateway)
	if err != nil {
		t.Fatal(err)
	}
	g.tokens.Store(u.Host, token)
	t.Cleanup(func() { g.tokens.Delete(u.Host) })
}

// RoundTrip implements http.RoundTripper.
func (g *guest) RoundTrip(r *http.Request) (*http.Response, error) {
	if token, ok := g.tokens.Load(r.URL.Host); ok && r.Header.Get("Authorization") == "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+token.(string))
	}
	return g.Transport.RoundTrip(r)
}

// closedTest is the test whose gateways want a token of everybody.
const closedTest = "TestAgainClosed"

// closedConfig makes a user who may do everything, alone, if the test is one of closedTest; "" otherwise.
func closedConfig(t testing.TB) (config, token string) {
	t.Helper()
	if !strings.HasPrefix(t.Name(), closedTest+"/") {
		return "", ""
	}
	token, hash := auth.NewToken()
	return fmt.Sprintf("auth.mode = \"internal\"\nauth.users = [{ name = \"tests\", tokens = [%q], "+
		"allow = [{ actions = [\"publish\", \"play\", \"admin\", \"metrics\"], streams = [\"*\"] }] }]\n", hash), token
}
