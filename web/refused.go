package web

import (
	"bytes"
	"net/http"
	"net/url"
)

// refusedTitles are what the page of a refusal has as its heading, by status.
var refusedTitles = map[int]string{
	http.StatusForbidden:          "You may not see this",
	http.StatusTooManyRequests:    "Too many wrong logins",
	http.StatusServiceUnavailable: "Who you are cannot be found out",
}

// Refused answers whoever opens a page that he may not, with a status of 400 or more and a sentence that says why. Where
// it is because of who he is (403), there is a way to sign in as somebody else and come back.
func (p *Pages) Refused(w http.ResponseWriter, r *http.Request, status int, detail string) {
	here := r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		here += "?" + r.URL.RawQuery
	}
	shown := struct{ Title, Detail, Here, Login, Status string }{
		Title: refusedTitles[status], Detail: detail, Here: here, Status: http.StatusText(status),
	}
	if shown.Title == "" {
		shown.Title = shown.Status
	}
	if status == http.StatusForbidden {
		shown.Login = "/login?next=" + url.QueryEscape(here)
	}
	var body bytes.Buffer
	if err := p.refused.Execute(&body, shown); err != nil {
		writeProblem(w, status, detail)
		return
	}
	setPageHeaders(w.Header(), policy(nil), noDevices)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body.Bytes()) // the visitor may be gone already
	}
}
