package guard

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"sluice/auth"
	"sluice/signalling/problem"
)

const (
	cookieName = "sluice_session"
	maxLogin   = 4 << 10 // bytes of a body
)

// ServeLogin takes the POST of the login page: JSON with a token, or with a user and a password, that are right for
// anything at all. It answers 204 with a cookie, or why not. Only pages of this gateway may ask.
func (g *Guard) ServeLogin(w http.ResponseWriter, r *http.Request) {
	if !g.ours(w, r) {
		return
	}
	c, err := readLogin(w, r)
	if err != nil {
		g.refuseLogin(w, r, err)
		return
	}
	asked := request(r, c, "", "")
	asked.Login = true
	p, err := g.o.Authorizer().Identify(r.Context(), asked)
	if err != nil {
		g.refuseLogin(w, r, err)
		return
	}
	g.count(nil)
	g.forget(r)
	setCookie(w, r, g.logins.add(p, c), int(loginTTL.Seconds()))
	w.WriteHeader(http.StatusNoContent)
}

// ServeLogout takes the POST that ends a login. It answers 204, also where there is none.
func (g *Guard) ServeLogout(w http.ResponseWriter, r *http.Request) {
	if !g.ours(w, r) {
		return
	}
	g.forget(r)
	setCookie(w, r, "", -1)
	w.WriteHeader(http.StatusNoContent)
}

// ours refuses what is no POST of our own pages.
func (g *Guard) ours(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodPost {
		problem.MethodNotAllowed(w, http.MethodPost)
		return false
	}
	if err := g.sameOrigin(r); err != nil {
		g.Refuse(w, r, err)
		return false
	}
	return true
}

// forget ends the login that a request comes with.
func (g *Guard) forget(r *http.Request) {
	if c, err := r.Cookie(cookieName); err == nil {
		g.logins.drop(c.Value)
	}
}

// setCookie is kept for maxAge seconds, 0: until the browser is closed, -1: no longer.
func setCookie(w http.ResponseWriter, r *http.Request, id string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: id, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: isSecure(r),
	})
	w.Header().Set("Cache-Control", "no-store")
}

// isSecure reports whether the client has come over HTTPS: to us, or to a proxy whose word the gateway takes. It leaves
// X-Forwarded-Proto in requests of no others.
func isSecure(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}

// bodyError says what is wrong with the body of a login.
type bodyError struct {
	status int
	detail string
}

func (e *bodyError) Error() string { return e.detail }

// readLogin reads a body. Its type is one that no form of another page can send.
func readLogin(w http.ResponseWriter, r *http.Request) (auth.Credentials, error) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return auth.Credentials{}, &bodyError{http.StatusUnsupportedMediaType, "The body must be application/json."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxLogin))
	if errors.As(err, new(*http.MaxBytesError)) {
		return auth.Credentials{}, &bodyError{http.StatusRequestEntityTooLarge, "The body may have 4096 bytes."}
	}
	if err != nil {
		return auth.Credentials{}, &bodyError{http.StatusBadRequest, "The body did not arrive whole."}
	}
	return parseLogin(body)
}

func parseLogin(body []byte) (auth.Credentials, error) {
	var l struct{ Token, User, Password string }
	if json.Unmarshal(body, &l) != nil || l.Token != "" && (l.User != "" || l.Password != "") {
		return auth.Credentials{}, &bodyError{http.StatusBadRequest, `The body must be {"token": "…"} or {"user": "…", "password": "…"}.`}
	}
	return auth.Credentials{Token: l.Token, User: l.User, Password: l.Password}, nil
}

// refuseLogin says why there is no cookie. A POST gets no challenge that a browser asks its user for.
func (g *Guard) refuseLogin(w http.ResponseWriter, r *http.Request, err error) {
	if b := new(bodyError); errors.As(err, &b) {
		problem.Write(w, problem.New(b.status, "body", b.detail))
		return
	}
	g.Refuse(w, r, err)
}
