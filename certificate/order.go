package certificate

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/acme"
)

// The kinds of challenges that we answer (RFC 8555 8.3, RFC 8737).
const (
	overHTTP = "http-01"
	overTLS  = "tls-alpn-01"
)

// abandonTimeout bounds giving back what an order that failed left open.
const abandonTimeout = 5 * time.Second

// errNoChallenge means that the authority wants a proof that we can't give.
var errNoChallenge = errors.New("the authority offers no challenge that this gateway answers")

// challengeError says which kind of proof failed.
type challengeError struct {
	kind string
	err  error
}

func (e *challengeError) Error() string { return e.kind + ": " + e.err.Error() }
func (e *challengeError) Unwrap() error { return e.err }

// order gets a certificate. An authority that has forgotten our account, as one for tests does when it starts anew, gets
// a second try with a new one.
func (a *authority) order(ctx context.Context, host string) (*tls.Certificate, error) {
	pair, err := a.tryAll(ctx, host)
	unknown := func(r refusal) bool { return r.what() == "accountDoesNotExist" }
	if slices.ContainsFunc(problems(err), unknown) {
		a.forgetAccount()
		pair, err = a.tryAll(ctx, host)
	}
	return pair, err
}

// tryAll proves that the host is ours and gets a certificate for it: one order for each kind of challenge, until one is
// good (RFC 8555 7.1).
func (a *authority) tryAll(ctx context.Context, host string) (*tls.Certificate, error) {
	if err := a.register(ctx); err != nil {
		return nil, fmt.Errorf("make an account: %w", err)
	}
	var failures []error
	for _, kind := range a.kinds() {
		o, err := a.prove(ctx, host, kind)
		if err == nil {
			return a.finish(ctx, host, o)
		}
		failures = append(failures, err)
		var refused *challengeError
		if !errors.As(err, &refused) {
			break // another challenge mends nothing
		}
	}
	return nil, errors.Join(failures...)
}

// kinds are the challenges to try. HTTP-01 comes first: the gateway's HTTPS is often not on port 443.
func (a *authority) kinds() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.overWeb {
		return []string{overHTTP, overTLS}
	}
	return []string{overTLS}
}

// register makes or finds our account, once.
func (a *authority) register(ctx context.Context) error {
	a.registering.Lock()
	defer a.registering.Unlock()
	if a.registered {
		return nil
	}
	if a.client.Key == nil {
		key, err := a.accountKey()
		if err != nil {
			return err
		}
		a.client.Key = key
	}
	if _, err := a.client.Register(ctx, &acme.Account{}, acme.AcceptTOS); err != nil && !errors.Is(err, acme.ErrAccountAlreadyExists) {
		return err
	}
	a.registered = true
	return nil
}

func (a *authority) forgetAccount() {
	a.registering.Lock()
	defer a.registering.Unlock()
	a.registered = false
}

// prove opens an order and answers its challenges. The order that it returns is ready for its certificate.
func (a *authority) prove(ctx context.Context, host, kind string) (*acme.Order, error) {
	o, err := a.client.AuthorizeOrder(ctx, acme.DomainIDs(host))
	if err != nil {
		return nil, fmt.Errorf("open an order: %w", err)
	}
	if o.Status == acme.StatusReady {
		return o, nil
	}
	for _, u := range o.AuthzURLs {
		if err = a.authorize(ctx, host, kind, u); err != nil {
			a.abandon(ctx, u)
			return nil, err
		}
	}
	if o, err = a.client.WaitOrder(ctx, o.URI); err != nil {
		return nil, fmt.Errorf("wait for the order: %w", err)
	}
	return o, nil
}

// authorize answers the challenge of one authorization and waits for the authority's word.
func (a *authority) authorize(ctx context.Context, host, kind, url string) error {
	z, err := a.client.GetAuthorization(ctx, url)
	if err != nil {
		return fmt.Errorf("read the authorization: %w", err)
	}
	if z.Status == acme.StatusValid {
		return nil
	}
	for _, c := range z.Challenges {
		if c.Type != kind {
			continue
		}
		withdraw, err := a.answer(host, c)
		if err != nil {
			return fmt.Errorf("answer the challenge: %w", err)
		}
		defer withdraw()
		if _, err = a.client.Accept(ctx, c); err != nil {
			return &challengeError{kind, err}
		}
		if _, err = a.client.WaitAuthorization(ctx, url); err != nil {
			return &challengeError{kind, err}
		}
		return nil
	}
	return &challengeError{kind, errNoChallenge}
}

// abandon gives an authorization back that is still open, since an account may have only so many of them.
func (a *authority) abandon(ctx context.Context, url string) {
	actx, cancel := context.WithTimeout(ctx, abandonTimeout)
	defer cancel()
	if z, err := a.client.GetAuthorization(actx, url); err == nil && z.Status == acme.StatusPending {
		_ = a.client.RevokeAuthorization(actx, url) // it ends by itself after some days
	}
}

// finish has the authority sign a fresh key, and keeps what comes back.
func (a *authority) finish(ctx context.Context, host string, o *acme.Order) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{host}}, key)
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	chain, _, err := a.client.CreateOrderCert(ctx, o.FinalizeURL, csr, true)
	if err != nil {
		return nil, fmt.Errorf("get the certificate: %w", err)
	}
	text, err := encodePair(key, chain)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	if err = pair.Leaf.VerifyHostname(host); err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	if err = writeFile(a.file(host), text); err != nil {
		a.log.Warn("the certificate can't be kept: the next start asks for another", "host", host, "err", err)
	}
	return &pair, nil
}
