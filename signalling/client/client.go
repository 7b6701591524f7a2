package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Protocol says what is asked of the server.
type Protocol string

// The protocols: WHIP sends media to the server, WHEP receives media from it.
const (
	WHIP Protocol = "whip"
	WHEP Protocol = "whep"
)

// Options say which endpoint to talk to.
type Options struct {
	Protocol  Protocol
	URL       string         // http:// or https://, or the protocol's own whip:// and whips://, whep:// and wheps://
	Token     string         // sent as Bearer to the URL's own origin; "": none
	UserAgent string         // "Sluice/1.2"
	RootCAs   *x509.CertPool // who may vouch for the server; nil: the system's

	// TLSInsecure accepts any certificate, and may hand the token to anybody: it is for diagnosis.
	TLSInsecure bool
}

// Client makes sessions at one endpoint. It may be used from any goroutine.
type Client struct {
	options   Options // fixed after New
	endpoint  target  // fixed after New
	transport *http.Transport
}

const maxHeader = 64 << 10 // bytes of a response's header

// New checks the options. Its errors say what is wrong with them, without a secret.
//
// No proxy is used, whatever the environment names: media could not go that way either. Each request has a
// connection of its own, since they are seconds to days apart.
func New(o Options) (*Client, error) {
	at, err := o.endpoint()
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fmt.Errorf("the token for %s has blanks or characters that HTTP can't carry", origin(at))
	}
	dialer := net.Dialer{ControlContext: refuseMetadata}
	return &Client{
		options:  o,
		endpoint: target{url: at, trusted: true},
		transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs, InsecureSkipVerify: o.TLSInsecure}, //nolint:gosec // as documented
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeader,
		},
	}, nil
}

func (o Options) endpoint() (*url.URL, error) {
	own := string(o.Protocol)
	form := fmt.Sprintf("it needs the form %ss://host/path (or %s:// without TLS), with special characters percent-encoded", own, own)
	u, err := url.Parse(strings.TrimSpace(o.URL))
	if err != nil {
		return nil, fmt.Errorf("the %s URL is not valid: %s", strings.ToUpper(own), form)
	}
	switch u.Scheme {
	case own:
		u.Scheme = "http"
	case own + "s":
		u.Scheme = "https"
	}
	switch {
	case !isHTTP(u):
		return nil, fmt.Errorf("the %s URL has another scheme: %s", strings.ToUpper(own), form)
	case u.Hostname() == "":
		return nil, fmt.Errorf("the %s URL names no host: %s", strings.ToUpper(own), form)
	case !validHost(u.Host):
		return nil, fmt.Errorf("the %s URL has a port that is none; 1 to 65535 are ports: %s", strings.ToUpper(own), form)
	case u.User != nil:
		return nil, fmt.Errorf("the URL of %s has a user or password, which WHIP and WHEP don't know: a secret is given as token", origin(u))
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// Host is the scheme and host of the endpoint, which is as much of its URL as may be shown.
func (c *Client) Host() string { return origin(c.endpoint.url) }

// Loopback reports whether the endpoint is on this machine, as far as its URL tells.
func (c *Client) Loopback() bool {
	host := c.endpoint.url.Hostname()
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}

// Post makes a session of an offer. It follows up to five redirects that keep the method (307, 308), and sends the
// token to the URL's own origin alone. A WHEP server may refuse the offer and make one itself:
// see Session.CounterOffer.
//
// Errors are *StatusError, *RedirectError, *ProtocolError, *UnreachableError and those of ctx.
func (c *Client) Post(ctx context.Context, offer string) (*Session, error) {
	resp, err := c.exchange(ctx, c.endpoint, request{method: http.MethodPost, contentType: typeSDP, body: offer})
	if err != nil {
		return nil, err
	}
	located := resp.header.Get("Location") != ""
	counter := resp.status == http.StatusNotAcceptable && c.options.Protocol == WHEP && resp.is(typeSDP)
	if resp.status != http.StatusCreated && (resp.status != http.StatusOK || !located) && !counter {
		return nil, c.refused(http.MethodPost, resp)
	}
	s := newSession(c, resp, counter)
	if err := s.check(resp); err != nil {
		_ = s.Delete(ctx) // what can't be used is not left behind
		return nil, err
	}
	return s, nil
}

// refused is the error for an answer that the request does not allow for.
func (c *Client) refused(method string, r *response) error {
	host := origin(r.from.url)
	if r.status/100 == 2 {
		return &ProtocolError{Host: host, Reason: fmt.Sprintf("answers %s with status %d, which is not what a %s endpoint says: check the URL",
			method, r.status, strings.ToUpper(string(c.options.Protocol)))}
	}
	after, _ := parseRetryAfter(r.header.Get("Retry-After"), time.Now())
	return &StatusError{
		Method: method, Host: host, Status: r.status, RetryAfter: after,
		Detail:        detail(r, c.secrets(r.from.url)),
		TokenWithheld: c.options.Token != "" && !r.from.trusted,
	}
}

// secrets is what a server might repeat in its words to us, the longest first.
func (c *Client) secrets(urls ...*url.URL) []string {
	var all []string
	for _, u := range append(urls, c.endpoint.url) {
		all = append(all, u.String(), u.RequestURI(), u.Path)
		all = append(all, strings.Split(u.Path, "/")...)
		all = append(all, strings.Split(u.EscapedPath(), "/")...)
		for _, values := range u.Query() {
			all = append(all, values...)
		}
	}
	all = slices.DeleteFunc(all, func(s string) bool { return len(s) < minSecret })
	if c.options.Token != "" {
		all = append(all, c.options.Token)
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(all)
}
