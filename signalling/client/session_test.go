package client

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

const (
	fragment       = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\n"
	serverFragment = "a=ice-ufrag:efgh\r\na=ice-pwd:0123456789abcdefghijkl\r\n"
)

// patched is a script whose answer to PATCH is of the given status.
func patched(status int, pairs ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			header(w, pairs...)
			w.WriteHeader(status)
			if status == http.StatusOK {
				_, _ = io.WriteString(w, serverFragment)
			}
			return
		}
		created("Location", "/s/1", "ETag", `"g1"`)(w, r)
	}
}

// C6, D23, D42, D43
func TestTrickle(t *testing.T) {
	for name, c := range map[string]struct {
		header  []string // of the answer to the offer
		sent    bool
		ifMatch string
	}{
		"with an ETag":              {[]string{"ETag", `"g1-9f3c"`}, true, `"g1-9f3c"`},
		"with an unquoted ETag":     {[]string{"ETag", "7c8a1f02"}, true, "7c8a1f02"},
		"with a weak ETag":          {[]string{"ETag", `W/"1"`}, false, ""},
		"with methods":              {[]string{"Access-Control-Allow-Methods", "OPTIONS, patch"}, true, ""},
		"with Allow":                {[]string{"Allow", "DELETE,PATCH"}, true, ""},
		"with Accept-Patch":         {[]string{"Accept-Patch", typeFragment}, true, ""},
		"with other methods":        {[]string{"Access-Control-Allow-Methods", "POST, DELETE"}, false, ""},
		"without a word of patches": {nil, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, created(append([]string{"Location", "/s/1?q"}, c.header...)...))
			got := session(t, WHEP, s.URL)
			if got.Trickles() != c.sent {
				t.Errorf("trickles is %v", got.Trickles())
			}
			err := got.Trickle(t.Context(), fragment)
			all := s.requests()
			if !c.sent {
				if !errors.Is(err, ErrNoTrickle) || len(all) != 1 {
					t.Errorf("error %v, %d requests", err, len(all))
				}
				return
			}
			if err != nil || len(all) != 2 {
				t.Fatalf("error %v, %d requests", err, len(all))
			}
			r := all[1]
			if r.method != "PATCH" || r.uri != "/s/1?q" || r.body != fragment || r.header.Get("Content-Type") != typeFragment ||
				r.header.Get("If-Match") != c.ifMatch || r.header.Get("Authorization") != "Bearer "+token {
				t.Errorf("patched %+v", r)
			}
		})
	}
}

// C6, D23: a server that takes no candidates is not asked again, and the session goes on.
func TestTrickleRefused(t *testing.T) {
	for status, none := range map[int]bool{
		404: true, 405: true, 415: true, 422: true, 501: true,
		400: false, 403: false, 412: false, 428: false, 500: false, 200: false, 204: false,
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			s := serve(t, patched(status))
			got := session(t, WHIP, s.URL)
			err := got.Trickle(t.Context(), fragment)
			if errors.Is(err, ErrNoTrickle) != none || got.Trickles() == none {
				t.Errorf("error %v, trickles %v", err, got.Trickles())
			}
			if (err == nil) != (status/100 == 2) {
				t.Errorf("error %v", err)
			}
			if again := got.Trickle(t.Context(), fragment); none && (!errors.Is(again, ErrNoTrickle) || len(s.requests()) != 2) {
				t.Errorf("asked again: %v", again)
			}
		})
	}
}

// C7
func TestRestart(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header []string
		want   bool
		etag   string // that the next candidates are sent with
	}{
		"a new ETag":          {200, []string{"Content-Type", typeFragment, "ETag", `"g2"`}, true, `"g2"`},
		"no new ETag":         {200, []string{"Content-Type", typeFragment}, true, ""},
		"without a fragment":  {204, nil, false, ""},
		"another type":        {200, []string{"Content-Type", "text/html"}, false, ""},
		"not implemented":     {501, nil, false, ""},
		"precondition failed": {412, nil, false, ""},
		"gone":                {404, nil, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, patched(c.status, c.header...))
			got := session(t, WHEP, s.URL)
			f, err := got.Restart(t.Context(), fragment)
			if r := s.requests()[1]; r.header.Get("If-Match") != "*" || r.body != fragment || r.header.Get("Content-Type") != typeFragment {
				t.Errorf("patched %+v", r)
			}
			if !c.want {
				if err == nil {
					t.Error("no error")
				}
				return
			}
			if err != nil || f != serverFragment {
				t.Fatalf("%q, error %v", f, err)
			}
			if err := got.Trickle(t.Context(), fragment); err != nil {
				t.Error(err)
			}
			if tag := s.requests()[2].header.Get("If-Match"); tag != c.etag {
				t.Errorf("If-Match is %q, want %q", tag, c.etag)
			}
		})
	}
}

