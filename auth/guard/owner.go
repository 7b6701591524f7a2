package guard

import (
	"net/http"

	"sluice/auth"
)

// Owner lets a request through to a session that a principal made (A92). Who shows credentials must be that principal:
// 401 if they are wrong, 403 if they are another's (J10). Who shows none knows the session's URL, which is as good;
// with strict he gets 401. It tells whether the request was let through, and has answered it otherwise.
func (g *Guard) Owner(w http.ResponseWriter, r *http.Request, principal string, strict bool) bool {
	r = g.read(r)
	if !Shown(r) && !strict {
		return true
	}
	p, err := g.Identify(r)
	if err == nil && p.Name != principal {
		err = &auth.ForbiddenError{Principal: p.Name, Action: "session"}
	}
	if err != nil {
		g.Refuse(w, r, err)
		return false
	}
	return true
}
