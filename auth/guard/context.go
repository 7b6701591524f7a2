package guard

import (
	"context"
	"net/http"

	"sluice/auth"
)

// Keys of a request's context.
type (
	shownKey     struct{}
	principalKey struct{}
)

// Principal is who was let in by Require.
func Principal(ctx context.Context) (*auth.Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(*auth.Principal)
	return p, ok
}

// shownOf is what was read of a request, nil if it was not yet.
func shownOf(r *http.Request) *shown {
	s, _ := r.Context().Value(shownKey{}).(*shown)
	return s
}

// Shown tells whether a request carries credentials of any kind, be they right or not (A92). After Wrap or Require, a
// cookie whose login is over doesn't count.
func Shown(r *http.Request) bool {
	if s := shownOf(r); s != nil {
		return s.login != nil || s.kept != "" || !s.credentials.None()
	}
	_, err := r.Cookie(cookieName)
	return err == nil || r.Header.Get("Authorization") != ""
}
