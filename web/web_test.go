package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func newPages(t *testing.T) *Pages {
	t.Helper()
	p, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// serve routes the way the gateway does.
func (p *Pages) serve(method, target string, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	if header != nil {
		r.Header = header
	}
	w := httptest.NewRecorder()
	switch name, isAsset := strings.CutPrefix(r.URL.Path, "/assets/"); {
	case isAsset:
		p.Asset(w, r, name)
	case r.URL.Path == "/":
		p.Index(w, r)
	case r.URL.Path == "/login":
		p.Login(w, r)
	case r.URL.Path == "/ice-test":
		p.ICETest(w, r)
	case strings.HasSuffix(r.URL.Path, "/publish"):
		p.Publish(w, r, strings.TrimSuffix(r.URL.Path[1:], "/publish"))
	default:
		p.Player(w, r, strings.Trim(r.URL.Path, "/"))
	}
	return w
}

// pageTargets are the paths of all kinds of pages.
var pageTargets = []string{"/", "/front-door/", "/front-door/publish", "/login", "/ice-test"}

// I13: the headers that keep a page from being turned against its viewer. Only the page that publishes has devices.
func TestPageHeaders(t *testing.T) {
	p := newPages(t)
	for _, target := range pageTargets {
		scripts := "script-src 'self'"
		if target == "/front-door/" {
			scripts += " '" + hashOf(t, p.serve(http.MethodGet, target, nil).Body.String()) + "'"
		}
		permissions := "camera=(), microphone=(), display-capture=(), geolocation=()"
		if strings.HasSuffix(target, "/publish") {
			permissions = "camera=(self), microphone=(self), display-capture=(self), geolocation=()"
		}
		t.Run(target, func(t *testing.T) {
			w := p.serve(http.MethodGet, target, nil)
			if w.Code != http.StatusOK {
				t.Fatalf("status %d", w.Code)
			}
			for key, want := range map[string]string{
				"Content-Type":           "text/html; charset=utf-8",
				"Cache-Control":          "no-cache",
				"X-Content-Type-Options": "nosniff",
				"Referrer-Policy":        "no-referrer",
				"Permissions-Policy":     permissions,
				"Content-Security-Policy": "default-src 'none'; " + scripts + "; style-src 'self'; connect-src 'self'; " +
					"media-src 'self' blob:; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
			} {
				if got := w.Header().Get(key); got != want {
					t.Errorf("%s: %q, want %q", key, got, want)
				}
			}
			// I43: pages are for their own origin.
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != "" {
				t.Errorf("Access-Control-Allow-Origin: %q", got)
			}
		})
	}
}

var (
	inlineScript = regexp.MustCompile(`(?is)<script(?:\s[^>]*)?>(\s*[^<\s].*?)</script>`)
	handler      = regexp.MustCompile(`(?i)<[^>]+\son[a-z]+\s*=|<style|<[^>]+\sstyle\s*=|javascript:`)
)

// hashOf is the hash of the one script that stands in a page, as its policy has it.
func hashOf(t *testing.T, body string) string {
	t.Helper()
	found := inlineScript.FindAllStringSubmatch(body, -1)
	if len(found) != 1 {
		t.Fatalf("%d scripts stand in the page", len(found))
	}
	sum := sha256.Sum256([]byte(found[0][1]))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// I13: the policy forbids scripts and styles in the page, so one there would be dead, but for that of the player.
func TestPagesHaveNoInlineScriptOrStyle(t *testing.T) {
	p := newPages(t)
	for _, target := range pageTargets {
		body := p.serve(http.MethodGet, target, nil).Body.String()
		if target == "/front-door/" {
			hashOf(t, body)
			body = inlineScript.ReplaceAllString(body, "")
		}
		for _, pattern := range []*regexp.Regexp{inlineScript, handler} {
			if found := pattern.FindString(body); found != "" {
				t.Errorf("%s has %q", target, found)
			}
		}
	}
}

// The player page asks for its stream before any file: what else it needs stands in a template, which its script
// takes out once the request is on its way. Browsers fetch the icon when all else is there.
func TestPlayerFetchesNothingBeforeItsStream(t *testing.T) {
	body := newPages(t).serve(http.MethodGet, "/front-door/", nil).Body.String()
	later := regexp.MustCompile(`(?s)<template id="rest">.*?</template>|<noscript>.*?</noscript>|<link rel="icon"[^>]*>`)
	if found := referenced.FindString(later.ReplaceAllString(body, "")); found != "" {
		t.Errorf("%s is fetched at once", found)
	}
	template, script := strings.Index(body, "</template>"), strings.Index(body, "<script>")
	if template < 0 || script < template || script > strings.Index(body, "<body") {
		t.Errorf("the template ends at %d, the script begins at %d", template, script)
	}
	for _, want := range []string{"style.css", "page.js"} {
		if !strings.Contains(body[:template], want) {
			t.Errorf("the template lacks %s", want)
		}
	}
}

func TestPlayerSaysItsStream(t *testing.T) {
	body := newPages(t).serve(http.MethodGet, "/front-door/", nil).Body.String()
	for _, want := range []string{`data-stream="front-door"`, `data-endpoint="/front-door/whep"`, "<title>front-door · Sluice</title>", "autoplay muted playsinline"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in the page", want)
		}
	}
}

func TestPublishSaysItsStream(t *testing.T) {
	body := newPages(t).serve(http.MethodGet, "/front-door/publish", nil).Body.String()
	for _, want := range []string{
		`data-stream="front-door"`, `data-endpoint="/front-door/whip"`, `data-viewer="/front-door/"`,
		"<title>Publish front-door · Sluice</title>", "autoplay muted playsinline",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in the page", want)
		}
	}
}

