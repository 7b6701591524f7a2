package gateway

import (
	"maps"
	"net/http"
	"slices"

	"sluice/admin"
	"sluice/auth"
	"sluice/auth/guard"
	"sluice/redact"
)

// serveList shows what the caller may play. Who shows nothing, and may play nothing, is asked who he is.
func (rt *router) serveList(w http.ResponseWriter, r *http.Request) {
	names := rt.names()
	if !rt.is(r, auth.Admin) {
		var err error
		if names, err = rt.guard.Filter(r, auth.Play, names); err == nil && len(names) == 0 && !guard.Shown(r) && !rt.is(r, auth.Play) {
			err = auth.ErrNoCredentials
		}
		if err != nil {
			rt.guard.Refuse(w, r, err)
			return
		}
	}
	see := rt.see(r)
	rt.api.Streams(w, r, func(s admin.Stream) (admin.Stream, bool) {
		if !slices.Contains(names, s.Name) {
			return s, false
		}
		return see(s)
	})
}

// serveICE is for those who may play or publish something.
func (rt *router) serveICE(w http.ResponseWriter, r *http.Request) {
	p, ok := rt.forMedia(w, r)
	if !ok {
		return
	}
	r = withCaller(r, p)
	rt.api.ICE(w, r, func() []admin.ICEServer { return adminICE(rt.gateway.iceServers(r, ""), rt.gateway.config().Turn.TTL) })
}

// forMedia lets those through who may play or publish something, as far as that can be known without a stream. It
// returns who that is, nil for one who shows nothing, or has answered.
func (rt *router) forMedia(w http.ResponseWriter, r *http.Request) (p *auth.Principal, ok bool) {
	if guard.Shown(r) {
		if p, ok = rt.guard.Admit(w, r); !ok {
			return nil, false
		}
		if slices.ContainsFunc(p.Grants, func(g auth.Grant) bool {
			return slices.Contains(g.Actions, auth.Play) || slices.Contains(g.Actions, auth.Publish)
		}) {
			return p, true
		}
	}
	names := append(rt.names(), slices.Collect(maps.Keys(rt.gateway.config().Streams))...) // patterns stand for what they match
	names, err := rt.guard.Filter(r, auth.Play, append(names, ""))
	if err == nil && len(names) == 0 {
		err = auth.ErrNoCredentials
		if p != nil {
			err = &auth.ForbiddenError{Principal: p.Name, Action: auth.Play}
		}
	}
	if err != nil {
		rt.guard.Refuse(w, r, err)
		return nil, false
	}
	return p, true
}

func (rt *router) names() []string {
	var names []string
	for _, s := range rt.gateway.hub.Streams() {
		names = append(names, s.Name())
	}
	return names
}

// is reports whether the caller may do what is about no stream in particular. One who may not has done nothing wrong.
func (rt *router) is(r *http.Request, a auth.Action) bool {
	allowed, err := rt.guard.Filter(r, a, []string{""})
	return err == nil && len(allowed) > 0
}

// see is how much a caller who may play a stream sees of it: where it comes from, only if he runs the gateway.
func (rt *router) see(r *http.Request) admin.See[admin.Stream] {
	if rt.is(r, auth.Admin) {
		return admin.All[admin.Stream]
	}
	return func(s admin.Stream) (admin.Stream, bool) { return s.Discreet(), true }
}

// serveSession shows a session to whoever runs the gateway, and to whoever knows all of its ID, which stands in its URL
// alone.
func (rt *router) serveSession(w http.ResponseWriter, r *http.Request, id string) {
	see := admin.See[admin.Session](admin.All[admin.Session])
	if !rt.is(r, auth.Admin) {
		if _, known := rt.gateway.sessions.Session(id); !known {
			rt.allowed(func(w http.ResponseWriter, _ *http.Request) { notFound(w) }, auth.Admin, "")(w, r) // says why not
			return
		}
		see = func(s admin.Session) (admin.Session, bool) { return s.Discreet(), true }
	}
	rt.api.Session(w, r, redact.SessionID(id), see)
}
