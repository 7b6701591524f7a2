package guard

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"sluice/auth"
)

// shown is what a request carries: credentials, or the id of a login.
type shown struct {
	credentials auth.Credentials
	wrong       bool   // the credentials were found to be wrong
	inURL       bool   // the credentials are the token of the URL
	kept        string // the token of a page's URL, out of a cookie; "": none, or one that was found to be wrong
	stale       bool   // kept was wrong
	id          string
	login       *login // nil: no cookie, or none of a login that goes on
}

// shown reads the header, else the URL, else the cookie: what was put there on purpose comes first.
func (g *Guard) shown(r *http.Request) *shown {
	token := takeToken(r)
	if c := header(r.Header.Get("Authorization"), g.o.LenientAuth()); !c.None() {
		return &shown{credentials: c}
	}
	if token != "" && g.o.QueryToken() {
		return &shown{credentials: auth.Credentials{Token: token}, inURL: true}
	}
	c, err := r.Cookie(cookieName)
	if err != nil {
		return &shown{}
	}
	if kept := keptToken(c.Value); kept != "" && g.o.QueryToken() {
		return &shown{kept: kept}
	}
	return &shown{id: c.Value, login: g.logins.find(c.Value)}
}

// header reads an Authorization. With lenient, one without a scheme is a token (A91).
func header(text string, lenient bool) auth.Credentials {
	scheme, value, found := strings.Cut(strings.TrimSpace(text), " ")
	value = strings.TrimSpace(value)
	switch {
	case scheme == "":
		return auth.Credentials{}
	case strings.EqualFold(scheme, "Bearer"):
		return auth.Credentials{Token: value}
	case strings.EqualFold(scheme, "Basic"):
		return basic(value)
	case lenient && !found:
		return auth.Credentials{Token: scheme}
	default:
		return auth.Credentials{Unreadable: true}
	}
}

// basic reads what follows "Basic ". A password without a user is a token: a browser's dialog has room for one so.
//
// Specification: RFC 7617, section 2.
func basic(value string) auth.Credentials {
	r := http.Request{Header: http.Header{"Authorization": {"Basic " + value}}}
	user, password, ok := r.BasicAuth()
	switch {
	case !ok:
		return auth.Credentials{Unreadable: true}
	case user == "":
		return auth.Credentials{Token: password}
	default:
		return auth.Credentials{User: user, Password: password}
	}
}

// takeToken takes the parameters "token" out of the URL of a request and returns the first of them. The page that led
// here may have had one in its URL too.
func takeToken(r *http.Request) string {
	token, rest, found := cutToken(r.URL.RawQuery)
	if found {
		r.URL.RawQuery = rest
		r.RequestURI = r.URL.RequestURI()
	}
	if strings.Contains(strings.ToLower(r.Header.Get("Referer")), "token=") {
		r.Header.Del("Referer")
	}
	return token
}

// cutToken leaves all other parameters as they stand.
func cutToken(query string) (token, rest string, found bool) {
	if query == "" {
		return "", "", false
	}
	var others []string
	for _, p := range strings.Split(query, "&") {
		key, value, _ := strings.Cut(p, "=")
		if name, err := url.QueryUnescape(key); err != nil || !strings.EqualFold(name, "token") {
			others = append(others, p)
			continue
		}
		if text, err := url.QueryUnescape(value); err == nil && token == "" {
			token = text
		}
		found = true
	}
	return token, strings.Join(others, "&"), found
}

// remote is the address at the other end of the connection.
func remote(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap()
}
