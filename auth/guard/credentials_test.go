package guard

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"sluice/auth"
)

// A90, A91: what an Authorization says.
var headers = []struct {
	name, text string
	want       auth.Credentials
	lenient    auth.Credentials
}{
	{"nothing", "", auth.Credentials{}, auth.Credentials{}},
	{"spaces", "  ", auth.Credentials{}, auth.Credentials{}},
	{"Bearer", "Bearer t", auth.Credentials{Token: "t"}, auth.Credentials{Token: "t"}},
	{"lower case", "bearer t", auth.Credentials{Token: "t"}, auth.Credentials{Token: "t"}},
	{"several spaces", "Bearer   t ", auth.Credentials{Token: "t"}, auth.Credentials{Token: "t"}},
	{"Bearer of OBS", "Bearer alice:right", auth.Credentials{Token: "alice:right"}, auth.Credentials{Token: "alice:right"}},
	{"an empty Bearer", "Bearer ", auth.Credentials{}, auth.Credentials{}},
	{"Bearer alone", "Bearer", auth.Credentials{}, auth.Credentials{}},
	{"Basic", "Basic YWxpY2U6cmlnaHQ=", auth.Credentials{User: "alice", Password: "right"}, auth.Credentials{User: "alice", Password: "right"}},
	{"Basic, colons in the password", "basic YWxpY2U6YTpi", auth.Credentials{User: "alice", Password: "a:b"}, auth.Credentials{User: "alice", Password: "a:b"}},
	{"Basic with a token", "Basic OnQ=", auth.Credentials{Token: "t"}, auth.Credentials{Token: "t"}},
	{"Basic, no colon", "Basic YWxpY2U=", auth.Credentials{Unreadable: true}, auth.Credentials{Unreadable: true}},
	{"Basic, no base64", "Basic !", auth.Credentials{Unreadable: true}, auth.Credentials{Unreadable: true}},
	{"no scheme", "t", auth.Credentials{Unreadable: true}, auth.Credentials{Token: "t"}},
	{"another scheme", "Digest username=x", auth.Credentials{Unreadable: true}, auth.Credentials{Unreadable: true}},
}

func TestHeader(t *testing.T) {
	for _, c := range headers {
		t.Run(c.name, func(t *testing.T) {
			if got := header(c.text, false); got != c.want {
				t.Errorf("%#v", [3]any{got.Token, got.User, got.Password})
			}
			if got := header(c.text, true); got != c.lenient {
				t.Errorf("lenient: %#v", [3]any{got.Token, got.User, got.Password})
			}
		})
	}
}

func FuzzHeader(f *testing.F) {
	for _, c := range headers {
		f.Add(c.text, false)
	}
	f.Fuzz(func(t *testing.T, text string, lenient bool) {
		c := header(text, lenient)
		if c.Unreadable && (c.Token != "" || c.User != "") || c.Token != "" && c.User != "" {
			t.Errorf("%q: %#v", text, [3]any{c.Token, c.User, c.Unreadable})
		}
	})
}

// J20, B17: the token is taken out of the URL, and nothing else is changed.
var queries = []struct{ query, token, rest string }{
	{"", "", ""},
	{"a=b&c", "", "a=b&c"},
	{"token=t", "t", ""},
	{"a=b&token=t&c=%41", "t", "a=b&c=%41"},
	{"token=t&token=u", "t", ""},
	{"to%6ben=t", "t", ""},
	{"TOKEN=t", "t", ""},
	{"token=a%2Bb%3Ac", "a+b:c", ""},
	{"token", "", ""},
	{"token=%zz&a=%zz", "", "a=%zz"},
	{"tokens=t", "", "tokens=t"},
	{"a=token=t", "", "a=token=t"},
	{"&&token=t&", "t", "&&"},
}

func TestCutToken(t *testing.T) {
	for _, c := range queries {
		if token, rest, _ := cutToken(c.query); token != c.token || rest != c.rest {
			t.Errorf("%s: %q %q", c.query, token, rest)
		}
	}
}

func FuzzCutToken(f *testing.F) {
	for _, c := range queries {
		f.Add(c.query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		_, rest, _ := cutToken(query)
		values, _ := url.ParseQuery(rest)
		if values.Has("token") {
			t.Errorf("%q leaves %q", query, rest)
		}
		if _, again, found := cutToken(rest); found || again != rest {
			t.Errorf("%q: twice %q", query, again)
		}
	})
}

