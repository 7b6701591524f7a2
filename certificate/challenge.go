package certificate

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/acme"
)

// challengePath is where an authority looks for the answer to HTTP-01 (RFC 8555 8.3).
const challengePath = "/.well-known/acme-challenge/"

// answer has the challenge answered from now on, until withdraw is called.
func (a *authority) answer(host string, c *acme.Challenge) (withdraw func(), err error) {
	switch c.Type {
	case overHTTP:
		text, err := a.client.HTTP01ChallengeResponse(c.Token)
		if err != nil {
			return nil, err
		}
		path := a.client.HTTP01ChallengePath(c.Token)
		a.locked(func() { a.tokens[path] = text })
		return func() { a.locked(func() { delete(a.tokens, path) }) }, nil
	case overTLS:
		proof, err := a.client.TLSALPN01ChallengeCert(c.Token, host)
		if err != nil {
			return nil, err
		}
		a.locked(func() { a.proofs[host] = &proof })
		return func() { a.locked(func() { delete(a.proofs, host) }) }, nil
	}
	return nil, fmt.Errorf("%w: %s", errNoChallenge, c.Type)
}

func (a *authority) locked(do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	do()
}

func (a *authority) httpHandler(next http.Handler) http.Handler {
	a.locked(func() { a.overWeb = true })
	if next == nil {
		next = http.HandlerFunc(a.redirect)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, challengePath) {
			next.ServeHTTP(w, r)
			return
		}
		var text string
		a.locked(func() { text = a.tokens[r.URL.Path] })
		if text == "" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write([]byte(text)) // the authority may have gone: it tells us so itself
	})
}

// redirect sends plain HTTP to HTTPS. A Host that is none of ours gets no redirect: it would be one to anywhere.
func (a *authority) redirect(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if !slices.Contains(a.hosts, host) {
		http.Error(w, "This port sends visitors of "+strings.Join(a.hosts, ", ")+" to https.", http.StatusMisdirectedRequest)
		return
	}
	if a.port != 0 && a.port != 443 {
		host = net.JoinHostPort(host, strconv.Itoa(int(a.port)))
	}
	http.Redirect(w, r, "https://"+host+r.URL.RequestURI(), http.StatusPermanentRedirect)
}
