package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"sluice/signalling/problem"
)

// metric is the value of one sample; labels as in {limit="sessions"}.
func (r *running) metric(t *testing.T, token, name, labels string) int {
	t.Helper()
	return sample(t, read(t, r.ask(t, "GET", "/metrics", token, "")), name+labels)
}

// sample is the value of one sample of a scrape.
func sample(t *testing.T, text, name string) int {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\d+)$`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("there is no %s", name)
	}
	n, _ := strconv.Atoi(m[1]) // digits
	return n
}

// trustProxy takes loopback for a proxy, so that tests come from elsewhere, and rooms are streams that somebody brings about.
const (
	trustProxy = "trusted_proxies = [\"127.0.0.1\"]\n"
	rooms      = "[streams.\"room-*\"]\nsource = \"publish\"\n"
)

// visit is one request behind a proxy that is trusted: from there it is not loopback's.
type visit struct {
	method, path, body, from string
	other                    bool // somebody else
}

// checkRefused looks at the answer to whoever came on top of a limit.
func checkRefused(t *testing.T, w *http.Response, status int, retry bool, says string) {
	t.Helper()
	var p problem.Problem
	if err := json.Unmarshal([]byte(read(t, w)), &p); err != nil {
		t.Fatal(err)
	}
	if w.StatusCode != status || p.Status != status || w.Header.Get("Content-Type") != problem.ContentType {
		t.Errorf("%d %+v, want %d", w.StatusCode, p, status)
	}
	if after, _ := strconv.Atoi(w.Header.Get("Retry-After")); (after > 0) != retry || after > 60 {
		t.Errorf("Retry-After: %q", w.Header.Get("Retry-After"))
	}
	if !strings.Contains(p.Detail, says) {
		t.Errorf("%q does not say %q", p.Detail, says)
	}
}

// I30: each key of [limits] that keeps somebody out: the answer, and the metric.
func TestEachLimit(t *testing.T) {
	const near, far = "192.0.2.1", "2001:db8::1"
	play, publish := publishOffer("recvonly"), publishOffer("sendonly")
	for key, c := range map[string]struct {
		limit        int
		first, again visit
		times        int // of again at most, until it is one too many
		status       int
		says         string
	}{
		"sessions":            {1, visit{"POST", "/cam/whep", play, near, false}, visit{"POST", "/room-1/whip", publish, far, true}, 1, 503, "the gateway already has 1 sessions, which is the limit (limits.sessions)"},
		"sessions_per_stream": {1, visit{"POST", "/cam/whep", play, near, false}, visit{"POST", "/cam/whep", play, far, true}, 1, 503, `stream "cam" already has 1 sessions, which is the limit (limits.sessions_per_stream)`},
		"sessions_per_ip":     {1, visit{"POST", "/cam/whep", play, near, false}, visit{"POST", "/room-1/whip", publish, near, true}, 1, 429, "already 1 sessions from this address, which is the limit (limits.sessions_per_ip)"},
		"sessions_per_user":   {1, visit{"POST", "/cam/whep", play, near, false}, visit{"POST", "/room-1/whip", publish, far, false}, 1, 429, "you already have 1 sessions, which is the limit (limits.sessions_per_user)"},
		"half_open":           {1, visit{"POST", "/cam/whep", play, near, false}, visit{"POST", "/cam/whep", play, far, true}, 1, 503, "1 sessions are still connecting, which is the limit (limits.half_open)"},
		"half_open_per_ip":    {1, visit{"POST", "/cam/whep", play, near, false}, visit{"POST", "/cam/whep", play, near, true}, 1, 429, "1 sessions from this address are still connecting, which is the limit (limits.half_open_per_ip)"},
		"streams":             {3, visit{"POST", "/room-1/whip", publish, near, false}, visit{"POST", "/room-2/whip", publish, far, true}, 1, 503, "there are 3 streams already, which is the limit (limits.streams)"},
		"sdp_kib":             {8, visit{"POST", "/cam/whep", play, near, false}, visit{"POST", "/cam/whep", play + strings.Repeat("a=x\r\n", 2<<10), near, false}, 1, 413, "8192 bytes"},

		"posts_per_second_per_ip": {1, visit{"POST", "/cam/whep", play, near, false}, visit{"POST", "/none/whep", "v=0", far, false}, 2000, 429, "too many requests"},
		"guesses":                 {0, visit{"POST", "/cam/whep", play, near, false}, visit{"GET", "/cam/whep/none", "", far, true}, 2000, 429, "too many requests"},
		"deletions":               {0, visit{"POST", "/cam/whep", play, near, false}, visit{"DELETE", "/cam/whep/none", "", far, true}, 2000, 429, "too many requests"},
	} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			admin, one, other := newPerson("admin", `"metrics"`, "*"), newPerson("one", `"play", "publish"`, "*"), newPerson("other", `"play", "publish"`, "*")
			limits := ""
			if c.limit > 0 {
				limits = fmt.Sprintf("[limits]\n%s = %d\n", key, c.limit)
			}
			g := startAt(t, trustProxy, limits+closed(admin, one, other)+rooms)
			come := func(v visit) *http.Response {
				token := one.token
				if v.other {
					token = other.token
				}
				return g.ask(t, v.method, v.path, token, v.body, "X-Forwarded-For", v.from)
			}
			eventually(t, "the first is let in", func() bool { return come(c.first).StatusCode == 201 })
			sample := fmt.Sprintf("{limit=%q}", key)
			before := g.metric(t, admin.token, "sluice_limit_refused_total", sample)
			w := come(c.again)
			for n := 1; n < c.times && w.StatusCode != c.status; n++ {
				w = come(c.again)
			}
			checkRefused(t, w, c.status, c.status != http.StatusRequestEntityTooLarge, c.says)
			if n := g.metric(t, admin.token, "sluice_limit_refused_total", sample) - before; n != 1 {
				t.Errorf("%d refusals are counted", n)
			}
		})
	}
}

// I30, J158: other limits hold from the reload on.
func TestReloadChangesLimits(t *testing.T) {
	admin := newPerson("admin", `"publish", "metrics"`, "*")
	rest := closed(admin) + rooms
	g := start(t, "[limits]\nsessions = 1\n"+rest)
	post := func(room string) int {
		return g.ask(t, "POST", "/room-"+room+"/whip", admin.token, publishOffer("sendonly")).StatusCode
	}
	if first, second := post("1"), post("2"); first != 201 || second != 503 {
		t.Fatalf("%d, then %d", first, second)
	}
	for _, limits := range []string{"sessions = 2\n", "sessions = 2\nsdp_kib = 1\n"} {
		if err := g.g.Reload(parse(t, "[limits]\n"+limits+rest)); err != nil {
			t.Fatal(err)
		}
	}
	if again, third := post("3"), post("4"); again != 201 || third != 503 {
		t.Errorf("with room for two: %d, then %d", again, third)
	}
	if w := g.ask(t, "POST", "/room-5/whip", admin.token, strings.Repeat("a", 1<<10+1)); w.StatusCode != 413 {
		t.Errorf("an offer that is too large now: %d", w.StatusCode)
	}
	if n := g.metric(t, admin.token, "sluice_config_reloads_total", `{result="applied"}`); n != 2 {
		t.Errorf("%d reloads are counted", n)
	}
}
