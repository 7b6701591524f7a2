package client

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// ErrNoTrickle tells that the server takes no candidates after the offer. The session goes on without.
var ErrNoTrickle = errors.New("the server takes no further candidates")

// ErrNoLocation tells that the server has named no URL for the session: it can be neither changed nor ended.
var ErrNoLocation = errors.New("the server names no URL for the session (Location), so that it can be neither changed nor ended")

// What ends a session takes: C11 allows 3 s, but who is told to stop has 2 s for all of it.
const (
	deleteTimeout = 3 * time.Second
	hurryTimeout  = 1500 * time.Millisecond
)

// Session is a session at the server. Its fields are fixed after Post; its methods are for one goroutine at a time.
type Session struct {
	SDP          string // the server's answer, or its offer
	CounterOffer bool   // WHEP: SDP is an offer of the server, to be met with Answer

	ICEServers []ICEServer // for both sides, as the server says

	// Warning is an ErrNoLocation if a WHEP server has named no URL that can be used; nil for all others.
	Warning error

	client *Client
	at     target // the session's URL; zero if it has none
	etag   string // as the server wrote it; "" if it gave none
	takes  bool   // candidates
}

// newSession reads what an answer says of its session.
func newSession(c *Client, r *response, counter bool) *Session {
	s := &Session{SDP: r.body, CounterOffer: counter, client: c, etag: strongTag(r.header)}
	s.at, s.Warning = locate(r)
	s.ICEServers = iceServers(parseLinks(r.header.Values("Link")))
	s.takes = s.etag != "" || mayPatch(r.header)
	return s
}

// locate is the session's URL, relative to the one that answered.
func locate(r *response) (target, error) {
	location := strings.TrimSpace(r.header.Get("Location"))
	if location == "" {
		return target{}, ErrNoLocation
	}
	at, fault := r.from.resolve(location)
	if fault != "" {
		return target{}, &badLocation{fault}
	}
	return at, nil
}

// badLocation is ErrNoLocation where the server does name a URL.
type badLocation struct{ fault string }

func (e *badLocation) Error() string {
	return "the server names a URL for the session (Location) that is not used, as " + e.fault
}

func (e *badLocation) Is(err error) bool { return err == ErrNoLocation }

// strongTag keeps an entity tag as it is written, even without quotes. A weak one can't be used with If-Match
// (RFC 9110 13.1.1).
func strongTag(h http.Header) string {
	if tag := h.Get("ETag"); !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return ""
}

// mayPatch reports whether the server lists PATCH among its methods.
func mayPatch(h http.Header) bool {
	for _, value := range append(h.Values("Access-Control-Allow-Methods"), h.Values("Allow")...) {
		for method := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(method), http.MethodPatch) {
				return true
			}
		}
	}
	return len(h.Values("Accept-Patch")) > 0
}

// check says why the session can't be used.
func (s *Session) check(r *response) error {
	if r.broken != nil {
		return &UnreachableError{Host: origin(r.from.url), Err: r.broken}
	}
	if fault := sdpFault(r); fault != "" {
		return &ProtocolError{Host: origin(r.from.url), Reason: fault}
	}
	if s.Warning != nil && (s.CounterOffer || s.client.options.Protocol == WHIP) {
		return &ProtocolError{Host: origin(r.from.url), Reason: strings.TrimPrefix(s.Warning.Error(), "the server "), Err: s.Warning}
	}
	return nil
}

func sdpFault(r *response) string {
	switch {
	case !r.is(typeSDP):
		return "answers with something else than application/sdp: check the URL"
	case r.tooLarge:
		return "answers with more than 128 KiB of SDP"
	case strings.TrimSpace(r.body) == "":
		return "answers without SDP"
	}
	return ""
}

// Trickles reports whether the server may take candidates after the offer: it has given an ETag or lists PATCH, and
// has not refused any so far.
func (s *Session) Trickles() bool { return s.takes && s.at.url != nil }

