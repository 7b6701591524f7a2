package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A90: whoever opens a page that he may not is told so on a page, with its status.
func TestRefused(t *testing.T) {
	p := newPages(t)
	const login, again = `href="/login?next=%2Fcam%2Fpublish%3Fa%3Db"`, `href="/cam/publish?a=b"`
	for status, want := range map[int][]string{
		403: {"You may not see this", "Why &lt;b&gt; not.", login},
		429: {"Too many wrong logins", again},
		503: {"Who you are cannot be found out", again},
		418: {"I&#39;m a teapot", again},
	} {
		w := httptest.NewRecorder()
		p.Refused(w, httptest.NewRequest(http.MethodGet, "/cam/publish?a=b", nil), status, "Why <b> not.")
		h := w.Header()
		if w.Code != status || h.Get("Cache-Control") != "no-store" || !strings.Contains(h.Get("Content-Security-Policy"), "script-src 'self'") {
			t.Errorf("%d: %d %v", status, w.Code, h)
		}
		for _, words := range want {
			if !strings.Contains(w.Body.String(), words) {
				t.Errorf("%d lacks %q: %s", status, words, w.Body)
			}
		}
	}
	w := httptest.NewRecorder()
	p.Refused(w, httptest.NewRequest(http.MethodHead, "/cam/", nil), 403, "Why not.")
	if w.Code != 403 || w.Body.Len() > 0 {
		t.Errorf("HEAD: %d %s", w.Code, w.Body)
	}
}
