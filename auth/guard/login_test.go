package guard

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/auth"
)

const asJSON = "application/json"

// enter logs in and returns the cookie.
func enter(t *testing.T, h http.Handler, body string, headers ...string) string {
	t.Helper()
	w := send(h, "POST", "/login", body, append(headers, "Content-Type", asJSON)...)
	if w.Code != http.StatusNoContent {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return strings.Split(w.Header().Get("Set-Cookie"), ";")[0]
}

// I44: which logins are right, and what their cookie is like.
func TestLogin(t *testing.T) {
	for _, c := range []struct {
		name, method, body string
		headers            []string
		status             int
	}{
		{"token", "POST", `{"token":"` + aliceToken + `"}`, []string{"Content-Type", asJSON}, 204},
		{"token that may nothing", "POST", `{"token":"` + bobToken + `"}`, []string{"Content-Type", asJSON}, 204},
		{"password", "POST", `{"user":"alice","password":"right"}`, []string{"Content-Type", "application/json; charset=utf-8"}, 204},
		{"both in one", "POST", `{"token":"alice:right"}`, []string{"Content-Type", asJSON}, 204},
		{"from our page", "POST", `{"token":"` + aliceToken + `"}`, []string{"Content-Type", asJSON, "Origin", "http://example.com", "Sec-Fetch-Site", "same-origin"}, 204},
		{"wrong token", "POST", `{"token":"x"}`, []string{"Content-Type", asJSON}, 401},
		{"wrong password", "POST", `{"user":"alice","password":"x"}`, []string{"Content-Type", asJSON}, 401},
		{"nothing", "POST", `{}`, []string{"Content-Type", asJSON}, 401},
		{"nothing, but a header", "POST", `{}`, []string{"Content-Type", asJSON, "Authorization", "Bearer " + aliceToken}, 401},
		{"token and user", "POST", `{"token":"x","user":"alice"}`, []string{"Content-Type", asJSON}, 400},
		{"no JSON", "POST", `token=x`, []string{"Content-Type", asJSON}, 400},
		{"a list", "POST", `[]`, []string{"Content-Type", asJSON}, 400},
		{"two values", "POST", `{"token":"x"}{}`, []string{"Content-Type", asJSON}, 400},
		{"deep", "POST", strings.Repeat("[", 4000), []string{"Content-Type", asJSON}, 400},
		{"a form", "POST", `{"token":"` + aliceToken + `"}`, []string{"Content-Type", "text/plain"}, 415},
		{"no type", "POST", `{"token":"` + aliceToken + `"}`, nil, 415},
		{"too long", "POST", `{"token":"` + strings.Repeat("x", 4<<10) + `"}`, []string{"Content-Type", asJSON}, 413},
		{"GET", "GET", "", nil, 405},
		{"another origin", "POST", `{"token":"` + aliceToken + `"}`, []string{"Content-Type", asJSON, "Origin", "https://evil.test"}, 403},
		{"another site", "POST", `{"token":"` + aliceToken + `"}`, []string{"Content-Type", asJSON, "Sec-Fetch-Site", "same-site"}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := send(newHouse(t), c.method, "/login", c.body, c.headers...)
			cookie := w.Header().Get("Set-Cookie")
			if c.status != http.StatusNoContent {
				expectProblem(t, w, c.status)
				if cookie != "" || strings.Contains(w.Body.String(), aliceToken) {
					t.Errorf("%s %s", cookie, w.Body)
				}
				return
			}
			for _, want := range []string{cookieName + "=", "; Path=/;", "Max-Age=43200", "HttpOnly", "SameSite=Strict"} {
				if !strings.Contains(cookie, want) {
					t.Errorf("%s lacks %s", cookie, want)
				}
			}
			if w.Code != c.status || len(cookie) < len(cookieName)+27 || strings.Contains(cookie, "Secure") || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%d %s", w.Code, cookie)
			}
		})
	}
}

// I44: over TLS the cookie never leaves it.
func TestLoginOverTLS(t *testing.T) {
	r := httptest.NewRequest("POST", "/login", strings.NewReader(`{"token":"`+aliceToken+`"}`))
	r.Header.Set("Content-Type", asJSON)
	r.TLS = &tls.ConnectionState{}
	w := httptest.NewRecorder()
	newHouse(t).ServeHTTP(w, r)
	if c := w.Header().Get("Set-Cookie"); !strings.Contains(c, "; Secure") {
		t.Error(c)
	}
}

// I6: the login is no way around the back-off.
func TestLoginBacksOff(t *testing.T) {
	h := newHouse(t)
	for range 10 {
		expectProblem(t, send(h, "POST", "/login", `{"token":"x"}`, "Content-Type", asJSON), 401)
	}
	expectProblem(t, send(h, "POST", "/login", `{"token":"`+aliceToken+`"}`, "Content-Type", asJSON), 429)
}

