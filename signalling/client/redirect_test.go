package client

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// hops redirects n times with the given status, each to the next number, and then makes a session.
func hops(n, status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		at, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		if at == n || r.Method != http.MethodPost {
			created("Location", "session?k=v")(w, r)
			return
		}
		w.Header().Set("Location", fmt.Sprintf("/%d", at+1))
		w.WriteHeader(status)
	}
}

// C2
func TestRedirects(t *testing.T) {
	for name, c := range map[string]struct {
		script http.HandlerFunc
		asked  int
		want   string // part of the error; "": none
	}{
		"307":       {hops(1, 307), 2, ""},
		"308":       {hops(1, 308), 2, ""},
		"five hops": {hops(5, 307), 6, ""},
		"six hops":  {hops(6, 307), 6, "one redirect too many"},
		"a loop":    {hops(-1, 307), 6, "one redirect too many"},
		"301":       {hops(1, 301), 1, "(status 301): that status turns a POST into a GET. Configure the URL that it redirects to"},
		"302":       {hops(1, 302), 1, "(status 302)"},
		"303":       {hops(1, 303), 1, "(status 303)"},
		"to nowhere": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(307)
		}, 1, "does not say where to"},
		"to a file": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(307)
		}, 1, "no HTTP URL"},
		"to no URL": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://h/%zz"+key)
			w.WriteHeader(307)
		}, 1, "no valid URL"},
		"to a metadata service": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://169.254.169.254/latest/meta-data/")
			w.WriteHeader(307)
		}, 1, "metadata service"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, c.script)
			got, err := newClient(t, WHIP, s.URL+"/0").Post(t.Context(), offer)
			switch {
			case c.want == "" && err != nil:
				t.Fatalf("error %v, want none", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), key)):
				t.Errorf("error %v, want %q", err, c.want)
			}
			all := s.requests()
			if len(all) != c.asked {
				t.Errorf("asked %d times, want %d", len(all), c.asked)
			}
			for _, r := range all {
				if r.method != "POST" || r.body != offer || r.header.Get("Authorization") != "Bearer "+token || r.header.Get("Content-Type") != typeSDP {
					t.Errorf("asked %+v", r)
				}
			}
			if got != nil && got.at.url.String() != s.URL+"/session?k=v" {
				t.Errorf("the session is at %v", got.at.url)
			}
		})
	}
}

// C2, C4: the token stays with its origin, and is not sent back there by another's redirect.
func TestTokenStaysWithItsOrigin(t *testing.T) {
	var home *server
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/back" {
			w.Header().Set("Location", home.URL+"/end")
			w.WriteHeader(307)
			return
		}
		created("Location", "/s/1")(w, r)
	})
	home = serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			w.Header().Set("Location", other.URL+"/x")
			w.WriteHeader(307)
		case "/bounce":
			w.Header().Set("Location", other.URL+"/back")
			w.WriteHeader(308)
		case "/located":
			created("Location", other.URL+"/s/2")(w, r)
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	})

	away := session(t, WHIP, home.URL+"/away")
	located := session(t, WHIP, home.URL+"/located")
	for _, s := range []*Session{away, located} {
		if err := s.Delete(t.Context()); err != nil {
			t.Error(err)
		}
	}
	_, err := newClient(t, WHIP, home.URL+"/bounce").Post(t.Context(), offer)
	if err == nil || !strings.Contains(err.Error(), "token was not sent") {
		t.Errorf("error %v, want one that tells why 401", err)
	}
	for _, r := range other.requests() {
		if r.header.Get("Authorization") != "" {
			t.Errorf("%s %s at the other origin has the token", r.method, r.uri)
		}
	}
	if n := len(other.requests()); n != 4 {
		t.Errorf("the other origin was asked %d times, want 4", n)
	}
	for _, r := range home.requests() {
		if sent := r.header.Get("Authorization") != ""; sent != (r.uri != "/end") {
			t.Errorf("%s at its own origin: token sent %v", r.uri, sent)
		}
	}
}

// C2
func TestOrigins(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string
		same bool
	}{
		"the same":       {"https://h/x", "https://h/y?z", true},
		"default port":   {"https://h/x", "https://H:443/", true},
		"default of 80":  {"http://h/x", "http://h:80/", true},
		"another port":   {"https://h/x", "https://h:8443/x", false},
		"another scheme": {"http://h/x", "https://h/x", false},
		"another host":   {"https://h/x", "https://h.evil/x", false},
		"IPv6":           {"https://[2001:db8::A]/x", "https://[2001:DB8::a]:443/y", true},
		"IPv6, no port":  {"https://[2001:db8::1]:443/x", "https://[2001:db8::1:443]/x", false},
		"scheme's case":  {"HTTPS://h/x", "https://h/x", true},
		"IDN":            {"https://bücher.example/x", "https://bÜcher.example/x", true},
		"IDN, homograph": {"https://bucher.example/x", "https://bücher.example/x", false},
		"final dot":      {"https://h/x", "https://h./x", false},
		"host as user":   {"https://h/x", "https://h@evil/x", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sameOrigin(parsed(t, c.a), parsed(t, c.b)); got != c.same {
				t.Errorf("same origin is %v", got)
			}
		})
	}
}

