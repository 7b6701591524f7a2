package guard

import (
	"net/http"
	"net/url"
	"strings"
)

// keptPrefix begins a cookie that holds a token rather than the id of a login, which has no dot.
const keptPrefix = "token."

// A page that is opened with ?token= asks for more as soon as it is there, with URLs of its own. So its token is kept in
// the cookie of logins, until the browser is closed. It holds the token itself and needs no memory of ours: a page that
// has been open for days goes on when the gateway was restarted, and any number of browsers share a token.

// keptToken reads the token from the value of a cookie, "" if there is none.
func keptToken(value string) string {
	text, found := strings.CutPrefix(value, keptPrefix)
	if !found {
		return ""
	}
	token, err := url.QueryUnescape(text)
	if err != nil {
		return ""
	}
	return token
}

// Remember keeps the token that a page was opened with, if it is somebody's. Require does it by itself; this is for
// pages that everybody may open.
func (g *Guard) Remember(w http.ResponseWriter, r *http.Request) {
	r = g.read(r)
	if !opensWithToken(r) {
		return
	}
	if _, err := g.Identify(r); err == nil {
		g.keep(w, r)
	}
}

// opensWithToken tells whether somebody opens a page with a token in its URL.
func opensWithToken(r *http.Request) bool { return shownOf(r).inURL && isNavigation(r) }

// keep puts the token of the URL into the cookie. The login that was there before ends, as with every new one.
func (g *Guard) keep(w http.ResponseWriter, r *http.Request) {
	g.forget(r)
	setCookie(w, r, keptPrefix+url.QueryEscape(shownOf(r).credentials.Token), 0)
}

// tidy takes a token that was kept and isn't right any more out of the browser, which would show it again and again,
// and count as one who guesses.
func tidy(w http.ResponseWriter, r *http.Request) {
	if s := shownOf(r); s != nil && s.stale {
		setCookie(w, r, "", -1)
	}
}
