package guard

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/auth"
	"sluice/signalling/problem"
)

const browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"

// A90, A91: who is challenged, how, and who is sent to the login. A browser never gets a challenge of Basic: it would
// open a dialog over our page.
func TestChallenges(t *testing.T) {
	const bearer, invalid, both = `Bearer realm="sluice"`, "invalid_token", "Basic"
	for _, c := range []struct {
		name, method, path string
		headers            []string
		status             int
		want, without      string
	}{
		{"WHEP client", "POST", "/cam/whep", nil, 401, bearer, both},
		{"WHEP client, wrong", "POST", "/cam/whep", []string{"Authorization", "Bearer x"}, 401, invalid, both},
		{"right, but not for this", "POST", "/other/whep", []string{"Authorization", "Bearer " + aliceToken}, 403, "", bearer},
		{"curl", "GET", "/cam/", []string{"User-Agent", "curl/8", "Accept", "*/*"}, 401, both, invalid},
		{"curl, wrong", "GET", "/cam/", []string{"User-Agent", "curl/8", "Authorization", "Basic eDp5"}, 401, both, "xxx"},
		{"wget, HEAD", "HEAD", "/cam/", []string{"User-Agent", "Wget/1.21"}, 401, both, invalid},
		{"fetch of a page", "GET", "/cam/", []string{"User-Agent", browser, "Accept", "*/*", "Sec-Fetch-Mode", "cors"}, 401, bearer, both},
		{"fetch that asks for HTML", "GET", "/cam/", []string{"User-Agent", browser, "Accept", "text/html", "Sec-Fetch-Mode", "cors"}, 401, bearer, both},
		{"fetch over plain HTTP", "GET", "/cam/", []string{"User-Agent", browser, "Accept", "*/*"}, 401, bearer, both},
		{"a picture", "GET", "/cam/snapshot.jpg", []string{"User-Agent", browser, "Accept", "image/*", "Sec-Fetch-Mode", "no-cors"}, 401, bearer, both},
		{"WebSocket", "GET", "/cam/", []string{"User-Agent", browser, "Sec-Fetch-Mode", "websocket"}, 401, bearer, both},
		{"POST of a page", "POST", "/cam/whep", []string{"User-Agent", browser, "Accept", "text/html"}, 401, bearer, both},
		{"a page", "GET", "/cam/?a=b", []string{"User-Agent", browser, "Accept", "text/html,*/*", "Sec-Fetch-Mode", "navigate"}, 303, "", bearer},
		{"a page over plain HTTP", "GET", "/cam/", []string{"User-Agent", browser, "Accept", "text/html,*/*"}, 303, "", bearer},
		{"a page, wrong", "GET", "/cam/", []string{"Accept", "text/html", "Authorization", "Bearer x"}, 303, "", bearer},
		{"a page, not for this", "GET", "/other/", []string{"Accept", "text/html", "Authorization", "Bearer " + aliceToken}, 403, "", bearer},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := send(newHouse(t), c.method, c.path, "", c.headers...)
			got := strings.Join(w.Header().Values("WWW-Authenticate"), ", ")
			if !strings.Contains(got, c.want) || strings.Contains(got, c.without) {
				t.Errorf("%s", got)
			}
			switch {
			case c.status != 303:
				expectProblem(t, w, c.status)
			case w.Code != 303 || w.Header().Get("Location") != "/login?next="+url.QueryEscape(c.path) || w.Header().Get("Cache-Control") != "no-store":
				t.Errorf("%d %v", w.Code, w.Header())
			}
		})
	}
}

// A90: the login leads back to a page of this server, without the token that its URL had, and to no other server.
func TestNext(t *testing.T) {
	for target, want := range map[string]string{
		"/cam/":                        "/cam/",
		"/cam/?a=b&token=secret&c=%2F": "/cam/?a=b&c=%2F",
		"//evil.test/":                 "/",
		"///evil.test/":                "/",
		"http://evil.test//evil.test":  "/",
		"http://evil.test/cam":         "/cam",
		"http://evil.test":             "/",
		`/\evil.test`:                  "/%5Cevil.test",
		"/%5Cevil.test":                "/%5Cevil.test",
		"/%0D%0ASet-Cookie:x":          "/%0D%0ASet-Cookie:x",
		"*":                            "/",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		u, err := url.ParseRequestURI(target)
		if err != nil {
			t.Fatal(err)
		}
		r.URL = u
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		newHouse(t).ServeHTTP(w, r)
		if got := w.Header().Get("Location"); got != "/login?next="+url.QueryEscape(want) {
			t.Errorf("%s: %s", target, got)
		}
	}
}