// A90, A91, B17: which credentials count when there are several, and which only where the configuration says so.
func TestWhichCredentialsCount(t *testing.T) {
	h := newHouse(t)
	w := send(h, "POST", "/login", `{"token":"`+bobToken+`"}`, "Content-Type", "application/json")
	cookie := strings.Split(w.Header().Get("Set-Cookie"), ";")[0]
	for _, c := range []struct {
		name           string
		query, lenient bool
		url            string
		headers        []string
		status         int
		principal      string
	}{
		{"nothing", false, false, "/open1", nil, 200, "anonymous"},
		{"header", false, false, "/cam", []string{"Authorization", "Bearer " + aliceToken}, 200, "alice"},
		{"header over URL and cookie", true, false, "/open1?token=" + bobToken, []string{"Authorization", "Bearer " + aliceToken, "Cookie", cookie}, 200, "alice"},
		{"a wrong header over a right URL", true, false, "/cam?token=" + aliceToken, []string{"Authorization", "Bearer x"}, 401, ""},
		{"URL", true, false, "/cam?token=" + aliceToken, nil, 200, "alice"},
		{"URL over cookie", true, false, "/cam?token=" + aliceToken, []string{"Cookie", cookie}, 200, "alice"},
		{"URL, not allowed", false, false, "/cam?token=" + aliceToken, nil, 401, ""},
		{"a wrong URL, not allowed", false, false, "/open1?token=x", nil, 200, "anonymous"},
		{"cookie", false, false, "/open1", []string{"Cookie", cookie}, 200, "bob"},
		{"cookie without the right", false, false, "/cam", []string{"Cookie", cookie}, 403, ""},
		{"an unknown cookie is none", false, false, "/open1", []string{"Cookie", cookieName + "=x"}, 200, "anonymous"},
		{"without a scheme", false, false, "/cam", []string{"Authorization", aliceToken}, 401, ""},
		{"without a scheme, lenient", false, true, "/cam", []string{"Authorization", aliceToken}, 200, "alice"},
		{"wrong where anybody may", false, false, "/open1", []string{"Authorization", "Bearer x"}, 401, ""},
		{"unreadable where anybody may", false, false, "/open1", []string{"Authorization", "Digest x"}, 401, ""},
		{"user and password", false, false, "/cam", []string{"Authorization", "Basic YWxpY2U6cmlnaHQ="}, 200, "alice"},
		{"user and password of OBS", false, false, "/cam", []string{"Authorization", "Bearer alice:right"}, 200, "alice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.query, h.lenient = c.query, c.lenient
			w := send(h, "GET", c.url, "", c.headers...)
			if w.Code != c.status || c.status == 200 && !strings.HasPrefix(w.Body.String(), c.principal+" ") {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

// J20: no handler sees a token of a URL, nor does whoever holds the request outside.
func TestTokenIsTakenOutOfTheURL(t *testing.T) {
	for _, allowed := range []bool{true, false} {
		h := newHouse(t)
		h.query = allowed
		r := httptest.NewRequest("GET", "/open1/?a=b&token="+aliceToken+"&c", nil)
		r.Header.Set("Referer", "https://x.test/?Token="+aliceToken)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		want := map[bool]string{true: "alice", false: "anonymous"}[allowed] + " /open1/?a=b&c /open1/?a=b&c"
		if w.Body.String() != want {
			t.Errorf("%s", w.Body)
		}
		if r.URL.String()+r.RequestURI+r.Referer() != "/open1/?a=b&c/open1/?a=b&c" {
			t.Errorf("%s %s %s", r.URL, r.RequestURI, r.Referer())
		}
	}
}

// A92: what counts as shown.
func TestShown(t *testing.T) {
	h := newHouse(t)
	for header, want := range map[string]bool{"": false, "Bearer x": true, "Digest x": true, "x": true} {
		r := httptest.NewRequest("DELETE", "/cam/whep/1", nil)
		r.Header.Set("Authorization", header)
		if Shown(r) != want || Shown(h.read(r)) != want {
			t.Errorf("%q: %v %v", header, Shown(r), Shown(h.read(r)))
		}
	}
	r := httptest.NewRequest("DELETE", "/cam/whep/1", nil)
	r.Header.Set("Cookie", cookieName+"=x")
	if !Shown(r) || Shown(h.read(r)) {
		t.Error("a cookie of no login")
	}
}

// I5: what the question about a request holds.
func TestRequest(t *testing.T) {
	for path, want := range map[string]string{
		"/cam/whep": "whep", "/cam/whep/1": "whep", "/cam/whip": "whip", "/cam/talk": "whip", "/cam/": "http", "/cam": "http", "/whep": "http", "/": "http", "": "http",
	} {
		if got := protocol(path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
	for text, want := range map[string]string{"192.0.2.1:1": "192.0.2.1", "[::ffff:192.0.2.1]:1": "192.0.2.1", "[2001:db8::1]:1": "2001:db8::1", "": "invalid IP", "@": "invalid IP"} {
		r := httptest.NewRequest("GET", "/cam/?a=b", nil)
		r.RemoteAddr = text
		r.Header.Set("User-Agent", "x")
		if got := request(r, auth.Credentials{}, auth.Play, "cam"); got.Remote.String() != want || got.Query != "a=b" || got.UserAgent != "x" {
			t.Errorf("%s: %+v", text, got)
		}
	}
}
