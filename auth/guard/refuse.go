package guard

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sluice/auth"
	"sluice/signalling/problem"
)

const (
	challenge        = `Bearer realm="sluice"`
	challengeInvalid = `Bearer realm="sluice", error="invalid_token", error_description="The token, or the user name or password, is wrong."`
	challengeBasic   = `Basic realm="sluice", charset="UTF-8"`

	unavailableRetry = 5 * time.Second
)

// Refuse answers a request that Check or Identify had an error for (A90).
func (g *Guard) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	g.count(err)
	var backoff *auth.BackoffError
	var rate *auth.RateError
	var forbidden *auth.ForbiddenError
	var cross *CrossOriginError
	switch {
	case errors.Is(err, auth.ErrNoCredentials):
		g.unauthorized(w, r, challenge, "no_credentials", "This needs a token, or a user name and a password.")
	case errors.Is(err, auth.ErrInvalid):
		g.unauthorized(w, r, challengeInvalid, "invalid_credentials", "The token, or the user name or password, is wrong or has expired.")
	case errors.As(err, &forbidden):
		g.tell(w, r, problem.New(http.StatusForbidden, "forbidden", sentence(forbidden)))
	case errors.As(err, &cross):
		problem.Write(w, problem.New(http.StatusForbidden, "cross_origin", sentence(cross)))
	case errors.As(err, &backoff):
		p := problem.New(http.StatusTooManyRequests, "too_many_logins", "There were too many wrong logins from here or with this user name. Wait a minute.")
		p.RetryAfter = backoff.RetryAfter
		g.tell(w, r, p)
	case errors.As(err, &rate):
		p := problem.New(http.StatusTooManyRequests, "too_many_questions", "This address asks faster than the server that decides who may is to be asked. Try again in a moment.")
		p.RetryAfter = rate.RetryAfter
		g.tell(w, r, p)
	default:
		g.unavailable(w, r, err)
	}
}

// tell answers with a page where somebody opens one.
func (g *Guard) tell(w http.ResponseWriter, r *http.Request, p problem.Problem) {
	if g.o.Page == nil || !isNavigation(r) {
		problem.Write(w, p)
		return
	}
	g.o.Page(w, r, p)
}

// sentence makes one of an error's text.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// unavailable tells the log once a second at most.
func (g *Guard) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	if now := time.Now().Unix(); g.warned.Swap(now) != now {
		g.o.Log.Warn("a request was refused, since who may can't be found out", "err", err)
	}
	p := problem.New(http.StatusServiceUnavailable, "auth_unavailable", "Who may do this can't be found out just now. Try again in a moment; the gateway's log says why.")
	p.RetryAfter = unavailableRetry
	g.tell(w, r, p)
}

// unauthorized sends who opens a page to the login, and challenges everybody else.
func (g *Guard) unauthorized(w http.ResponseWriter, r *http.Request, bearer, slug, detail string) {
	if isNavigation(r) {
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, "/login?next="+url.QueryEscape(next(r.URL)), http.StatusSeeOther)
		return
	}
	w.Header().Add("WWW-Authenticate", bearer)
	if asksForBasic(r) {
		w.Header().Add("WWW-Authenticate", challengeBasic)
	}
	problem.Write(w, problem.New(http.StatusUnauthorized, slug, detail))
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// isNavigation tells whether somebody opens a page. Browsers say so in a header of their own, but not over plain HTTP.
func isNavigation(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return isRead(r) && (mode == "" || mode == "navigate") && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// asksForBasic tells whether a challenge of Basic helps: programs as wget show nothing before they get one. A browser
// opens a dialog at it over our own page, also when a script asks, so browsers never get one.
func asksForBasic(r *http.Request) bool {
	return isRead(r) && r.Header.Get("Sec-Fetch-Mode") == "" && !strings.HasPrefix(r.UserAgent(), "Mozilla/")
}

// next is where a login leads to: a path of this server. Two slashes in front would be another one.
func next(u *url.URL) string {
	path := u.EscapedPath()
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\t\r\n") {
		return "/"
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path
}
