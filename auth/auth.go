// Package auth says who may do what. A request names an action, a stream and what its sender shows; the answer is who
// that is, or a typed error that says why not. It knows no wire: package auth/guard reads requests of HTTP.
//
// Passwords, tokens and hashes stand in no error and in no log line.
package auth

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
)

// Mode is where rights come from.
type Mode string

// The modes of the key auth.mode.
const (
	ModeNone     Mode = "none"     // everything is allowed; the gateway serves this machine only
	ModeInternal Mode = "internal" // users of the configuration file
	ModeJWT      Mode = "jwt"      // signed tokens that carry the rights (RFC 7519)
	ModeHTTP     Mode = "http"     // another server is asked
)

// Authorizer decides. Its methods may be called by any number of goroutines.
type Authorizer interface {
	// Authorize says who may do what r asks for: ErrNoCredentials, ErrInvalid, *ForbiddenError, *BackoffError, *RateError
	// or *UnavailableError if nobody may.
	Authorize(ctx context.Context, r Request) (*Principal, error)
	// Identify says whose the credentials of r are, whatever they are good for; Action and Stream don't count. In mode
	// http it takes credentials that were allowed something lately, or asks for "read" with an empty path and takes a
	// 403 for a login that is right and may less. As a 401 may mean just that, it counts for the back-off only if r
	// is a Login. The errors are those of Authorize, but for *ForbiddenError.
	Identify(ctx context.Context, r Request) (*Principal, error)
	// Renew is Authorize for somebody who was identified before, as by a cookie: without the work that a password
	// costs, and past the back-off, which is for those who guess. The credentials of r are those that p came of, and
	// may be left out in mode internal. Without an Action it is Identify in the same way. It returns ErrInvalid when p is
	// known no more.
	Renew(ctx context.Context, p *Principal, r Request) (*Principal, error)
	// Filter returns those of the streams on which r, whose Stream doesn't count, may do its Action; "" stands for none,
	// as Admin and Metrics have it. p is whom Renew takes, or nil. Who may do nothing gets an empty list; the errors are
	// those of Identify. In mode http the other server is asked about maxFiltered streams at most, within one time
	// limit; a 401 says that this one is not for r, and counts for no back-off.
	Filter(ctx context.Context, p *Principal, r Request, streams []string) ([]string, error)
	// Holds tells whether p, who was let in some time ago and maybe by another Authorizer, has the right still.
	Holds(p *Principal, a Action, stream string) bool
}

// Credentials are what somebody shows: a token, or a user with a password. A Token of the form user:password stands
// for these two as well, since OBS has one field only. The zero value is: nothing. They print as a placeholder.
type Credentials struct {
	Token          string
	User, Password string
	Unreadable     bool // something was shown that is no credentials; it is never right
}

// Request is one question to an Authorizer.
type Request struct {
	Action      Action
	Stream      string // "" for Admin and Metrics
	Credentials Credentials
	Remote      netip.Addr
	Protocol    string // "whip", "whep" or "http"
	ID          string // of the session, if there is one
	Query       string // of the URL, without credentials
	UserAgent   string

	// Login: this is a try to log in, which counts as a guess in every mode when it is wrong.
	Login bool
	// Repeated: a browser sends these credentials by itself, maybe with many requests at once, or this is another
	// question about the same request. When they are wrong, that counts once a minute.
	Repeated bool
}

// Options configure New.
type Options struct {
	Mode  Mode
	Users []User // of ModeInternal
	JWT   JWT    // of ModeJWT
	HTTP  HTTP   // of ModeHTTP
	Log   *slog.Logger

	// Client makes the requests of ModeJWT and ModeHTTP; its policy of redirects and its timeout don't count. nil: one
	// whose idle connections close by themselves.
	Client *http.Client
}

// New makes what the options say, without any I/O. An error names the user or the key that is wrong.
func New(o Options) (Authorizer, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Client == nil {
		o.Client = newClient()
	}
	switch o.Mode {
	case ModeNone:
		return none{}, nil
	case ModeInternal:
		return newInternal(o)
	case ModeJWT:
		return newJWT(o)
	case ModeHTTP:
		return newCallback(o)
	default:
		return nil, fmt.Errorf("the mode %q is none of none, internal, jwt and http", o.Mode)
	}
}
