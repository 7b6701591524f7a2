package resource

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"sluice/session"
)

// A70 to A74, A8, A9, B7, J13, J70, J78, J81: what PATCH answers, by its headers and by what the session says.
func TestPatch(t *testing.T) {
	f := newFixture(t, Options{}, nil)
	w, _ := do(t, "POST", f.URL+"/cam/whip", "v=0", "Content-Type", sdpType)
	url, etag := f.URL+w.Header.Get("Location"), w.Header.Get("ETag")
	for _, c := range []struct {
		name, body, mediaType, ifMatch string
		status                         int
		asked                          session.Generation
	}{
		{"A70: other type", "v", "text/plain", etag, 415, 0},
		{"A70: no type", "v", "", etag, 415, 0},
		{"A70: malformed, J13: * with garbage", "garbage", fragmentType, "*", 400, session.GenerationAny},
		{"A70: 16 KiB", strings.Repeat("a", 16<<10), fragmentType, etag, 204, 1},
		{"A70: more", strings.Repeat("a", 16<<10+1), fragmentType, etag, 413, 0},
		{"A70: far more", strings.Repeat("a", 80<<10), fragmentType, etag, 413, 0},
		{"A71", "v", fragmentType, etag, 204, 1},
		{"A71: with a parameter", "v", "Application/Trickle-ICE-SDPFrag; charset=utf-8", `"old", ` + etag, 204, 1},
		{"A72: stale", "v", fragmentType, `"old"`, 412, 0},
		{"A72: missing", "v", fragmentType, "", 428, session.GenerationUnsaid},
		{"J13: weak", "v", fragmentType, "W/" + etag, 412, 0},
		{"J13: 1000", "v", fragmentType, strings.Repeat(`"x",`, 999) + `"x"`, 412, 0},
		{"malformed If-Match", "v", fragmentType, "old", 400, 0},
		{"A73: * without a restart", "v", fragmentType, "*", 204, session.GenerationAny},
		{"A74: half a restart", "half", fragmentType, "*", 400, session.GenerationAny},
		{"J78: the session is over", "over", fragmentType, etag, 404, 1},
		{"B7, J81: no counter-offer", "v=0", sdpType, etag, 409, 0},
		{"B7: stale", "v=0", sdpType, `"old"`, 412, 0},
		{"J7", "v", fragmentType, etag, 415, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := f.session(0)
			s.asked = 0
			headers := []string{"Content-Type", c.mediaType, "Origin", origin}
			if c.ifMatch != "" {
				headers = append(headers, "If-Match", c.ifMatch)
			}
			if c.name == "J7" {
				headers = append(headers, "Content-Encoding", "gzip")
			}
			w, body := do(t, "PATCH", url, c.body, headers...)
			if w.StatusCode != c.status || s.asked != c.asked {
				t.Fatalf("%d %s, the session was asked for %d", w.StatusCode, body, s.asked)
			}
			if w.Header.Get("ETag") != "" || c.status == 204 && body != "" {
				t.Errorf("%v %q", w.Header, body)
			}
			if w.Header.Get("Access-Control-Allow-Origin") != origin || w.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%v", w.Header)
			}
		})
	}
}

// A73, A21, A72, J80: a restart begins a generation with an ETag of its own; the one before is stale then.
func TestRestart(t *testing.T) {
	f := newFixture(t, Options{}, nil)
	w, _ := do(t, "POST", f.URL+"/cam/whip", "v=0", "Content-Type", sdpType)
	url, etag := f.URL+w.Header.Get("Location"), w.Header.Get("ETag")
	seen := map[string]bool{etag: true}
	for i, any := range []string{"*", `"*"`} {
		w, body := do(t, "PATCH", url, restart, "Content-Type", fragmentType, "If-Match", any)
		if w.StatusCode != 200 || w.Header.Get("Content-Type") != fragmentType || body != fmt.Sprintf("a=ice-ufrag:ours%d\r\n", i+2) {
			t.Fatalf("%d %v %q", w.StatusCode, w.Header, body)
		}
		next := w.Header.Get("ETag")
		if !regexp.MustCompile(`^"[!#-~]{18,}"$`).MatchString(next) || seen[next] {
			t.Errorf("ETag: %s after %v", next, seen)
		}
		seen[next] = true
		for tag, want := range map[string]int{etag: 412, next: 204, etag + "," + next: 204} {
			if w, _ := do(t, "PATCH", url, "v", "Content-Type", fragmentType, "If-Match", tag); w.StatusCode != want {
				t.Errorf("If-Match %s: %d, want %d", tag, w.StatusCode, want)
			}
		}
		if w, _ := do(t, "GET", url, ""); w.Header.Get("ETag") != next {
			t.Errorf("GET: %s, want %s", w.Header.Get("ETag"), next)
		}
		etag = next
	}
}

// A73: of restarts that come at once, each is told the ETag of the fragment that it is answered with.
func TestRestartsAtOnce(t *testing.T) {
	f := newFixture(t, Options{}, nil)
	w, _ := do(t, "POST", f.URL+"/cam/whip", "v=0", "Content-Type", sdpType)
	url := f.URL + w.Header.Get("Location")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			w, body := do(t, "PATCH", url, restart, "Content-Type", fragmentType, "If-Match", "*")
			generation := strings.TrimSuffix(strings.TrimPrefix(body, "a=ice-ufrag:ours"), "\r\n")
			if !strings.HasPrefix(w.Header.Get("ETag"), `"g`+generation+"-") {
				t.Errorf("%s with %s", w.Header.Get("ETag"), body)
			}
		})
	}
	all.Wait()
}

// A21: the ETags of two sessions, or of two processes, have nothing in common.
func TestETagsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		f := newFixture(t, Options{}, nil)
		for range 2 {
			w, _ := do(t, "POST", f.URL+"/cam/whip", "v=0", "Content-Type", sdpType)
			seen[w.Header.Get("ETag")] = true
		}
	}
	if len(seen) != 4 {
		t.Errorf("%v", seen)
	}
}