// C1, B6, D22
func TestCounterOffer(t *testing.T) {
	for status, ok := range map[int]bool{200: true, 204: true, 202: false, 400: false, 409: false, 410: false, 500: false} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPatch {
					w.WriteHeader(status)
					return
				}
				header(w, "Content-Type", `application/sdp; valid-until="Fri, 01 Jan 2100 00:00:00 GMT"`, "Location", "/s/1")
				w.WriteHeader(http.StatusNotAcceptable)
				_, _ = io.WriteString(w, offer)
			})
			got := session(t, WHEP, s.URL)
			if !got.CounterOffer || got.SDP != offer {
				t.Fatalf("the session is %+v", got)
			}
			if err := got.Answer(t.Context(), answer); (err == nil) != ok {
				t.Errorf("error %v", err)
			}
			r := s.requests()[1]
			if r.method != "PATCH" || r.uri != "/s/1" || r.body != answer || r.header.Get("Content-Type") != typeSDP {
				t.Errorf("answered %+v", r)
			}
		})
	}
}

// C11
func TestDelete(t *testing.T) {
	for status, ok := range map[int]bool{200: true, 204: true, 404: true, 410: true, 403: false, 500: false} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodDelete {
					w.WriteHeader(status)
					return
				}
				created("Location", "/s/1", "ETag", `"g1"`)(w, r)
			})
			if err := session(t, WHIP, s.URL).Delete(t.Context()); (err == nil) != ok {
				t.Errorf("error %v", err)
			}
			if r := s.requests()[1]; r.header.Get("If-Match") != "" || r.header.Get("Content-Type") != "" || r.body != "" {
				t.Errorf("deleted with %+v", r)
			}
		})
	}
}

// C4: a redirect of the session's own requests keeps to the same rules.
func TestSessionRequestsFollowRedirects(t *testing.T) {
	other := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.Header().Set("Location", other.URL+"/gone")
			w.WriteHeader(http.StatusTemporaryRedirect)
			return
		}
		created("Location", "/s/1")(w, r)
	})
	if err := session(t, WHIP, s.URL).Delete(t.Context()); err != nil {
		t.Error(err)
	}
	if all := other.requests(); len(all) != 1 || all[0].method != "DELETE" || all[0].header.Get("Authorization") != "" {
		t.Errorf("the other origin was asked %+v", all)
	}
}

// What a Sluice gateway says of a session, and servers that say nothing of the kind.
func TestVerdict(t *testing.T) {
	const said = `{"reason":"nothing_arrived"}`
	for name, c := range map[string]struct {
		location string // of the session; "": none
		status   int
		kind     string
		want     string // "": an error
	}{
		"said":          {"/s/1?q", 200, "application/json", said},
		"no such thing": {"/s/1", 404, "application/problem+json", ""},
		"a page":        {"/s/1", 200, "text/html", ""},
		"no session":    {"", 200, "application/json", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodGet:
					header(w, "Content-Type", c.kind)
					w.WriteHeader(c.status)
					_, _ = io.WriteString(w, said)
				case c.location != "":
					created("Location", c.location)(w, r)
				default:
					created()(w, r)
				}
			})
			got, err := session(t, WHEP, s.URL).Verdict(t.Context())
			if got != c.want || (err == nil) != (c.want != "") || c.location == "" && !errors.Is(err, ErrNoLocation) {
				t.Errorf("%q, %v", got, err)
			}
			if all := s.requests(); c.location != "" && (all[1].method != "GET" || all[1].uri != strings.Replace(c.location, "/s/1", "/s/1/verdict", 1)) {
				t.Errorf("asked %+v", all[1])
			}
		})
	}
}
