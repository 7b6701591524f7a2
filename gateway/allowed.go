package gateway

import (
	"context"
	"errors"
	"net/http"

	"sluice/auth"
	"sluice/auth/guard"
)

// allowed lets those to h who may.
func (rt *router) allowed(h http.HandlerFunc, a auth.Action, stream string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if admitted, ok := rt.guard.Require(w, r, a, stream); ok {
			h(w, admitted)
		}
	}
}

// endpoint lets those post to h who may. Who asks by OPTIONS what it can do is told of ICE servers only if he may (A94);
// GET and HEAD tell nothing that is anybody's.
func (rt *router) endpoint(h http.HandlerFunc, a auth.Action, stream string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodPost:
			rt.allowed(h, a, stream)(w, r)
			return
		case http.MethodOptions:
			if p, err := rt.guard.Check(r, a, stream); err == nil {
				r = withCaller(r, p)
			}
		}
		h(w, r)
	}
}

// known finds out who asks for a session that is there already. The session's URL is a right by itself, so that
// nothing has to be shown; what is shown has to be right, and is compared with who made the session (A92). It reports
// whether the request may go on, and has answered it otherwise.
//
// The right that made the session is asked for first: another server, in mode http, knows it best. Who has lost it is
// still himself, and may end what is his.
func (rt *router) known(w http.ResponseWriter, r *http.Request, a auth.Action, stream string) (*http.Request, bool) {
	strict := rt.gateway.config().Auth.SessionAuth == "strict" && changes(r)
	if !guard.Shown(r) && !strict {
		return r, true
	}
	p, err := rt.guard.Check(r, a, stream)
	if errors.As(err, new(*auth.ForbiddenError)) || errors.As(err, new(*auth.DeniedError)) {
		p, err = rt.guard.Identify(r)
	}
	if err != nil {
		rt.guard.Refuse(w, r, err)
		return r, false
	}
	return withCaller(r, p), true
}

func changes(r *http.Request) bool {
	return r.Method == http.MethodPost || r.Method == http.MethodPatch || r.Method == http.MethodDelete
}

type callerKey struct{}

func withCaller(r *http.Request, p *auth.Principal) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, p))
}

// caller is who a request was let in as; nil: nobody has asked.
func caller(r *http.Request) *auth.Principal {
	if p, ok := r.Context().Value(callerKey{}).(*auth.Principal); ok {
		return p
	}
	p, _ := guard.Principal(r.Context())
	return p
}