// I44: who is logged in keeps on, whoever guesses his name meanwhile.
func TestCookieIsNotHeldUpByGuesses(t *testing.T) {
	h := newHouse(t)
	cookie := enter(t, h, `{"token":"`+aliceToken+`"}`)
	for range 11 {
		send(h, "GET", "/cam/", "", "Authorization", "Basic YWxpY2U6eA==")
	}
	if w := send(h, "GET", "/cam/", "", "Cookie", cookie); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// I44: with a cookie alone, only our own pages change anything.
func TestCookieChangesOnlyFromOurPages(t *testing.T) {
	h := newHouse(t)
	cookie := enter(t, h, `{"token":"`+aliceToken+`"}`)
	for _, c := range []struct {
		name, method string
		headers      []string
		status       int
	}{
		{"our page", "POST", []string{"Origin", "http://example.com", "Sec-Fetch-Site", "same-origin"}, 200},
		{"our page, old browser", "POST", []string{"Origin", "http://example.com"}, 200},
		{"another origin", "POST", []string{"Origin", "https://evil.test", "Sec-Fetch-Site", "cross-site"}, 403},
		{"another origin, old browser", "DELETE", []string{"Origin", "https://evil.test"}, 403},
		{"another port", "PATCH", []string{"Origin", "http://example.com:3000", "Sec-Fetch-Site", "same-site"}, 403},
		{"origin null", "POST", []string{"Origin", "null"}, 403},
		{"reading changes nothing", "GET", []string{"Sec-Fetch-Site", "cross-site"}, 200},
		{"a WebSocket reads and writes", "GET", []string{"Origin", "https://evil.test", "Upgrade", "websocket"}, 403},
		{"a WebSocket of our page", "GET", []string{"Origin", "http://example.com", "Upgrade", "websocket"}, 200},
		{"a header is no cookie", "POST", []string{"Origin", "https://evil.test", "Authorization", "Bearer " + aliceToken}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			if w := send(h, c.method, "/cam/whep", "", append(c.headers, "Cookie", cookie)...); w.Code != c.status {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

// I44: how a login ends.
func TestLoginEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		status := func(cookie string) int { return send(h, "GET", "/cam/", "", "Cookie", cookie).Code }
		first := enter(t, h, `{"token":"`+aliceToken+`"}`)
		second := enter(t, h, `{"token":"`+aliceToken+`"}`, "Cookie", first)
		if first == second || status(first) != 401 || status(second) != 200 {
			t.Error("a second login leaves the first")
		}
		w := send(h, "POST", "/logout", "", "Cookie", second, "Origin", "https://evil.test")
		expectProblem(t, w, 403)
		w = send(h, "POST", "/logout", "", "Cookie", second)
		if c := w.Header().Get("Set-Cookie"); w.Code != 204 || !strings.Contains(c, cookieName+"=;") || !strings.Contains(c, "Max-Age=0") || status(second) != 401 {
			t.Errorf("%d %s", w.Code, c)
		}
		third := enter(t, h, `{"user":"alice","password":"right"}`)
		time.Sleep(loginTTL - time.Second)
		if status(third) != 200 {
			t.Error("it ends early")
		}
		time.Sleep(2 * time.Second)
		if status(third) != 401 {
			t.Error("it doesn't end")
		}
		fourth, bystander := enter(t, h, `{"token":"`+aliceToken+`"}`), enter(t, h, `{"token":"`+bobToken+`"}`)
		without := users(t)
		without[1].Tokens = nil
		h.use(t, auth.Options{Mode: auth.ModeInternal, Users: without})
		if status(fourth) != 401 || status(bystander) != 403 {
			t.Error("a token was withdrawn")
		}
		h.use(t, auth.Options{Mode: auth.ModeInternal, Users: users(t)})
		if status(fourth) != 401 {
			t.Error("a login that was over is alive again")
		}
	})
}

// I44: what is kept of logins is bounded; the oldest gives way, and nobody can put others out.
func TestLoginsAreBounded(t *testing.T) {
	const size = 3 * maxOwnLogins
	l := newLogins(size)
	add := func(name string) string {
		return l.add(&auth.Principal{Name: name, Kind: auth.ModeInternal}, auth.Credentials{Password: "x"})
	}
	admin := add("admin")
	if !l.find(admin).credentials.None() {
		t.Error("a password is kept")
	}
	first := add("bob")
	for range maxOwnLogins - 1 {
		add("bob")
	}
	if l.find(first) == nil {
		t.Error("a login gives way too early")
	}
	for range 2 * size {
		l.drop(add("bob"))
	}
	if l.find(first) != nil || l.find(admin) == nil || len(l.known) != maxOwnLogins || len(l.order) != len(l.known) {
		t.Errorf("%d logins, %d ids", len(l.known), len(l.order))
	}
	for i := range size {
		add(strconv.Itoa(i))
	}
	if l.find(admin) != nil || len(l.known) != size || len(l.order) != size {
		t.Errorf("%d logins, %d ids", len(l.known), len(l.order))
	}
}

// I44, I5: in mode "http" the other server is asked with the login's credentials, for what each request wants.
func TestCookieInModeHTTP(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct{ User, Password, Path string }
		switch _ = json.NewDecoder(r.Body).Decode(&q); {
		case q.Password != "right":
			w.WriteHeader(http.StatusUnauthorized)
		case q.Path != "cam":
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer s.Close()
	h := newHouse(t)
	h.use(t, auth.Options{Mode: auth.ModeHTTP, HTTP: auth.HTTP{URL: s.URL}, Client: s.Client()})
	expectProblem(t, send(h, "POST", "/login", `{"user":"alice","password":"x"}`, "Content-Type", asJSON), 401)
	cookie := enter(t, h, `{"user":"alice","password":"right"}`)
	for path, want := range map[string]int{"/cam/": 200, "/other/": 403} {
		if w := send(h, "GET", path, "", "Cookie", cookie); w.Code != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}
