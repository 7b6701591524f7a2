package rtsp

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"sluice/ingest"
	"sluice/internal/testcamera"
)

// without refuses an Authorization header that has one of the words.
func without(words ...string) func(h string) error {
	return func(h string) error {
		for _, w := range words {
			if strings.Contains(h, w) {
				return fmt.Errorf("%q has %q", h, w)
			}
		}
		return nil
	}
}

// with refuses an Authorization header that lacks one of the words.
func with(words ...string) func(h string) error {
	return func(h string) error {
		for _, w := range words {
			if !strings.Contains(h, w) {
				return fmt.Errorf("%q lacks %q", h, w)
			}
		}
		return nil
	}
}

func TestAuthentication(t *testing.T) {
	const digest = `Digest realm="Cam, 1", nonce="f00", `
	for name, c := range map[string]struct {
		challenges []string
		check      func(string) error
	}{
		"E20 Basic":                        {[]string{`Basic realm="c"`}, with("Basic")},
		"E20 MD5 without qop, minimal":     {[]string{`Digest realm="c", nonce="f00"`}, without("algorithm", "qop", "cnonce", "opaque")},
		"E20 MD5 named":                    {[]string{digest + `algorithm=MD5`}, without("algorithm")},
		"E20 MD5 with qop":                 {[]string{digest + `qop="auth"`}, with("qop=auth", "nc=0000000")},
		"E20 qop of two":                   {[]string{digest + `qop="auth-int,auth", opaque="o\"p"`}, with("qop=auth", `opaque="o\"p"`)},
		"E20 MD5-sess":                     {[]string{digest + `algorithm=MD5-sess, qop="auth"`}, with("algorithm=MD5-sess")},
		"E20 SHA-256":                      {[]string{digest + `algorithm=SHA-256`}, with("algorithm=SHA-256")},
		"E20 SHA-256 quoted, qop":          {[]string{digest + `algorithm="SHA-256", qop="auth"`}, with("algorithm=SHA-256")},
		"E20 SHA-512-256":                  {[]string{digest + `algorithm=SHA-512-256`}, with("algorithm=SHA-512-256")},
		"E20 the strongest of several":     {[]string{`Basic realm="c"`, digest + `algorithm=MD5`, digest + `algorithm=SHA-256`}, with("algorithm=SHA-256")},
		"E20 several in one header":        {[]string{`Basic realm="c", ` + digest + `algorithm=SHA-256`}, with("algorithm=SHA-256")},
		"E20 Basic when Digest is unknown": {[]string{digest + `algorithm=WHIRLPOOL`, `Basic realm="c"`}, with("Basic")},
		"E23 empty realm":                  {[]string{`Digest realm="", nonce="f00"`}, with(`realm=""`)},
		"E23 unquoted":                     {[]string{`Digest realm=c, nonce=f00`}, with(`nonce="f00"`)},
		"E23 lower case":                   {[]string{`digest Realm="c",Nonce="f00"`}, nil},
		"E23 odd parameters":               {[]string{`Digest realm="TP-LINK IP-Camera", nonce="f00", TypeKey="bypass", stale="FALSE"`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			camera := (&testcamera.Camera{Auth: &testcamera.Auth{
				User: "admin", Password: "p@:/#?ss", Challenges: c.challenges, Check: c.check,
			}}).Start(t)
			// E22: percent-decoded
			start(t, newSource(t, Options{URL: camera.URL("admin:p%40%3A%2F%23%3Fss"), Transport: TCP})).plays(t)
			for _, r := range camera.Requests() {
				if r.Header.Get("User-Agent") == "" { // E23
					t.Errorf("%s has no User-Agent", r.Method)
				}
				if strings.Contains(r.URL, "admin") || !strings.Contains(r.URL, "channel=1") { // E22
					t.Errorf("%s asks for %s", r.Method, r.URL)
				}
			}
		})
	}
}