// I5, I6, A90: each refusal has its status; why nothing can be told is for the log.
func TestRefuse(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		name   string
		err    error
		status int
		retry  string
		says   string
	}{
		{"no credentials", auth.ErrNoCredentials, 401, "", "needs"},
		{"wrong", fmt.Errorf("x: %w", auth.ErrInvalid), 401, "", "wrong"},
		{"no right", &auth.ForbiddenError{Principal: "alice", Action: auth.Play, Stream: "cam"}, 403, "", `"alice" has no right "play"`},
		{"another origin", &CrossOriginError{}, 403, "", "origin"},
		{"back-off", &auth.BackoffError{RetryAfter: 1500 * time.Millisecond}, 429, "2", "Wait"},
		{"too many questions", &auth.RateError{RetryAfter: 50 * time.Millisecond}, 429, "1", "asks faster"},
		{"unavailable", &auth.UnavailableError{Err: errors.New("the reason")}, 503, "5", "log"},
		{"gone", context.Canceled, 503, "5", "log"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			h.Refuse(w, httptest.NewRequest("POST", "/cam/whep", nil), c.err)
			expectProblem(t, w, c.status)
			if got := w.Header().Get("Retry-After"); got != c.retry || !strings.Contains(strings.ReplaceAll(w.Body.String(), `\"`, `"`), c.says) || strings.Contains(w.Body.String(), "reason") {
				t.Errorf("%s %s", got, w.Body)
			}
		})
	}
	if !strings.Contains(h.log.String(), "the reason") {
		t.Errorf("log: %s", h.log.String())
	}
}

// I5: trouble that repeats is told once a second.
func TestUnavailableLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		for range 2 {
			for range 100 {
				h.Refuse(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), &auth.UnavailableError{Err: errors.New("x")})
			}
			time.Sleep(time.Second)
		}
		if n := strings.Count(h.log.String(), "\n"); n != 2 {
			t.Errorf("%d lines", n)
		}
	})
}

// I6: ten wrong logins over HTTP, and the next gets 429 whatever it shows.
func TestBackoffOverHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		for range 10 {
			expectProblem(t, send(h, "POST", "/cam/whep", "", "Authorization", "Bearer x"), 401)
		}
		w := send(h, "POST", "/cam/whep", "", "Authorization", "Bearer "+aliceToken)
		expectProblem(t, w, 429)
		if w.Header().Get("Retry-After") != "60" {
			t.Errorf("%v", w.Header())
		}
	})
}

// J11: an Authorization of 64 KiB is refused by the server, before anybody looks at it.
func TestHugeAuthorization(t *testing.T) {
	s := httptest.NewUnstartedServer(newHouse(t))
	s.Config.MaxHeaderBytes = 16 << 10
	s.Start()
	defer s.Close()
	for size, want := range map[int]int{64 << 10: http.StatusRequestHeaderFieldsTooLarge, 8 << 10: http.StatusUnauthorized} {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			fmt.Fprintf(c, "POST /cam/whep HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nAuthorization: Bearer %s\r\n\r\n", strings.Repeat("x", size))
		}()
		w, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		w.Body.Close()
		c.Close()
		if w.StatusCode != want {
			t.Errorf("%d bytes: %d", size, w.StatusCode)
		}
	}
}

// BenchmarkRequire is the cost of a request that may.
func BenchmarkRequire(b *testing.B) {
	h := newHouse(b)
	r := httptest.NewRequest("POST", "/cam/whep", nil)
	r.Header.Set("Authorization", "Basic YWxpY2U6cmlnaHQ=")
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := h.Require(w, r, auth.Publish, "cam"); !ok {
			b.Fatal(w.Code)
		}
	}
}

// BenchmarkRefuse is the cost of one that may not.
func BenchmarkRefuse(b *testing.B) {
	h := newHouse(b)
	r := httptest.NewRequest("POST", "/cam/whep", nil)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		if _, ok := h.Require(w, r, auth.Publish, "cam"); ok {
			b.Fatal("let in")
		}
	}
}

// A90: who opens a page and may not is told so on a page; programs and scripts get a problem document.
func TestRefusalOfAPage(t *testing.T) {
	h := newHouse(t)
	h.o.Page = func(w http.ResponseWriter, _ *http.Request, p problem.Problem) {
		w.WriteHeader(p.Status)
		_, _ = w.Write([]byte("page: " + p.Detail))
	}
	cookie := enter(t, h, `{"token":"`+bobToken+`"}`)
	if w := send(h, "GET", "/cam/", "", "Cookie", cookie, "Accept", "text/html"); w.Code != 403 || !strings.HasPrefix(w.Body.String(), "page: ") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	expectProblem(t, send(h, "GET", "/cam/", "", "Cookie", cookie), 403)
	expectProblem(t, send(h, "GET", "/cam/", "", "Cookie", cookie, "Accept", "text/html", "Sec-Fetch-Mode", "cors"), 403)
	expectProblem(t, send(h, "POST", "/cam/", "", "Cookie", cookie, "Accept", "text/html"), 403)
}
