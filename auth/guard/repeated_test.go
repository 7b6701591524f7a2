package guard

import (
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"sluice/auth"
)

// I6: a dashboard that is open when its token is withdrawn sends the cookie with ten requests at once, which is one
// wrong login; one URL with a wrong token is one, however often it is opened and whatever is asked about it.
func TestBrowserIsNoGuesser(t *testing.T) {
	h := newHouse(t)
	h.query = true
	_, line := h.open("/cam/?token=" + aliceToken)
	without := users(t)
	without[1].Tokens = nil
	h.use(t, auth.Options{Mode: auth.ModeInternal, Users: without})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			r := httptest.NewRequest("GET", "/cam/whep", nil)
			r.Header.Set("Cookie", strings.Split(line, ";")[0])
			if _, err := h.Check(r, auth.Play, "cam"); resultOf(err) != NoCredentials {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for range 10 {
		if status, _ := h.open("/cam/?token=wrong", "Cookie", strings.Split(line, ";")[0]); status != 303 {
			t.Fatal(status)
		}
	}
	if w := send(h, "GET", "/open1", "", "Authorization", "Bearer "+bobToken); w.Code != 200 {
		t.Errorf("locked out: %d", w.Code)
	}
}

// I6: many questions about one request that shows what is wrong are one wrong login, and many requests are as many.
func TestQuestionsOfARequestCountOnce(t *testing.T) {
	h := newHouse(t)
	wrong := func() {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer x")
		r = h.read(r)
		for range 20 {
			if _, err := h.Check(r, auth.Play, "cam"); resultOf(err) != Invalid {
				t.Fatal(err)
			}
		}
	}
	for range 9 {
		wrong()
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+aliceToken)
	if _, err := h.Check(r, auth.Play, "cam"); err != nil {
		t.Errorf("after nine: %v", err)
	}
}

// I5: a denial of mode http ends no login of a browser.
func TestDenialEndsNoLogin(t *testing.T) {
	s := httptest.NewServer(backend401())
	defer s.Close()
	h := newHouse(t)
	h.query = true
	h.use(t, auth.Options{Mode: auth.ModeHTTP, HTTP: auth.HTTP{URL: s.URL}, Client: s.Client()})
	_, line := h.open("/cam/?token=right")
	cookie := strings.Split(line, ";")[0]
	for _, c := range []struct {
		path   string
		status int
	}{{"/cam/", 200}, {"/other/", 401}, {"/cam/", 200}} {
		if w := send(h, "GET", c.path, "", "Cookie", cookie); w.Code != c.status || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v", c.path, w.Code, w.Header())
		}
	}
}

// I6: the login page backs off in mode http as well.
func TestLoginBacksOffInModeHTTP(t *testing.T) {
	s := httptest.NewServer(backend401())
	defer s.Close()
	h := newHouse(t)
	h.use(t, auth.Options{Mode: auth.ModeHTTP, HTTP: auth.HTTP{URL: s.URL}, Client: s.Client()})
	try := func() int {
		return send(h, "POST", "/login", `{"token":"x"}`, "Content-Type", asJSON).Code
	}
	for range 10 {
		if code := try(); code != 401 {
			t.Error(code)
		}
	}
	if code := try(); code != 429 {
		t.Error(code)
	}
}