// C3
func TestLocation(t *testing.T) {
	const from = "https://h:8443/app/" + key + "/whip?a=b"
	for name, c := range map[string]struct {
		location, want string // want "": none
		trusted        bool
	}{
		"absolute path":          {"/whip/1", "https://h:8443/whip/1", true},
		"relative":               {"1", "https://h:8443/app/" + key + "/1", true},
		"relative, below":        {"./whip/1", "https://h:8443/app/" + key + "/whip/1", true},
		"relative, above":        {"../../../../s/1", "https://h:8443/s/1", true},
		"only a query":           {"?id=1", "https://h:8443/app/" + key + "/whip?id=1", true},
		"query kept":             {"/s/1?k=%2F&x", "https://h:8443/s/1?k=%2F&x", true},
		"absolute":               {"https://h:8443/s/1", "https://h:8443/s/1", true},
		"absolute, another host": {"https://i/s/1", "https://i/s/1", false},
		"absolute, another port": {"https://h/s/1", "https://h/s/1", false},
		"without scheme":         {"//i/s/1", "https://i/s/1", false},
		"proxy that ends TLS":    {"http://h/s/1?q", "https://h:8443/s/1?q", true},
		"plain, another host":    {"http://i/s/1", "", false},
		"fragment":               {"/s/1#x", "https://h:8443/s/1", true},
		"userinfo":               {"https://u:p@h:8443/s/1", "https://h:8443/s/1", true},
		"broadcast-box, D45":     {"/api/whep/5e1f", "https://h:8443/api/whep/5e1f", true},
		"LiveKit, D42":           {"/app/" + key + "/RES_1", "https://h:8443/app/" + key + "/RES_1", true},
		"another kind":           {"mailto:x@y", "", false},
		"broken":                 {"/%zz", "", false},
		"control character":      {"/\x00", "", false},
		"missing":                {"", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			if c.location != "" {
				h.Set("Location", c.location)
			}
			got, err := locate(&response{header: h, from: target{url: parsed(t, from), trusted: true}})
			if c.want == "" {
				if !errors.Is(err, ErrNoLocation) {
					t.Errorf("at %v (%v), want none", got.url, err)
				}
				return
			}
			if err != nil || got.url.String() != c.want || got.trusted != c.trusted {
				t.Errorf("at %v, trusted %v (%v), want %s, %v", got.url, got.trusted, err, c.want, c.trusted)
			}
		})
	}
}

// C3
func TestWHEPGoesOnWithoutLocation(t *testing.T) {
	s := serve(t, created("ETag", `"1"`))
	got := session(t, WHEP, s.URL)
	if !errors.Is(got.Warning, ErrNoLocation) || got.Trickles() {
		t.Errorf("warning %v, trickles %v", got.Warning, got.Trickles())
	}
	if err := got.Trickle(t.Context(), "f"); !errors.Is(err, ErrNoTrickle) {
		t.Errorf("trickle: %v", err)
	}
	if _, err := got.Restart(t.Context(), "f"); !errors.Is(err, ErrNoLocation) {
		t.Errorf("restart: %v", err)
	}
	if err := got.Delete(t.Context()); err != nil {
		t.Errorf("delete: %v", err)
	}
	if n := len(s.requests()); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
}

// C3: what is wrong with a Location that a proxy has made is told.
func TestUnusableLocation(t *testing.T) {
	r := &response{status: 201, header: http.Header{}, from: target{url: parsed(t, "https://h/whip")}, body: answer}
	r.header.Set("Location", "http://backend:8889/"+key)
	r.header.Set("Content-Type", typeSDP)
	err := newSession(newClient(t, WHIP, "https://h/whip"), r, false).check(r)
	const want = "https://h names a URL for the session (Location) that is not used, as that would give up encryption"
	if !errors.As(err, new(*ProtocolError)) || !errors.Is(err, ErrNoLocation) || err.Error() != want {
		t.Errorf("error %v", err)
	}
}

func FuzzLocation(f *testing.F) {
	for _, s := range []string{"/whip/1", "1?x", "//h/x", "http://h/1", "https://u:p@h:8443/s", "mailto:x", "/%zz", "?", ".."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, location string) {
		from := target{url: parsed(t, "https://h:8443/app/key/whip"), trusted: true}
		got, fault := from.resolve(location)
		if fault != "" {
			return
		}
		if got.url.Scheme != "https" || got.url.Hostname() == "" || got.url.User != nil || got.url.Fragment != "" {
			t.Errorf("%q leads to %v", location, got.url)
		}
		if got.trusted && got.url.Host != "h:8443" && !strings.EqualFold(got.url.Host, "h:8443") {
			t.Errorf("%q takes the token to %v", location, got.url)
		}
	})
}
