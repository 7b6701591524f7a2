package doctor

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const (
	pageTimeout = 8 * time.Second
	maxPage     = 1 << 20 // bytes
)

// door is the HTTP port of the gateway.
type door struct {
	base   *url.URL     // scheme and host
	token  string       // "": none is sent
	agent  string       // fixed
	client *http.Client // any certificate will do: that is looked at apart
}

// page is an answer that has been read.
type page struct {
	status int
	header http.Header
	body   []byte
	tls    *tls.ConnectionState // nil: plain HTTP
	remote netip.AddrPort       // who has answered
	sent   time.Time            // when the request was, and took how long it was under way
	took   time.Duration
}

func newDoor(base *url.URL, serverName, agent string) *door {
	return &door{
		base: base, agent: agent,
		client: &http.Client{
			Timeout: pageTimeout,
			Transport: &http.Transport{
				TLSClientConfig: &tls.Config{
					MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, //nolint:gosec // see door
					ServerName: serverName,
				},
				DisableKeepAlives: true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// at is the URL of a path of the gateway.
func (d *door) at(path ...string) string { return d.base.JoinPath(path...).String() }

// get asks for a path.
func (d *door) get(ctx context.Context, path ...string) (*page, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.at(path...), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", d.agent)
	if d.token != "" {
		r.Header.Set("Authorization", "Bearer "+d.token)
	}
	p := &page{sent: time.Now()}
	r = r.WithContext(p.watched(ctx))
	w, err := d.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer w.Body.Close()
	p.took = time.Since(p.sent)
	p.status, p.header, p.tls = w.StatusCode, w.Header, w.TLS
	p.body, err = io.ReadAll(io.LimitReader(w.Body, maxPage))
	return p, err
}

// watched notes who answers.
func (p *page) watched(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if a, ok := i.Conn.RemoteAddr().(*net.TCPAddr); ok {
			p.remote = netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), a.AddrPort().Port())
		}
	}})
}

// problem is an error of the gateway's (RFC 9457).
type problem struct{ Type, Detail string }

const problemPrefix = "urn:sluice:problem:"

// problem is what went wrong, in the gateway's words; ok is false if it is no gateway that says so.
func (p *page) problem() (slug, detail string, ok bool) {
	var out problem
	if t, _, _ := mime.ParseMediaType(p.header.Get("Content-Type")); t != "application/problem+json" {
		return "", "", false
	}
	if json.Unmarshal(p.body, &out) != nil {
		return "", "", false
	}
	slug, ok = strings.CutPrefix(out.Type, problemPrefix)
	return slug, out.Detail, ok
}

func hostAddr(host string) netip.Addr {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}

// isLoopback reports whether a host is this machine, whatever its network.
func isLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || hostAddr(host).IsLoopback()
}

// hostPort is the host and port of a URL, with the port that its scheme stands for.
func hostPort(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}
