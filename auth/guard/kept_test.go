package guard

import (
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/auth"
)

// open opens a page in a browser, and returns the answer's status and cookie.
func (h *house) open(url string, headers ...string) (status int, cookie string) {
	w := send(h, "GET", url, "", append(headers, "Accept", "text/html", "Sec-Fetch-Mode", "navigate")...)
	return w.Code, w.Header().Get("Set-Cookie")
}

// I44, B17: a page that was opened with a token goes on with it.
func TestTokenOfAPageIsKept(t *testing.T) {
	const odd = "odd; token=%, ünd\""
	h := newHouse(t)
	with := users(t)
	with[2].Tokens = append(with[2].Tokens, auth.HashToken(odd))
	h.use(t, auth.Options{Mode: auth.ModeInternal, Users: with})
	h.query = true
	status, line := h.open("/cam/?token=" + aliceToken)
	cookie, attributes, _ := strings.Cut(line, ";")
	if status != 200 || attributes != " Path=/; HttpOnly; SameSite=Strict" {
		t.Errorf("%d %s", status, line)
	}
	for _, c := range []struct {
		name, method, url string
		headers           []string
		status            int
		who               string
	}{
		{"reads", "GET", "/cam/", nil, 200, "alice"},
		{"changes", "POST", "/cam/whep", []string{"Origin", "http://example.com"}, 200, "alice"},
		{"changes from elsewhere", "POST", "/cam/whep", []string{"Origin", "https://evil.test"}, 403, ""},
		{"a header counts more", "GET", "/open1", []string{"Authorization", "Bearer " + bobToken}, 200, "bob"},
		{"no right", "POST", "/other/whip", nil, 403, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := send(h, c.method, c.url, "", append(c.headers, "Cookie", cookie)...)
			if w.Code != c.status || c.who != "" && !strings.HasPrefix(w.Body.String(), c.who+" ") || w.Header().Get("Set-Cookie") != "" {
				t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
			}
		})
	}
	if _, line := h.open("/open1?token=odd%3B+token%3D%25%2C+%C3%BCnd%22"); keptToken(strings.TrimPrefix(strings.Split(line, ";")[0], cookieName+"=")) != odd {
		t.Error(line)
	}
	h.query = false
	if w := send(h, "GET", "/cam/", "", "Cookie", cookie); w.Code != 401 {
		t.Errorf("tokens of URLs are not wanted any more: %d", w.Code)
	}
}

// B17: nothing is kept of a wrong token, without the right, or for a program.
func TestTokenIsNotKept(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		name, url string
		query     bool
		headers   []string
	}{
		{"not allowed", "/cam/?token=" + aliceToken, false, nil},
		{"wrong", "/cam/?token=x", true, nil},
		{"no right", "/cam/?token=" + bobToken, true, nil},
		{"none", "/open1/", true, nil},
		{"in a header", "/cam/", true, []string{"Authorization", "Bearer " + aliceToken}},
	} {
		h.query = c.query
		if _, cookie := h.open(c.url, c.headers...); cookie != "" {
			t.Errorf("%s: %s", c.name, cookie)
		}
	}
	if w := send(h, "GET", "/cam/?token="+aliceToken, ""); w.Code != 200 || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("a program: %d %v", w.Code, w.Header())
	}
}

// I44: a page's token ends the login from before; a later login ends the token.
func TestTokenOfAPageReplacesALogin(t *testing.T) {
	h := newHouse(t)
	h.query = true
	before := enter(t, h, `{"token":"`+bobToken+`"}`)
	_, line := h.open("/cam/?token="+aliceToken, "Cookie", before)
	if w := send(h, "GET", "/open1", "", "Cookie", before); !strings.HasPrefix(w.Body.String(), "anonymous ") {
		t.Errorf("the login goes on: %s", w.Body)
	}
	if after := enter(t, h, `{"token":"`+bobToken+`"}`, "Cookie", strings.Split(line, ";")[0]); strings.Contains(after, keptPrefix) {
		t.Error(after)
	}
}

// I6: a token that was withdrawn is taken out of the browser, so that an open page is not taken for one who guesses.
func TestWithdrawnTokenIsTidiedAway(t *testing.T) {
	h := newHouse(t)
	h.query = true
	_, line := h.open("/cam/?token=" + aliceToken)
	cookie := strings.Split(line, ";")[0]
	without := users(t)
	without[1].Tokens = nil
	h.use(t, auth.Options{Mode: auth.ModeInternal, Users: without})
	for url, want := range map[string]int{"/cam/": 401, "/open1": 200} {
		w := send(h, "GET", url, "", "Cookie", cookie)
		if gone := w.Header().Get("Set-Cookie"); w.Code != want || !strings.HasPrefix(gone, cookieName+"=;") || !strings.Contains(gone, "Max-Age=0") {
			t.Errorf("%s: %d %s", url, w.Code, gone)
		}
	}
}

// I44: pages that anybody may open keep a token that is somebody's.
func TestRemember(t *testing.T) {
	h := newHouse(t)
	h.query = true
	for token, want := range map[string]bool{aliceToken: true, bobToken: true, "x": false} {
		r := httptest.NewRequest("GET", "/?token="+token, nil)
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		h.Remember(w, r)
		if got := w.Header().Get("Set-Cookie") != ""; got != want {
			t.Errorf("%s: %v", token, got)
		}
	}
}
