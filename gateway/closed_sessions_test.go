package gateway_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// J9, A9: with authorisation on, nobody learns from an answer whether there is a session, or has been one. Only who
// knows its URL, and is somebody else, is told that it is not his.
func TestGuessesAreAnsweredAlike(t *testing.T) {
	one, other := newPerson("one", `"publish"`, "*"), newPerson("other", `"publish"`, "*")
	for _, mode := range []string{"lenient", "strict"} {
		t.Run(mode, func(t *testing.T) {
			g := start(t, strings.Replace(closed(one, other), "mode =", fmt.Sprintf("session_auth = %q\nmode =", mode), 1)+rooms)
			publish := func(room string) string {
				return g.ask(t, "POST", "/"+room+"/whip", one.token, publishOffer("sendonly")).Header.Get("Location")
			}
			there, over := publish("room-1"), publish("room-2")
			g.ask(t, "DELETE", over, one.token, "")
			answer := func(method, path, token string) string {
				w := g.ask(t, method, path, token, credential, "Content-Type", fragments, "If-Match", "*")
				return fmt.Sprint(w.StatusCode, w.Header["Www-Authenticate"], w.Header["Retry-After"], read(t, w))
			}
			never := there[:len(there)-4] + "none"
			for _, c := range []struct {
				who, method, token string
				like               []string // what is answered as one that never was
				status             string
			}{
				{"somebody wrong", "PATCH", "wrong", []string{there, over}, "401"},
				{"somebody wrong", "DELETE", "wrong", []string{there, over}, "401"},
				{"somebody wrong", "GET", "wrong", []string{there, over}, "401"},
				{"somebody else", "PATCH", other.token, []string{over}, "404"},
				{"nobody", "PATCH", "", map[string][]string{"lenient": {over}, "strict": {there, over}}[mode], map[string]string{"lenient": "404", "strict": "401"}[mode]},
				{"nobody, of another stream", "PATCH", "", []string{strings.Replace(there, "room-1", "room-2", 1)}, map[string]string{"lenient": "404", "strict": "401"}[mode]},
			} {
				want := answer(c.method, never, c.token)
				if !strings.HasPrefix(want, c.status) {
					t.Errorf("%s, %s: %s", c.who, c.method, want)
				}
				for _, path := range c.like {
					if got := answer(c.method, path, c.token); got != want {
						t.Errorf("%s, %s: %s, want as for a session that never was: %s", c.who, c.method, got, want)
					}
				}
			}
			if got := answer("PATCH", there, other.token); !strings.HasPrefix(got, "403") { // J10
				t.Errorf("PATCH of another's session: %s", got)
			}
		})
	}
}

// J19, I6: who forges where he comes from can neither guess on nor get others refused.
func TestForgedAddressesAndTheBackoff(t *testing.T) {
	one := newPerson("one", `"play"`, "*")
	guess := func(g *running, i int) int {
		return g.ask(t, "GET", "/api/v1/streams", "wrong", "", "X-Forwarded-For", fmt.Sprintf("192.0.2.%d", i)).StatusCode
	}
	untrusted, trusted := start(t, closed(one)), startAt(t, trustProxy, closed(one))
	for i := range 10 {
		if a, b := guess(untrusted, i), guess(trusted, i); a != 401 || b != 401 {
			t.Fatalf("guess %d: %d, %d", i, a, b)
		}
	}
	if a, b := guess(untrusted, 10), guess(trusted, 10); a != 429 || b != 401 {
		t.Errorf("the eleventh guess: %d of one peer that forges, %d of eleven behind a proxy", a, b)
	}
	for range 10 {
		guess(trusted, 1)
	}
	w := trusted.ask(t, "GET", "/api/v1/streams", one.token, "", "X-Forwarded-For", "192.0.2.1")
	if other := trusted.ask(t, "GET", "/api/v1/streams", one.token, "", "X-Forwarded-For", "192.0.2.2"); w.StatusCode != 429 || w.Header.Get("Retry-After") == "" || other.StatusCode != 200 {
		t.Errorf("the right token: %d from the guesser's address, %d from elsewhere", w.StatusCode, other.StatusCode)
	}
}

// J21, I30: many at once without a token take no places from those who have one.
func TestCrowdAtAClosedGateway(t *testing.T) {
	one := newPerson("one", `"publish"`, "*")
	g := start(t, "ice_timeout = \"2m\"\n[limits]\nhalf_open = 20\nstreams = 0\n"+closed(one)+rooms)
	var answers [600]atomic.Int32 // by status
	var all sync.WaitGroup
	for i := range 200 {
		for _, token := range []string{"", one.token} {
			all.Go(func() {
				answers[g.ask(t, "POST", fmt.Sprintf("/room-%d/whip", i), token, publishOffer("sendonly")).StatusCode].Add(1)
			})
		}
	}
	all.Wait()
	if in, full, out := answers[201].Load(), answers[503].Load(), answers[401].Load(); in != 20 || full != 180 || out != 200 {
		t.Errorf("%d got in, %d found it full, %d were refused", in, full, out)
	}
}

// J57, J76, J77, once more with authorisation on.
func TestRepetitionsAtAClosedGateway(t *testing.T) {
	one := newPerson("one", `"publish"`, "*")
	g := start(t, closed(one)+rooms)
	var sessions [2][2]string // location and ETag
	for i := range sessions {
		w := g.ask(t, "POST", fmt.Sprintf("/room-%d/whip", i), one.token, publishOffer("sendonly"))
		sessions[i] = [2]string{w.Header.Get("Location"), w.Header.Get("ETag")}
	}
	if sessions[0][0] == sessions[1][0] || sessions[0][1] == sessions[1][1] || sessions[0][0] == "" {
		t.Errorf("the same offer twice: %q", sessions)
	}
	patch := func(location, fragment string) int {
		return g.ask(t, "PATCH", location, one.token, fragment, "Content-Type", fragments, "If-Match", "*").StatusCode
	}
	for name, c := range map[string]struct {
		location string
		fragment func(i int) string
		good     int
	}{
		"J76": {sessions[0][0], func(int) string { return credential + "m=video 9 RTP/AVP 0\r\na=mid:0\r\n" + trickled }, 204},
		"J77": {sessions[1][0], func(i int) string { return fmt.Sprintf("a=ice-ufrag:again%d\r\na=ice-pwd:%024d\r\n", i, i) }, 200},
	} {
		first, last := patch(c.location, c.fragment(0)), 0
		for i := 1; i < 500 && last != 429; i++ {
			last = patch(c.location, c.fragment(i))
		}
		if first != c.good || last != 429 {
			t.Errorf("%s: first %d, at last %d", name, first, last)
		}
	}
}
