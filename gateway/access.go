package gateway

import (
	"context"
	"net/http"
	"reflect"
	"sync/atomic"
	"time"

	"sluice/auth"
	"sluice/auth/guard"
	"sluice/config"
	"sluice/session"
	"sluice/signalling/problem"
)

// patrolInterval is how often sessions are looked at whose right may have ended, as by a token that expires.
const patrolInterval = 5 * time.Second

// access is who may do what now. All methods may be called from any goroutine.
type access struct {
	client *http.Client // fixed: asks others who may
	now    atomic.Pointer[authorization]
}

func newAccess() *access {
	return &access{client: &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}}
}

// authorization is one state of access.
type authorization struct {
	config     config.Auth
	authorizer auth.Authorizer
}

// with makes the authorizer of a configuration, or keeps the one that is there: it remembers what was verified.
func (a *access) with(o Options, c config.Auth) (*authorization, error) {
	if old := a.now.Load(); old != nil && reflect.DeepEqual(old.config, c) {
		return old, nil
	}
	authorizer, err := auth.New(authOptions(o, c, a.client))
	if err != nil {
		return nil, err
	}
	return &authorization{config: c, authorizer: authorizer}, nil
}

func (a *access) authorizer() auth.Authorizer { return a.now.Load().authorizer }

func authOptions(o Options, c config.Auth, client *http.Client) auth.Options {
	out := auth.Options{
		Mode: auth.Mode(c.Mode), Log: o.Log, Client: client, HTTP: auth.HTTP{URL: c.HTTP.URL},
		JWT: auth.JWT{
			JWKSURL: c.JWT.JWKSURL, Secret: string(c.JWT.Secret), Issuer: c.JWT.Issuer, Audience: c.JWT.Audience,
			EnforceExpiry: c.JWT.EnforceExpiry,
		},
	}
	for _, u := range c.Users {
		user := auth.User{Name: u.Name, Password: string(u.Password)}
		for _, t := range u.Tokens {
			user.Tokens = append(user.Tokens, string(t))
		}
		for _, g := range u.Allow {
			user.Allow = append(user.Allow, grantOf(g))
		}
		out.Users = append(out.Users, user)
	}
	return out
}

func grantOf(g config.Grant) auth.Grant {
	out := auth.Grant{Streams: g.Streams}
	for _, a := range g.Actions {
		out.Actions = append(out.Actions, auth.Action(a))
	}
	return out
}

// patrol ends the sessions of those who have lost the right to them, until ctx is done.
func (g *Gateway) patrol(ctx context.Context) {
	tick := time.NewTicker(patrolInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			g.expel()
		case <-ctx.Done():
			return
		}
	}
}

// expel ends the sessions of those who have lost the right to them.
func (g *Gateway) expel() {
	authorizer := g.access.authorizer()
	g.sessions.EndIf(session.ErrRevoked, func(s *session.Session) bool {
		p := s.Principal()
		return p != nil && !authorizer.Holds(p, actionOf(s.Role()), s.Stream())
	})
}

// endStream ends the sessions of a stream.
func (g *Gateway) endStream(stream string, why error) {
	g.sessions.EndIf(why, func(s *session.Session) bool { return s.Stream() == stream })
}

// actionOf is the action that a session needs.
func actionOf(r session.Role) auth.Action {
	if r == session.RolePublish {
		return auth.Publish
	}
	return auth.Play
}

// newGuard makes what asks who may, at each request.
func (g *Gateway) newGuard() *guard.Guard {
	return guard.New(guard.Options{
		Authorizer:  g.access.authorizer,
		QueryToken:  func() bool { return g.config().Auth.QueryToken },
		LenientAuth: func() bool { return g.config().Auth.LenientAuth },
		Mode:        func() auth.Mode { return auth.Mode(g.config().Auth.Mode) },
		Log:         g.log,
		Page: func(w http.ResponseWriter, r *http.Request, p problem.Problem) {
			g.pages.Refused(w, r, p.Status, p.Detail)
		},
	})
}

// signedIn reports whether a request comes from somebody who has said who he is.
func (g *Gateway) signedIn(r *http.Request) bool {
	p, err := g.guard.Identify(r)
	return err == nil && !p.Anonymous && p.Kind != auth.ModeNone
}