// E21
func TestNewNonce(t *testing.T) {
	for name, stale := range map[string]string{"stale": ", stale=true", "another nonce": ""} {
		t.Run(name, func(t *testing.T) {
			var nonce atomic.Int64
			auth := &testcamera.Auth{User: "u", Password: "p"}
			current := func() string { return fmt.Sprintf("n%d", nonce.Load()) }
			auth.Challenges = []string{`Digest realm="c", nonce="n0"`}
			auth.Check = func(h string) error {
				if !strings.Contains(h, `nonce="`+current()+`"`) {
					return fmt.Errorf("old nonce")
				}
				return nil
			}
			camera := (&testcamera.Camera{Auth: auth, Handle: func(s *testcamera.Session, r *testcamera.Request) {
				nonce.Add(1) // good for one request
				auth.Challenges = []string{fmt.Sprintf(`Digest realm="c", nonce=%q%s`, current(), stale)}
				s.Serve(r)
			}}).Start(t)
			start(t, newSource(t, Options{URL: camera.URL("u:p"), Transport: TCP})).plays(t)
		})
	}
}

// E21, J133
func TestAuthenticationFails(t *testing.T) {
	var nonce atomic.Int64
	for name, c := range map[string]struct {
		auth     *testcamera.Auth
		userinfo string
		requests int // at most
		says     string
	}{
		"no user in the URL": {&testcamera.Auth{Challenges: []string{`Basic realm="c"`}}, "", 1, "asks for a user and password"},
		"wrong password":     {&testcamera.Auth{User: "u", Password: "x", Challenges: []string{`Digest realm="c", nonce="n"`}}, "u:hunter2", 2, "refuses the user or the password"},
		"always another nonce": {&testcamera.Auth{Never: true, Challenges: []string{`Digest realm="c", nonce="n"`}, Check: func(string) error {
			return fmt.Errorf("%d", nonce.Add(1))
		}}, "u:hunter2", 2, "refuses"},
		"always stale":         {&testcamera.Auth{Never: true, Challenges: []string{`Digest realm="c", nonce="n", stale=true`}}, "u:hunter2", 3, "refuses"},
		"no challenge":         {&testcamera.Auth{Never: true}, "u:hunter2", 1, "refuses"},
		"an unknown challenge": {&testcamera.Auth{Never: true, Challenges: []string{"Negotiate", "", "=,=", `Digest realm="`}}, "u:hunter2", 2, "refuses"},
	} {
		t.Run(name, func(t *testing.T) {
			camera := (&testcamera.Camera{Auth: c.auth}).Start(t)
			err := start(t, newSource(t, Options{URL: camera.URL(c.userinfo), Transport: TCP})).end(t)
			if !is[*AuthFailedError](err) || !ingest.IsPermanent(err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Run returned %v, want a permanent error that says %q", err, c.says)
			}
			if got := len(camera.Requests()); got > c.requests {
				t.Errorf("%d requests, want %d at most: cameras lock accounts", got, c.requests)
			}
			if strings.Contains(fmt.Sprint(err), "hunter2") {
				t.Errorf("%v holds the password", err)
			}
		})
	}
}

// RFC 7616 3.9.1 and RFC 2617 3.5
func TestDigestExamples(t *testing.T) {
	cr := credentials{"Mufasa", "Circle of Life"}
	for name, c := range map[string]struct{ challenge, cnonce, want string }{
		"MD5":      {`Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"`, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "8ca523f5e9506fed4657c9700eebdbec"},
		"SHA-256":  {`Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"`, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
		"RFC 2617": {`Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"`, "0a4f113b", "6629fae49393a05397450978507c4ef1"},
	} {
		t.Run(name, func(t *testing.T) {
			best, ok := strongest(parseChallenges([]string{c.challenge}))
			if !ok {
				t.Fatal("not understood")
			}
			a := newAuthorization(cr, best)
			a.cnonce = c.cnonce
			if name == "RFC 2617" {
				a.credentials.password = "Circle Of Life"
			}
			if got := a.header("GET", "/dir/index.html"); !strings.Contains(got, `response="`+c.want+`"`) {
				t.Errorf("got %s, want response %s", got, c.want)
			}
		})
	}
}

func FuzzParseChallenges(f *testing.F) {
	for _, s := range []string{`Digest realm="a, b", nonce=c`, `Basic realm="`, `basic`, `Digest a="\`, `=,,=`, `A B C=d E="f`} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		if c, ok := strongest(parseChallenges([]string{s, s})); ok {
			newAuthorization(credentials{"u", "p"}, c).header("DESCRIBE", "rtsp://h/")
		}
	})
}
