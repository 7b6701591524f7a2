package client

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// C1, C4
func TestPost(t *testing.T) {
	s := serve(t, created("Location", "/whip/"+key+"/1", "ETag", `"g1"`))
	got := session(t, WHIP, s.URL+"/whip/"+key+"?a=b")
	if got.SDP != answer || got.CounterOffer || got.Warning != nil {
		t.Errorf("the session is %+v", got)
	}
	if err := got.Delete(t.Context()); err != nil {
		t.Error(err)
	}
	all := s.requests()
	if len(all) != 2 {
		t.Fatalf("%d requests, want 2", len(all))
	}
	post := all[0]
	if post.method != "POST" || post.uri != "/whip/"+key+"?a=b" || post.body != offer {
		t.Errorf("posted %+v", post)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/sdp", "Authorization": "Bearer " + token, "User-Agent": "Sluice/test",
		"Cookie": "", "Accept-Encoding": "", "If-Match": "",
	} {
		if value := post.header.Get(name); value != want {
			t.Errorf("%s is %q, want %q", name, value, want)
		}
	}
	if all[1].method != "DELETE" || all[1].uri != "/whip/"+key+"/1" || all[1].header.Get("Authorization") != "Bearer "+token {
		t.Errorf("the second request is %+v", all[1])
	}
}

// C4
func TestNoTokenNoAuthorization(t *testing.T) {
	s := serve(t, created("Location", "/s/1"))
	c, err := New(Options{Protocol: WHEP, URL: s.URL, UserAgent: "Sluice/test"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Post(t.Context(), offer); err != nil {
		t.Fatal(err)
	}
	if h := s.requests()[0].header; h.Values("Authorization") != nil {
		t.Errorf("Authorization is %q", h.Values("Authorization"))
	}
}

// C1, C9, C10
func TestAnswersToPost(t *testing.T) {
	const sdp = "Content-Type: application/sdp\nLocation: /s/1"
	for name, c := range map[string]struct {
		protocol Protocol
		status   int
		header   string
		body     string
		want     string // part of the error; "": none
		final    bool
	}{
		"201":                         {WHIP, 201, sdp, answer, "", false},
		"200 with Location":           {WHIP, 200, sdp, answer, "", false},
		"200 without Location":        {WHEP, 200, "Content-Type: application/sdp", answer, "status 200, which is not what a WHEP endpoint says", true},
		"202":                         {WHIP, 202, sdp, answer, "status 202", true},
		"204":                         {WHIP, 204, sdp, "", "status 204", true},
		"type with parameters":        {WHIP, 201, "Content-Type: Application/SDP; charset=utf-8\nLocation: /s/1", answer, "", false},
		"another type":                {WHIP, 201, "Content-Type: text/html\nLocation: /s/1", "<html>", "something else than application/sdp", true},
		"no body":                     {WHIP, 201, sdp, " \r\n", "without SDP", true},
		"128 KiB":                     {WHIP, 201, sdp, strings.Repeat("x", 128<<10), "", false},
		"128 KiB and a byte":          {WHIP, 201, sdp, strings.Repeat("x", 128<<10+1), "more than 128 KiB", true},
		"400":                         {WHIP, 400, "Content-Type: text/plain", "no\x1b[31m \u202ethanks\n", "status 400 (Bad Request): no[31m thanks", true},
		"401":                         {WHIP, 401, "", "", "status 401 (Unauthorized)", true},
		"404":                         {WHEP, 404, "", "", "status 404", true},
		"406 to WHIP":                 {WHIP, 406, sdp, answer, "status 406", true},
		"406 without SDP":             {WHEP, 406, "Content-Type: text/plain", "nothing fits", "status 406 (Not Acceptable): nothing fits", true},
		"406 that nobody can answer":  {WHEP, 406, "Content-Type: application/sdp", offer, "names no URL", true},
		"408":                         {WHIP, 408, "", "", "status 408", false},
		"409":                         {WHEP, 409, "", "", "status 409", false},
		"425":                         {WHIP, 425, "", "", "status 425", false},
		"429":                         {WHIP, 429, "", "", "status 429", false},
		"422":                         {WHIP, 422, "Content-Type: application/problem+json", `{"title":"t","detail":"H.265 is not taken here."}`, "H.265 is not taken here.", true},
		"a problem that is not JSON":  {WHIP, 422, "Content-Type: application/problem+json", `{`, "status 422 (Unprocessable Entity)", true},
		"a problem with other types":  {WHIP, 422, "Content-Type: application/problem+json", `{"detail":7,"title":"Odd"}`, ": Odd", true},
		"500":                         {WHIP, 500, "Content-Type: text/html", "<h1>Oops</h1>", "status 500 (Internal Server Error)", false},
		"503":                         {WHIP, 503, "", "", "status 503", false},
		"300":                         {WHIP, 300, "Location: /else", "", "status 300", true},
		"an unknown status":           {WHIP, 599, "", "", "status 599", false},
		"WHIP without a session URL":  {WHIP, 201, "Content-Type: application/sdp", answer, "names no URL for the session", true},
		"WHIP with a bad session URL": {WHIP, 201, "Content-Type: application/sdp\nLocation: ftp://x/", answer, "is not used, as that is no HTTP URL", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				for line := range strings.SplitSeq(c.header, "\n") {
					if name, value, ok := strings.Cut(line, ": "); ok {
						w.Header().Add(name, value)
					}
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			_, err := newClient(t, c.protocol, s.URL).Post(t.Context(), offer)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("error %v, want none", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want %q", err, c.want)
			case IsFinal(err) != c.final:
				t.Errorf("final is %v: %v", IsFinal(err), err)
			}
		})
	}
}

// C1: a session that was made but can't be used is not left at the server.
func TestUnusableSessionsAreDeleted(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		header(w, "Content-Type", "text/html", "Location", "/s/1")
		w.WriteHeader(http.StatusCreated)
	})
	if _, err := newClient(t, WHIP, s.URL).Post(t.Context(), offer); !errors.As(err, new(*ProtocolError)) {
		t.Errorf("error %v", err)
	}
	if all := s.requests(); len(all) != 2 || all[1].method != "DELETE" || all[1].uri != "/s/1" {
		t.Errorf("requests %+v", all)
	}
}

