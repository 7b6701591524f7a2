package client

import (
	"context"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

const (
	requestTimeout = 10 * time.Second
	maxRedirects   = 5
	maxBody        = 128 << 10 // bytes (C9)

	typeSDP      = "application/sdp"
	typeFragment = "application/trickle-ice-sdpfrag"
)

// request is one request, whose body can be sent again.
type request struct {
	method            string
	contentType, body string // "": none
	ifMatch           string // "": none
}

// response is an answer that has been read.
type response struct {
	status   int
	header   http.Header
	body     string // the first maxBody bytes
	tooLarge bool   // there is more
	broken   error  // why the body could not be read to its end
	from     target // who answered, after all redirects
}

// is reports whether the body is of a media type.
func (r *response) is(mediaType string) bool {
	t, _, err := mime.ParseMediaType(r.header.Get("Content-Type"))
	return err == nil && t == mediaType
}

// exchange sends a request to where redirects lead.
func (c *Client) exchange(ctx context.Context, to target, r request) (*response, error) {
	for range maxRedirects + 1 {
		resp, err := c.ask(ctx, to, r)
		if err != nil {
			return nil, err
		}
		if !redirects(resp.status) {
			return resp, nil
		}
		if to, err = follow(r.method, resp); err != nil {
			return nil, err
		}
	}
	return nil, &RedirectError{Host: origin(to.url), Reason: "that is one redirect too many"}
}

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// follow is where a redirect leads. One that would turn a POST into a GET is not followed (RFC 9725 4.5).
func follow(method string, r *response) (target, error) {
	refused := &RedirectError{Host: origin(r.from.url), Status: r.status}
	next, fault := r.from.resolve(r.header.Get("Location"))
	switch {
	case r.header.Get("Location") == "":
		refused.Reason = "it does not say where to"
	case fault != "":
		refused.Reason = fault
	case r.status != http.StatusTemporaryRedirect && r.status != http.StatusPermanentRedirect:
		refused.Reason = "that status turns a " + method + " into a GET. Configure the URL that it redirects to (on " + origin(next.url) +
			"), or let the server answer 307 or 308"
	default:
		return next, nil
	}
	return target{}, refused
}

// ask sends a request once.
func (c *Client) ask(ctx context.Context, to target, r request) (*response, error) {
	timed, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	hr, err := http.NewRequestWithContext(timed, r.method, to.url.String(), strings.NewReader(r.body))
	if err != nil {
		return nil, &ProtocolError{Host: origin(to.url), Reason: "its URL can't be asked"}
	}
	c.dress(hr, to, r)
	// RoundTrip rather than Do: no redirects, no cookies, and no URL in the errors.
	w, err := c.transport.RoundTrip(hr)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &UnreachableError{Host: origin(to.url), Err: err}
	}
	defer w.Body.Close()
	resp := &response{status: w.StatusCode, header: w.Header, from: to}
	if redirects(w.StatusCode) {
		return resp, nil
	}
	body, err := io.ReadAll(io.LimitReader(w.Body, maxBody+1))
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	resp.broken, resp.tooLarge = err, len(body) > maxBody
	resp.body = string(body[:min(len(body), maxBody)])
	return resp, nil
}

func (c *Client) dress(hr *http.Request, to target, r request) {
	hr.Header.Set("User-Agent", c.options.UserAgent)
	if r.contentType != "" {
		hr.Header.Set("Content-Type", r.contentType)
	}
	if r.ifMatch != "" {
		hr.Header.Set("If-Match", r.ifMatch)
	}
	if c.options.Token != "" && to.trusted {
		hr.Header.Set("Authorization", "Bearer "+c.options.Token)
	}
}
