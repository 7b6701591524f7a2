package gateway

import (
	"net/http"
	"slices"

	"sluice/admin"
	"sluice/auth"
	"sluice/auth/guard"
)

// serveList shows what the caller may play. Who shows nothing, and may play nothing, is asked who he is.
func (rt *router) serveList(w http.ResponseWriter, r *http.Request) {
	if names, ok := rt.playable(w, r); ok {
		rt.api.Streams(w, r, func(stream string) bool { return slices.Contains(names, stream) })
	}
}

// serveICE is for whoever may be let in at all.
func (rt *router) serveICE(w http.ResponseWriter, r *http.Request) {
	if _, ok := rt.playable(w, r); !ok {
		return
	}
	rt.api.ICE(w, r, func() []admin.ICEServer { return adminICE(rt.gateway.iceServers(r, ""), rt.gateway.config().Turn.TTL) })
}

// playable lists the streams that the caller may play. One who shows what is wrong, or who shows nothing and may play
// nothing, has been answered, and ok is false.
func (rt *router) playable(w http.ResponseWriter, r *http.Request) (names []string, ok bool) {
	if guard.Shown(r) {
		if _, ok := rt.guard.Admit(w, r); !ok {
			return nil, false
		}
	}
	_, refused := rt.guard.Check(r, auth.Admin, "")
	for _, s := range rt.gateway.hub.Streams() {
		may := refused == nil
		if !may {
			_, err := rt.guard.Check(r, auth.Play, s.Name())
			may = err == nil
		}
		if may {
			names = append(names, s.Name())
		}
	}
	if len(names) == 0 && !guard.Shown(r) {
		rt.guard.Refuse(w, r, refused)
		return nil, false
	}
	return names, true
}
