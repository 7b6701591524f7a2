// Package guard asks package auth on behalf of HTTP: it reads the credentials of a request, answers those that may
// not, and keeps the logins of the pages.
//
// Specification: RFC 6750 (Bearer), RFC 7617 (Basic), RFC 9725 section 4.7.1.
package guard

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"

	"sluice/auth"
	"sluice/signalling/problem"
)

// Options configure New. The functions are asked at each request, since the configuration may change.
type Options struct {
	Authorizer  func() auth.Authorizer
	QueryToken  func() bool      // ?token= counts; nil: never
	LenientAuth func() bool      // Authorization without a scheme is a token (A91); nil: never
	Mode        func() auth.Mode // the authorizer's, under which results are counted; nil: ModeInternal
	Log         *slog.Logger

	// Page answers whoever opens a page in a browser and is refused, with words to read; nil: as programs are.
	Page func(http.ResponseWriter, *http.Request, problem.Problem)
}

// Guard lets requests through, or answers them.
type Guard struct {
	o      Options
	logins *logins
	cross  http.CrossOriginProtection
	warned atomic.Int64 // Unix time of the last line in the log
	tally  tally
}

// New makes a guard. It starts nothing.
func New(o Options) *Guard {
	never := func() bool { return false }
	if o.QueryToken == nil {
		o.QueryToken = never
	}
	if o.LenientAuth == nil {
		o.LenientAuth = never
	}
	if o.Mode == nil {
		o.Mode = func() auth.Mode { return auth.ModeInternal }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Guard{o: o, logins: newLogins(maxLogins)}
}

// Wrap reads the credentials of each request before h, and takes a token out of its URL, so that no handler, log or
// error ever has it (J20). It belongs around everything that sees URLs.
func (g *Guard) Wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, g.read(r)) })
}

// read returns the request with its credentials in the context, where they are not there yet.
func (g *Guard) read(r *http.Request) *http.Request {
	if shownOf(r) != nil {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), shownKey{}, g.shown(r)))
}

// Require lets a request through that may do a on the stream, "" for none; the principal is in the context of the
// request that it returns. All others it answers: 401 with a challenge, 403, 429 or 503, and pages that somebody
// opens in a browser by sending him to /login.
func (g *Guard) Require(w http.ResponseWriter, r *http.Request, a auth.Action, stream string) (*http.Request, bool) {
	r = g.read(r)
	p, err := g.Check(r, a, stream)
	tidy(w, r)
	if err != nil {
		g.Refuse(w, r, err)
		return r, false
	}
	g.count(nil)
	if opensWithToken(r) {
		g.keep(w, r)
	}
	return r.WithContext(context.WithValue(r.Context(), principalKey{}, p)), true
}

// Admit lets a request through that somebody known sends, whatever he may do. All others it answers as Require does.
func (g *Guard) Admit(w http.ResponseWriter, r *http.Request) (*auth.Principal, bool) {
	r = g.read(r)
	p, err := g.Identify(r)
	tidy(w, r)
	if err != nil {
		g.Refuse(w, r, err)
		return nil, false
	}
	g.count(nil)
	return p, true
}

// Counts is what Require, Admit, Refuse and logins came to since New.
func (g *Guard) Counts() []Count { return g.tally.counts() }

// count counts one request, whose answer err was.
func (g *Guard) count(err error) { g.tally.add(g.o.Mode(), resultOf(err)) }

// Check is Require without an answer. The errors are those of auth.Authorizer, and *CrossOriginError.
func (g *Guard) Check(r *http.Request, a auth.Action, stream string) (*auth.Principal, error) {
	return ask(g, r, a, stream, func(ctx context.Context, by auth.Authorizer, known *auth.Principal, r auth.Request) (*auth.Principal, error) {
		if known != nil {
			return by.Renew(ctx, known, r)
		}
		return by.Authorize(ctx, r)
	})
}

// Filter returns those of the streams on which the sender of a request may do a; "" stands for none. Who may do it on
// none gets an empty list, and no error unless he shows what is wrong or nothing can be told now. It costs little, and
// a stream that he may not see is not counted as a wrong login: see auth.Authorizer.
func (g *Guard) Filter(r *http.Request, a auth.Action, streams []string) ([]string, error) {
	return ask(g, r, a, "", func(ctx context.Context, by auth.Authorizer, known *auth.Principal, r auth.Request) ([]string, error) {
		return by.Filter(ctx, known, r, streams)
	})
}

// Identify says whose credentials a request carries, whatever they are good for.
func (g *Guard) Identify(r *http.Request) (*auth.Principal, error) {
	return ask(g, r, "", "", func(ctx context.Context, by auth.Authorizer, known *auth.Principal, r auth.Request) (*auth.Principal, error) {
		if known != nil {
			return by.Renew(ctx, known, r)
		}
		return by.Identify(ctx, r)
	})
}

// question is put to an authorizer; known is whose cookie a request carries, nil for none.
type question[T any] func(ctx context.Context, by auth.Authorizer, known *auth.Principal, r auth.Request) (T, error)

// ask takes whose login is over for one who shows nothing: the browser sends the cookie along without being told.
func ask[T any](g *Guard, r *http.Request, a auth.Action, stream string, q question[T]) (T, error) {
	r = g.read(r)
	s := shownOf(r)
	put := func(known *auth.Principal, c auth.Credentials, repeated bool) (T, error) {
		asked := request(r, c, a, stream)
		asked.Repeated = repeated
		return q(r.Context(), g.o.Authorizer(), known, asked)
	}
	if s.kept != "" || s.login != nil { // these change something only where one of our own pages wants it
		if err := g.sameOrigin(r); err != nil {
			var none T
			return none, err
		}
	}
	if s.kept != "" {
		answer, err := put(nil, auth.Credentials{Token: s.kept}, true)
		if !isOver(err) {
			return answer, err
		}
		s.kept, s.stale = "", true
	}
	if s.login != nil {
		answer, err := put(s.login.principal, s.login.credentials, true)
		if !isOver(err) {
			return answer, err
		}
		g.logins.drop(s.id)
	}
	answer, err := put(nil, s.credentials, s.inURL || s.wrong)
	s.wrong = errors.Is(err, auth.ErrInvalid)
	return answer, err
}

// isOver tells whether what a cookie stands for is right no more.
func isOver(err error) bool {
	return errors.Is(err, auth.ErrInvalid) && !errors.As(err, new(*auth.DeniedError))
}

// CrossOriginError says that a page of another origin uses somebody's login, which it has no business with (I44).
type CrossOriginError struct{}

func (*CrossOriginError) Error() string {
	return "a page of another origin can't change anything with the login of this browser"
}

// sameOrigin looks at a WebSocket like at a change: its handshake is a GET, which is no reason to trust it.
func (g *Guard) sameOrigin(r *http.Request) error {
	if r.Header.Get("Upgrade") != "" {
		changed := *r
		changed.Method = http.MethodPost
		r = &changed
	}
	if g.cross.Check(r) != nil {
		return &CrossOriginError{}
	}
	return nil
}

// request is what auth is asked.
func request(r *http.Request, c auth.Credentials, a auth.Action, stream string) auth.Request {
	return auth.Request{
		Action: a, Stream: stream, Credentials: c,
		Remote: remote(r), Protocol: protocol(r.URL.Path), Query: r.URL.RawQuery, UserAgent: r.UserAgent(),
	}
}

// protocol goes by the path's second segment.
func protocol(path string) string {
	_, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first, _, _ := strings.Cut(rest, "/"); first {
	case "whep", "whip":
		return first
	case "talk":
		return "whip"
	default:
		return "http"
	}
}
