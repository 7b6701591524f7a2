package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
)

const (
	// protoChallenge is the protocol of TLS-ALPN-01 challenges (RFC 8737 4).
	protoChallenge = acme.ALPNProto
	// orderTimeout bounds one try for a certificate.
	orderTimeout = 3 * time.Minute
	// Tries after a failure wait longer each time: Let's Encrypt allows 5 failed validations of a name an hour.
	minRetry, maxRetry = 5 * time.Minute, time.Hour
	// tellInterval is how often a handshake that fails for want of a certificate is told.
	tellInterval = time.Minute
)

// authority gets a certificate for each host from a certificate authority and renews it. Handshakes never wait for it.
type authority struct {
	// fixed after newAuthority
	hosts  []string // lower case, ASCII
	port   uint16
	dir    string // where the account's key and the certificates are kept
	client *acme.Client
	web    *http.Client
	log    *slog.Logger

	registering sync.Mutex // held while the account is made; before mu
	registered  bool

	mu      sync.Mutex
	certs   map[string]*tls.Certificate // by host
	proofs  map[string]*tls.Certificate // by host; answers to TLS-ALPN-01
	tokens  map[string]string           // by path; answers to HTTP-01
	overWeb bool                        // HTTP-01 is answered
	reasons map[string]string           // by host; why there is no certificate
	told    map[string]time.Time        // by host; when that was last told
}

func newAuthority(o Options) (*authority, error) {
	hosts, err := publicHosts(o.Hosts)
	if err != nil {
		return nil, err
	}
	dir, err := stateDir(o.StateDir)
	if err != nil {
		return nil, err
	}
	directory := o.Directory
	if directory == "" {
		directory = acme.LetsEncryptURL
	}
	if dir, err = authorityDir(dir, directory); err != nil {
		return nil, err
	}
	a := &authority{
		hosts: hosts, port: o.HTTPSPort, web: o.Client, log: o.Log,
		dir: dir, certs: map[string]*tls.Certificate{}, proofs: map[string]*tls.Certificate{}, tokens: map[string]string{},
		reasons: map[string]string{}, told: map[string]time.Time{},
	}
	if a.web == nil {
		a.web = &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 10 * time.Second}, Timeout: 30 * time.Second}
	}
	a.client = &acme.Client{DirectoryURL: directory, HTTPClient: a.web, UserAgent: "sluice"}
	for _, h := range hosts {
		a.reasons[h] = "the certificate authority is being asked"
		a.load(h)
	}
	return a, nil
}

// publicHosts brings the hosts into the form that handshakes and orders have.
func publicHosts(hosts []string) ([]string, error) {
	if len(hosts) == 0 {
		return nil, errors.New("http.acme_hosts: is empty: name the hosts to get certificates for")
	}
	var out []string
	for _, h := range hosts {
		name, ok := hostName(h)
		if _, err := netip.ParseAddr(h); err == nil || !ok || !strings.Contains(name, ".") {
			return nil, fmt.Errorf("http.acme_hosts: %q is not a host name that an authority gives a certificate for "+
				"(a full name with its domain; other scripts than Latin in their form xn--…)", h)
		}
		out = append(out, name)
	}
	return out, nil
}

// certificate answers challenges and handshakes. Without a name that of the first host is shown: TURN over TLS is often
// spoken without one.
func (a *authority) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if host == "" {
		host = a.hosts[0]
	}
	if len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == protoChallenge {
		return a.proof(host)
	}
	c, tell, err := a.shown(host, time.Now())
	if tell {
		a.log.Warn("a TLS handshake failed", "host", host, "remote", remote(hello), "err", err)
	}
	return c, err
}

// proof is the certificate that answers a challenge (RFC 8737 3).
func (a *authority) proof(host string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.proofs[host]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("no challenge is under way for %q", host)
}

// shown is the certificate of a host, or why there is none and whether that has to be told again.
func (a *authority) shown(host string, now time.Time) (c *tls.Certificate, tell bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c = a.certs[host]; c != nil {
		return c, false, nil
	}
	why, ours := a.reasons[host]
	if !ours {
		return nil, false, &UnknownHostError{host}
	}
	if tell = now.Sub(a.told[host]) >= tellInterval; tell {
		a.told[host] = now
	}
	return nil, tell, &NoCertificateError{host, why}
}

func remote(hello *tls.ClientHelloInfo) string {
	if hello.Conn == nil {
		return ""
	}
	return hello.Conn.RemoteAddr().String()
}

func (a *authority) leaf() *x509.Certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.certs[a.hosts[0]]; c != nil {
		return c.Leaf
	}
	return nil
}

// reload has nothing to do: run renews by dates.
func (a *authority) reload() error { return nil }

func (a *authority) run(ctx context.Context) {
	var hosts sync.WaitGroup
	for _, h := range a.hosts {
		hosts.Go(func() { a.keep(ctx, h) })
	}
	hosts.Wait()
	a.web.CloseIdleConnections()
}

// keep gets and renews the certificate of one host until ctx ends.
func (a *authority) keep(ctx context.Context, host string) {
	retry := minRetry
	for wait := a.due(host, time.Now()); ; {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if wait = a.due(host, time.Now()); wait > 0 { // a long wait may end early after the machine slept
			continue
		}
		err := a.renew(ctx, host)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			wait, retry = a.due(host, time.Now()), minRetry
		default:
			wait = max(retry, askedToWait(err))
			retry = min(2*retry, maxRetry)
			a.failed(host, err, wait)
		}
	}
}

// renew orders a certificate, keeps it and shows it from now on.
func (a *authority) renew(ctx context.Context, host string) error {
	octx, cancel := context.WithTimeout(ctx, orderTimeout)
	defer cancel()
	pair, err := a.order(octx, host)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.certs[host] = pair
	a.mu.Unlock()
	a.log.Info("the certificate authority gave a certificate", "host", host, "not_after", pair.Leaf.NotAfter)
	return nil
}

// failed tells why there is no new certificate, now and at handshakes.
func (a *authority) failed(host string, err error, wait time.Duration) {
	why := reason(host, err)
	a.mu.Lock()
	a.reasons[host] = why
	a.told[host] = time.Now()
	a.mu.Unlock()
	a.log.Warn("the certificate authority gave no certificate", "host", host, "err", why, "again_in", wait.String())
}

// due is how long until the certificate has to be renewed: when a third of its life is left, but not before 30 days are.
func (a *authority) due(host string, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.certs[host]
	if c == nil {
		return 0
	}
	left := min(c.Leaf.NotAfter.Sub(c.Leaf.NotBefore)/3, renewBefore)
	return max(0, c.Leaf.NotAfter.Add(-left).Sub(now))
}
