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
	names, everything, err := rt.playable(r)
	switch {
	case err != nil:
		rt.guard.Refuse(w, r, err)
		return
	case len(names) == 0 && guard.Shown(r):
		if _, ok := rt.guard.Admit(w, r); !ok {
			return
		}
	}
	see := rt.see(everything)
	rt.api.Streams(w, r, func(s admin.Stream) (admin.Stream, bool) {
		if !slices.Contains(names, s.Name) {
			return s, false
		}
		return see(s)
	})
}

// playable lists the streams that the caller may play; everything reports that he runs the gateway. The error says why
// that can't be told, or that nothing was shown which would allow anything.
func (rt *router) playable(r *http.Request) (names []string, everything bool, err error) {
	names = rt.names()
	if everything, err = rt.is(r, auth.Admin); err != nil || everything {
		return names, everything, err
	}
	names, err = rt.guard.Filter(r, auth.Play, append(names, "")) // "": whatever there will be
	if err == nil && len(names) == 0 && !guard.Shown(r) {
		err = auth.ErrNoCredentials
	}
	return names, false, err
}

// serveICE is for those who may play or publish something.
func (rt *router) serveICE(w http.ResponseWriter, r *http.Request) {
	if !rt.forMedia(w, r) {
		return
	}
	p, _ := rt.guard.Identify(r) // nil for one who shows nothing
	r = withCaller(r, p)
	rt.api.ICE(w, r, func() []admin.ICEServer { return adminICE(rt.gateway.iceServers(r, ""), rt.gateway.config().Turn.TTL) })
}

// forMedia reports whether the caller may play or publish something, and has answered otherwise. Patterns stand for the
// streams that they match.
func (rt *router) forMedia(w http.ResponseWriter, r *http.Request) bool {
	names := append(rt.names(), slices.Collect(maps.Keys(rt.gateway.config().Streams))...)
	for _, a := range []auth.Action{auth.Play, auth.Publish} {
		switch some, err := rt.guard.Filter(r, a, append(names, "")); {
		case err != nil:
			rt.guard.Refuse(w, r, err)
			return false
		case len(some) > 0:
			return true
		}
	}
	if !guard.Shown(r) {
		rt.guard.Refuse(w, r, auth.ErrNoCredentials)
		return false
	}
	p, ok := rt.guard.Admit(w, r)
	if !ok || slices.ContainsFunc(p.Grants, isForMedia) {
		return ok
	}
	rt.guard.Refuse(w, r, &auth.ForbiddenError{Principal: p.Name, Action: auth.Play})
	return false
}

// isForMedia reports whether a grant is for streams, be there any that it matches or not.
func isForMedia(g auth.Grant) bool {
	return slices.Contains(g.Actions, auth.Play) || slices.Contains(g.Actions, auth.Publish)
}

func (rt *router) names() []string {
	var names []string
	for _, s := range rt.gateway.hub.Streams() {
		names = append(names, s.Name())
	}
	return names
}

// is reports whether the caller may do what is about no stream in particular. One who may not has done nothing wrong.
func (rt *router) is(r *http.Request, a auth.Action) (bool, error) {
	allowed, err := rt.guard.Filter(r, a, []string{""})
	return len(allowed) > 0, err
}

// see is how much is shown of a stream that the caller may play: where it comes from, only if he runs the gateway.
func (rt *router) see(everything bool) admin.See[admin.Stream] {
	if everything {
		return admin.All[admin.Stream]
	}
	return func(s admin.Stream) (admin.Stream, bool) { return s.Discreet(), true }
}

// serveStreamOf shows one stream to a caller who may play it.
func (rt *router) serveStreamOf(w http.ResponseWriter, r *http.Request, name string) {
	everything, _ := rt.is(r, auth.Admin) // he has been let in already
	rt.api.Stream(w, r, name, rt.see(everything))
}

// serveSession shows a session to whoever runs the gateway, and to whoever knows all of its ID, which stands in its URL
// alone.
func (rt *router) serveSession(w http.ResponseWriter, r *http.Request, id string) {
	see := admin.See[admin.Session](admin.All[admin.Session])
	if everything, err := rt.is(r, auth.Admin); err != nil || !everything {
		if _, known := rt.gateway.sessions.Session(id); !known {
			rt.allowed(func(w http.ResponseWriter, _ *http.Request) { notFound(w) }, auth.Admin, "")(w, r) // says why not
			return
		}
		see = func(s admin.Session) (admin.Session, bool) { return s.Discreet(), true }
	}
	rt.api.Session(w, r, redact.SessionID(id), see)
}