// Trickle sends candidates (RFC 8840) of the present ICE generation. Where the server does not take any it returns
// ErrNoTrickle, which is no failure of the session; other errors are those of Client.Post.
func (s *Session) Trickle(ctx context.Context, fragment string) error {
	if !s.Trickles() {
		return ErrNoTrickle
	}
	r := request{method: http.MethodPatch, contentType: typeFragment, body: fragment, ifMatch: s.etag}
	resp, err := s.client.exchange(ctx, s.at, r)
	switch {
	case err != nil:
		return err
	case resp.status/100 == 2:
		return nil
	case refusesTrickle(resp.status):
		s.takes = false
		return ErrNoTrickle
	}
	return s.client.refused(r.method, resp)
}

func refusesTrickle(status int) bool {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType,
		http.StatusUnprocessableEntity, http.StatusNotImplemented:
		return true
	}
	return false
}

// Restart sends the ICE credentials and candidates of a new generation and returns the server's. After an error
// the session is to be deleted and made anew (RFC 9725 4.3.3). Errors are those of Client.Post, and ErrNoLocation.
func (s *Session) Restart(ctx context.Context, fragment string) (string, error) {
	if s.at.url == nil {
		return "", ErrNoLocation
	}
	r := request{method: http.MethodPatch, contentType: typeFragment, body: fragment, ifMatch: "*"}
	resp, err := s.client.exchange(ctx, s.at, r)
	if err != nil {
		return "", err
	}
	if resp.status != http.StatusOK {
		return "", s.client.refused(r.method, resp)
	}
	if resp.broken != nil {
		return "", &UnreachableError{Host: origin(s.at.url), Err: resp.broken}
	}
	if !resp.is(typeFragment) || resp.tooLarge {
		return "", &ProtocolError{Host: origin(s.at.url), Reason: "answers the ICE restart without a fragment"}
	}
	s.etag = strongTag(resp.header)
	return resp.body, nil
}

// Answer meets a counter-offer. Errors are those of Client.Post.
func (s *Session) Answer(ctx context.Context, sdp string) error {
	r := request{method: http.MethodPatch, contentType: typeSDP, body: sdp}
	resp, err := s.client.exchange(ctx, s.at, r)
	if err != nil {
		return err
	}
	if resp.status != http.StatusNoContent && resp.status != http.StatusOK {
		return s.client.refused(r.method, resp)
	}
	return nil
}

// Verdict is what a Sluice gateway says of the session, as JSON: why it does not connect or play. Errors are those of
// Client.Post, and ErrNoLocation.
func (s *Session) Verdict(ctx context.Context) (string, error) {
	if s.at.url == nil {
		return "", ErrNoLocation
	}
	at := s.at
	at.url = at.url.JoinPath("verdict")
	resp, err := s.client.exchange(ctx, at, request{method: http.MethodGet})
	if err != nil {
		return "", err
	}
	if resp.status != http.StatusOK || !resp.is("application/json") {
		return "", s.client.refused(http.MethodGet, resp)
	}
	return resp.body, nil
}

// Delete ends the session, within 3 s. It is sent even if ctx is done, and then ends within 1.5 s of that. It is no
// error that the server has forgotten the session already, nor that it has named no URL for it.
func (s *Session) Delete(ctx context.Context) error {
	if s.at.url == nil {
		return nil
	}
	lasting, cancel := context.WithTimeout(context.WithoutCancel(ctx), deleteTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { hurry(lasting, cancel) })()
	resp, err := s.client.exchange(lasting, s.at, request{method: http.MethodDelete})
	switch {
	case err != nil:
		return err
	case resp.status/100 == 2, resp.status == http.StatusNotFound, resp.status == http.StatusGone:
		return nil
	}
	return s.client.refused(http.MethodDelete, resp)
}

// hurry ends what has not ended by itself soon.
func hurry(lasting context.Context, cancel context.CancelFunc) {
	soon := time.NewTimer(hurryTimeout)
	defer soon.Stop()
	select {
	case <-soon.C:
		cancel()
	case <-lasting.Done():
	}
}
