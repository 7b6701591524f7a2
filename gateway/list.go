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
	if guard.Shown(r) {
		if _, ok := rt.guard.Admit(w, r); !ok {
			return
		}
	}
	names := rt.names()
	if !rt.may(r, auth.Admin, "") {
		names = slices.DeleteFunc(names, func(name string) bool { return !rt.may(r, auth.Play, name) })
	}
	if _, err := rt.guard.Check(r, auth.Play, ""); err != nil && len(names) == 0 && !guard.Shown(r) {
		rt.guard.Refuse(w, r, err)
		return
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
	_, err := rt.guard.Check(r, auth.Play, "")
	names := append(rt.names(), slices.Collect(maps.Keys(rt.gateway.config().Streams))...) // patterns stand for what they match
	if err != nil && !slices.ContainsFunc(names, func(name string) bool { return rt.may(r, auth.Play, name) }) {
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

func (rt *router) may(r *http.Request, a auth.Action, stream string) bool {
	_, err := rt.guard.Check(r, a, stream)
	return err == nil
}

// see is how much a caller who may play a stream sees of it: where it comes from, only if he runs the gateway.
func (rt *router) see(r *http.Request) admin.See[admin.Stream] {
	if rt.may(r, auth.Admin, "") {
		return admin.All[admin.Stream]
	}
	return func(s admin.Stream) (admin.Stream, bool) { return s.Discreet(), true }
}

// serveSession shows a session to whoever runs the gateway, and to whoever knows all of its ID, which stands in its URL
// alone.
func (rt *router) serveSession(w http.ResponseWriter, r *http.Request, id string) {
	see := admin.See[admin.Session](admin.All[admin.Session])
	if _, err := rt.guard.Check(r, auth.Admin, ""); err != nil {
		if _, known := rt.gateway.sessions.Session(id); !known {
			rt.guard.Refuse(w, r, err)
			return
		}
		see = func(s admin.Session) (admin.Session, bool) { return s.Discreet(), true }
	}
	rt.api.Session(w, r, redact.SessionID(id), see)
}
