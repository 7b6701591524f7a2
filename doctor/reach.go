package doctor

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// Configuration is what a file says of itself: faults with which the gateway does not start, and warnings.
func Configuration(file string, streams int, faults, warnings []string) []Finding {
	var all []Finding
	for _, f := range faults {
		all = append(all, fail("configuration", f))
	}
	for _, w := range warnings {
		all = append(all, warn("configuration", w))
	}
	if len(faults) == 0 {
		all = append(all, ok("configuration: "+file+" is valid, with "+count(streams, "stream")))
	}
	return all
}

// reach looks whether a gateway answers. It follows a redirect of the whole host; page is nil if there is none.
func (e *examination) reach(ctx context.Context) (*page, []Finding) {
	var found []Finding
	for range 2 {
		p, err := e.door.get(ctx, "healthz")
		if err != nil {
			return nil, append(found, e.unreachable(ctx, err))
		}
		next := redirected(p)
		if next == nil {
			return e.recognise(ctx, p, found)
		}
		found = append(found, warn("redirect: "+e.door.base.String()+" leads to "+next.String(),
			"Players post their offers to the URL that they are given, and few follow a redirect: give them that one.", "--url "+next.String()))
		e.door = newDoor(next, "", e.o.UserAgent)
	}
	return nil, append(found, fail("URL: "+e.door.base.String(), "One redirect follows another. Give the URL in the end.", "--url https://HOST"))
}

// redirected is the scheme and host that an answer leads to; nil if it does not.
func redirected(p *page) *url.URL {
	if p.status/100 != 3 {
		return nil
	}
	u, err := url.Parse(p.header.Get("Location"))
	if err != nil || u.Host == "" {
		return nil
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}
}

// recognise looks whether it is a gateway that has answered, and whether it is ready.
func (e *examination) recognise(ctx context.Context, p *page, found []Finding) (*page, []Finding) {
	at := e.door.base.String()
	if slug, _, known := p.problem(); known && slug == "not_local" {
		return nil, append(found, fail("URL: "+at+" lets in its own machine alone",
			"Without authorisation (auth.mode = \"none\") everything is allowed, so nobody else is let in. `gateway init` writes users.",
			`auth.mode = "internal"`))
	}
	if p.tls == nil && p.status == http.StatusBadRequest && bytes.Contains(p.body, []byte("HTTPS")) {
		return nil, append(found, e.speaksTLS())
	}
	ready, err := e.door.get(ctx, "readyz")
	if err != nil || p.status != http.StatusOK || !bytes.Contains(p.body, []byte(`"ok"`)) || !isGateway(ready) {
		return nil, append(found, fail("URL: "+at+" is something else",
			"What answers there is no Sluice gateway, or a proxy that does not pass its paths on. Is it the port of http.listen?",
			"--url "+e.door.base.Scheme+"://"+e.door.base.Hostname()+":8889"))
	}
	if ready.status != http.StatusOK {
		_, detail, _ := ready.problem()
		return nil, append(found, fail("URL: the gateway at "+at+" is not ready", detail, startCommand))
	}
	return p, append(found, ok(fmt.Sprintf("URL: the gateway at %s answers in %s", at, short(p.took))))
}

func isGateway(ready *page) bool {
	_, _, known := ready.problem()
	return known || ready.status == http.StatusOK && bytes.Contains(ready.body, []byte(`"ready"`))
}

// plain tells what comes of a URL without TLS.
func (e *examination) plain(p *page) []Finding {
	setup := e.o.Setup
	switch {
	case p.tls != nil:
		return nil
	case setup != nil && setup.Proxied:
		return nil // a proxy has the certificate
	case setup != nil && isLoopbackListen(setup.Listen):
		return []Finding{warn("plain HTTP, on loopback", "Only this machine reaches the gateway: http.listen is "+setup.Listen+
			". For others, `gateway init` writes a file with users, which may be listened to from everywhere.", `http.listen = ":8889"`, `http.tls = "self-signed"`)}
	case isLoopback(e.door.base.Hostname()):
		return nil
	}
	return []Finding{warn("plain HTTP", "Tokens travel readable, and browsers give camera and microphone to secure pages only, so nobody can publish from one.",
		`http.tls = "self-signed"`, `# or http.tls = "acme" and http.acme_hosts = ["NAME"]`)}
}

func isLoopbackListen(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	return err == nil && isLoopback(host)
}

func (e *examination) speaksTLS() Finding {
	u := *e.door.base
	u.Scheme = "https"
	return fail("URL: "+e.door.base.String()+" speaks TLS", "The port is for HTTPS, and the URL is not.", "--url "+u.String())
}

// unreachable says why nobody has answered.
func (e *examination) unreachable(ctx context.Context, err error) Finding {
	u := e.door.base
	what := "URL: nobody answers at " + u.String()
	var dns *net.DNSError
	var network net.Error
	switch {
	case errors.As(err, new(tls.RecordHeaderError)), strings.Contains(err.Error(), "HTTP response to HTTPS client"): // of net/http, without a type
		plain := *u
		plain.Scheme = "http"
		return fail("URL: "+u.String()+" speaks no TLS", "The port is for plain HTTP, and the URL is not. Give the other URL, or the gateway a certificate.",
			"--url "+plain.String(), `http.tls = "self-signed"`)
	case u.Scheme == "http" && e.shakesHands(ctx):
		return e.speaksTLS()
	case errors.As(err, &dns):
		return fail(what, "The name "+u.Hostname()+" is not known: "+dns.Err+". Does its DNS entry exist?", "--url "+u.Scheme+"://ADDRESS")
	case errors.Is(err, syscall.ECONNREFUSED):
		return fail(what, "Nothing listens on that port. Does the gateway run, and is it the port of http.listen?", startCommand, `http.listen = ":`+portOf(u)+`"`)
	case errors.As(err, &network) && network.Timeout(), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fail(what, "No packet comes back. Open TCP port "+portOf(u)+" in every firewall on the way, and forward it if the gateway is behind a router.",
			openPort("tcp", portOf(u)))
	}
	return fail(what, "The connection is broken off before an answer: "+brief(err)+".", startCommand)
}

// startCommand has the gateway run.
const startCommand = "gateway --config FILE"

// brief is an error without the request that it is of.
func brief(err error) string {
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err.Error()
	}
	return err.Error()
}

// shakesHands reports whether a port speaks TLS.
func (e *examination) shakesHands(ctx context.Context) bool {
	d := tls.Dialer{
		NetDialer: &net.Dialer{Timeout: 3 * time.Second},
		Config:    &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}, //nolint:gosec // nothing is said over it
	}
	c, err := d.DialContext(ctx, "tcp", hostPort(e.door.base))
	if err != nil {
		return false
	}
	_ = c.Close() // it was opened to see that it can be
	return true
}

func portOf(u *url.URL) string {
	_, port, _ := net.SplitHostPort(hostPort(u)) // which has made it
	return port
}

// openPort is the command that lets packets in, on a machine with the usual firewall of Debian or Ubuntu.
func openPort(network, port string) string { return "sudo ufw allow " + port + "/" + network }

func short(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", max(1, d.Milliseconds()))
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