// C10
func TestRetryAfterReachesTheError(t *testing.T) {
	for name, c := range map[string]struct {
		value     string
		low, high time.Duration
	}{
		"seconds": {"7", 7 * time.Second, 7 * time.Second},
		"a date":  {time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat), 80 * time.Second, 90 * time.Second},
		"a day":   {"86400", 300 * time.Second, 300 * time.Second},
		"nothing": {"", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", c.value)
				w.WriteHeader(http.StatusTooManyRequests)
			})
			_, err := newClient(t, WHIP, s.URL).Post(t.Context(), offer)
			if d := RetryAfter(err); d < c.low || d > c.high {
				t.Errorf("retry after %v, want %v to %v (%v)", d, c.low, c.high, err)
			}
		})
	}
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		protocol Protocol
		url      string
		token    string
		want     string
	}{
		"whip":            {WHIP, "whip://h/x", "", ""},
		"whips":           {WHIP, "whips://h/x", "", ""},
		"https":           {WHIP, " https://h/x ", "", ""},
		"wheps":           {WHEP, "wheps://h:8443/x", "", ""},
		"whep for WHIP":   {WHIP, "whep://h/x", "", "another scheme: it needs the form whips://"},
		"rtsp":            {WHEP, "rtsp://h/x", "", "another scheme: it needs the form wheps://"},
		"no host":         {WHIP, "whip:///x", "", "names no host"},
		"not a URL":       {WHIP, "whip://h/%zz" + key, "", "not valid"},
		"empty":           {WHIP, "", "", "another scheme"},
		"no port":         {WHIP, "whip://h:/x", "", "a port that is none"},
		"port 0":          {WHIP, "whip://h:0/x", "", "a port that is none"},
		"too high a port": {WHIP, "whips://[2001:db8::1]:65536/x", "", "a port that is none"},
		"IPv6":            {WHIP, "whips://[2001:db8::1]/x", "", ""},
		"IPv6 with zone":  {WHIP, "whips://[fe80::1%25eth0]:8443/x", "", ""},
		"IDN, capitals":   {WHIP, "WHIPS://BÜCHER.example/x", "", ""},
		"userinfo":        {WHIP, "whip://user:" + key + "@h/x", "", "a secret is given as token"},
		"a broken token":  {WHIP, "whip://h/x", token + "\r\nX: y", "blanks or characters"},
		"a token with ä":  {WHIP, "whip://h/x", token + "ä", "blanks or characters"},
		"a padded base64": {WHIP, "whip://h/x", "YWJj+/==", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(Options{Protocol: c.protocol, URL: c.url, Token: c.token})
			switch {
			case c.want == "" && err != nil:
				t.Errorf("error %v, want none", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want %q", err, c.want)
			case err != nil && (strings.Contains(err.Error(), key) || strings.Contains(err.Error(), token)):
				t.Errorf("%v tells a secret", err)
			}
		})
	}
}

func TestSchemes(t *testing.T) {
	for raw, want := range map[string]string{
		"whep://h:1/x": "http://h:1", "wheps://h/x": "https://h", "https://h": "https://h",
	} {
		c, err := New(Options{Protocol: WHEP, URL: raw})
		if err != nil || c.Host() != want || c.Loopback() {
			t.Errorf("%s goes to %v (%v), want %s", raw, c, err, want)
		}
	}
}

func TestLoopback(t *testing.T) {
	for raw, want := range map[string]bool{
		"whep://127.0.0.1:8889/a": true, "whep://[::1]/a": true, "http://LocalHost/a": true,
		"whep://192.0.2.1/a": false, "whep://localhost.example.net/a": false, "whep://[2001:db8::1]/a": false,
	} {
		c, err := New(Options{Protocol: WHEP, URL: raw})
		if err != nil || c.Loopback() != want {
			t.Errorf("%s is loopback: %v (%v), want %v", raw, !want, err, want)
		}
	}
}