// I13: whatever a stream is called, its name stays text.
func TestPagesEscapeTheName(t *testing.T) {
	p := newPages(t)
	for kind, serve := range map[string]func(http.ResponseWriter, *http.Request, string){"player": p.Player, "publish": p.Publish} {
		t.Run(kind, func(t *testing.T) { testEscapes(t, serve) })
	}
}

func testEscapes(t *testing.T, serve func(http.ResponseWriter, *http.Request, string)) {
	t.Helper()
	for _, name := range []string{`"><script>alert(1)</script>`, `' onload='x`, `</title><img src=x onerror=y>`, `../../api`, `a b?c#d`} {
		w := httptest.NewRecorder()
		serve(w, httptest.NewRequest(http.MethodGet, "/x/", nil), name)
		body := w.Body.String()
		if strings.ContainsAny(name, `<>"'`) && strings.Contains(body, name) {
			t.Errorf("%q stands in the page as it is", name)
		}
		endpoint := regexp.MustCompile(`data-endpoint="([^"]*)"`).FindStringSubmatch(body)
		if endpoint == nil || strings.Count(endpoint[1], "/") != 2 || strings.ContainsAny(endpoint[1], "<> ?") {
			t.Errorf("%q gives the endpoint %q", name, endpoint)
		}
	}
}

func TestMethods(t *testing.T) {
	p := newPages(t)
	for _, target := range append([]string{"/assets/style.css"}, pageTargets...) {
		get, head := p.serve(http.MethodGet, target, nil), p.serve(http.MethodHead, target, nil)
		if head.Code != http.StatusOK || head.Body.Len() != 0 {
			t.Errorf("HEAD %s: status %d, %d bytes", target, head.Code, head.Body.Len())
		}
		if want, got := get.Header().Get("Content-Length"), head.Header().Get("Content-Length"); got != want || got == "" {
			t.Errorf("HEAD %s: Content-Length %q, want %q", target, got, want)
		}
		post := p.serve(http.MethodPost, target, nil)
		if post.Code != http.StatusMethodNotAllowed || post.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: status %d, Allow %q", target, post.Code, post.Header().Get("Allow"))
		}
	}
}

// The list lets those sign out who have signed in, and the others sign in where there are accounts.
func TestIndexKnowsWhoHasSignedIn(t *testing.T) {
	signedIn := func(r *http.Request) bool { return r.Header.Get("Cookie") != "" }
	open, closed := func() bool { return false }, func() bool { return true }
	cases := []struct {
		name            string
		options         Options
		cookie          string
		signIn, signOut bool
	}{
		{"no options", Options{}, "sluice_session=x", false, false},
		{"signed in", Options{SignedIn: signedIn, Closed: closed}, "sluice_session=x", false, true},
		{"not signed in", Options{SignedIn: signedIn, Closed: closed}, "", true, false},
		{"no accounts", Options{SignedIn: signedIn, Closed: open}, "", false, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, err := New(c.options)
			if err != nil {
				t.Fatal(err)
			}
			header := http.Header{}
			if c.cookie != "" {
				header.Set("Cookie", c.cookie)
			}
			body := p.serve(http.MethodGet, "/", header).Body.String()
			if got := strings.Contains(body, `id="signout"`) && strings.Contains(body, "data-signed-in"); got != c.signOut {
				t.Errorf("signing out is offered: %t", got)
			}
			if got := strings.Contains(body, `href="/login">Sign in</a>`); got != c.signIn {
				t.Errorf("signing in is offered: %t", got)
			}
		})
	}
}

// Password managers know the fields by their names and autocomplete; nothing of the query gets into the page.
func TestLoginForms(t *testing.T) {
	body := newPages(t).serve(http.MethodGet, "/login?next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&token=canary", nil).Body.String()
	for _, want := range []string{
		`id="token" name="token" class="entry" type="password" autocomplete="current-password"`,
		`id="user" name="username" class="entry" type="text" autocomplete="username"`,
		`id="password" name="password" class="entry" type="password" autocomplete="current-password"`,
		`id="notice" class="notice" role="alert"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in the page", want)
		}
	}
	for _, never := range []string{"canary", "alert(1)", "action="} {
		if strings.Contains(body, never) {
			t.Errorf("%s in the page", never)
		}
	}
}
