package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// askTimeout is what another server has for an answer.
const askTimeout = 3 * time.Second

// newClient makes a client whose connections stay open between requests, and close by themselves.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: askTimeout}).DialContext,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       30 * time.Second,
		TLSHandshakeTimeout:   askTimeout,
		ResponseHeaderTimeout: askTimeout,
		ForceAttemptHTTP2:     true,
	}}
}

// following is c with a policy of redirects of its own, and without cookies.
func following(c *http.Client, policy func(*http.Request, []*http.Request) error) *http.Client {
	return &http.Client{Transport: c.Transport, CheckRedirect: policy}
}

// noRedirect has a redirect taken for the answer.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// sameHost follows few redirects, and none to another host or to plain HTTP.
func sameHost(r *http.Request, via []*http.Request) error {
	if first := via[0].URL; r.URL.Host != first.Host || r.URL.Scheme != first.Scheme || len(via) > 3 {
		return errors.New("it redirects to another host, or in a circle")
	}
	return nil
}

// lasting is for a request that goes on for askTimeout at most, also when whoever waits for it has gone: others wait for
// it as well, or it counts against a limit.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
}

// do makes a request and reads an answer of at most limit bytes. The errors hold no URL.
func do(ctx context.Context, c *http.Client, r *http.Request, limit int64) (status int, body []byte, err error) {
	w, err := c.Do(r.WithContext(ctx))
	if err != nil {
		return 0, nil, withoutURL(err)
	}
	defer w.Body.Close()
	body, err = io.ReadAll(io.LimitReader(w.Body, limit+1))
	if err != nil {
		return 0, nil, fmt.Errorf("read the answer: %w", err)
	}
	if int64(len(body)) > limit {
		return w.StatusCode, nil, fmt.Errorf("the answer is longer than %d bytes", limit)
	}
	return w.StatusCode, body, nil
}

// withoutURL is what went wrong, without the URL that net/http puts before it.
func withoutURL(err error) error {
	if u := new(url.Error); errors.As(err, &u) {
		return u.Err
	}
	return err
}

// checkURL returns what is wrong with a URL that requests go to, without quoting it.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("must be a URL that begins with https:// or http://")
	}
	return nil
}
