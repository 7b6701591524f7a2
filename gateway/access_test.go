package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/auth"
	"sluice/internal/testviewer"
)

// person is a user of a configuration under test.
type person struct{ name, token, toml string }

func newPerson(name, actions, streams string) person {
	token, hash := auth.NewToken()
	return person{name, token, fmt.Sprintf("[[auth.users]]\nname = %q\ntokens = [%q]\nallow = [{ actions = [%s], streams = [%q] }]\n", name, hash, actions, streams)}
}

// closed is a configuration of mode internal, with a camera, a stream for publishers, and people.
func closed(people ...person) string {
	text := "[auth]\nmode = \"internal\"\n"
	for _, p := range people {
		text += p.toml
	}
	return text + "[streams.cam]\nsource = \"demo:\"\n[streams.studio]\nsource = \"publish\"\n"
}

func (r *running) ask(t *testing.T, method, path, token, body string, headers ...string) *http.Response {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/sdp")
	}
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	w, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Body.Close() })
	return w
}

// I2, A90, A93, B17: who needs which action for what.
func TestWhoMay(t *testing.T) {
	admin := newPerson("admin", `"admin", "metrics", "play"`, "*")
	viewer, publisher := newPerson("viewer", `"play"`, "cam"), newPerson("publisher", `"publish"`, "stu*")
	g := start(t, closed(admin, viewer, publisher)+"[transcode]\nworker = \"off\"\n[devices]\nworker = \"off\"\n") // be they installed or not
	play, publish := publishOffer("recvonly"), publishOffer("sendonly")
	eventually(t, "the camera is there", func() bool {
		return g.ask(t, "POST", "/cam/whep", admin.token, play).StatusCode == 201
	})
	for _, c := range []struct {
		method, path, body                            string
		nobody, wrong, asViewer, asPublisher, asAdmin int
	}{
		{"GET", "/healthz", "", 200, 200, 200, 200, 200},
		{"GET", "/readyz", "", 200, 200, 200, 200, 200},
		{"GET", "/login", "", 200, 200, 200, 200, 200},
		{"GET", "/favicon.ico", "", 200, 200, 200, 200, 200},
		{"GET", "/metrics", "", 401, 401, 403, 403, 200},
		{"GET", "/api/v1/streams", "", 401, 0, 200, 200, 200},
		{"GET", "/api/v1/streams/cam", "", 401, 0, 200, 403, 200},
		{"GET", "/api/v1/streams/studio", "", 401, 0, 403, 403, 200},
		{"GET", "/api/v1/sessions", "", 401, 0, 403, 403, 200},
		{"GET", "/api/v1/sessions/none", "", 401, 0, 403, 403, 404},
		{"GET", "/api/v1/devices", "", 401, 0, 403, 403, 503},
		{"GET", "/api/v1/ice", "", 401, 401, 200, 200, 200},
		{"GET", "/cam/", "", 401, 401, 200, 403, 200},
		{"GET", "/cam/snapshot.jpg", "", 401, 0, 503, 403, 503},
		{"GET", "/studio/publish", "", 401, 0, 403, 200, 403},
		{"POST", "/cam/whep", play, 401, 401, 201, 403, 201},
		{"POST", "/studio/whep", play, 401, 0, 403, 403, 409},
		{"POST", "/studio/whip", publish, 401, 401, 403, 201, 403},
		{"POST", "/cam/whip", publish, 401, 0, 403, 403, 403},
		{"POST", "/none/whep", play, 401, 0, 403, 403, 404},
		{"OPTIONS", "/cam/whep", "", 200, 200, 200, 200, 200},
		{"GET", "/cam/whep", "", 204, 204, 204, 204, 204},
		{"GET", "/", "", 200, 200, 200, 200, 200},
	} {
		for who, want := range map[person]int{
			{}: c.nobody, {token: "wrong"}: c.wrong, viewer: c.asViewer, publisher: c.asPublisher, admin: c.asAdmin,
		} {
			if want == 0 {
				continue // ten wrong ones, and none is looked at any more
			}
			w := g.ask(t, c.method, c.path, who.token, c.body)
			if w.StatusCode != want {
				t.Errorf("%s %s as %q (%q): %d, want %d", c.method, c.path, who.name, who.token, w.StatusCode, want)
			}
			if challenged := strings.HasPrefix(w.Header.Get("WWW-Authenticate"), "Bearer "); challenged != (w.StatusCode == 401) {
				t.Errorf("%s %s: %d with WWW-Authenticate %q", c.method, c.path, w.StatusCode, w.Header["Www-Authenticate"])
			}
		}
	}
}

// The list shows what the caller may play.
func TestListIsTheCallers(t *testing.T) {
	viewer, all := newPerson("viewer", `"play"`, "cam"), newPerson("all", `"play"`, "*")
	g := start(t, closed(viewer, all))
	for _, c := range []struct {
		who  person
		want []string
	}{{viewer, []string{`"cam"`}}, {all, []string{`"cam"`, `"studio"`}}} {
		w := g.ask(t, "GET", "/api/v1/streams", c.who.token, "")
		body := read(t, w)
		for _, name := range []string{`"cam"`, `"studio"`} {
			if strings.Contains(body, name) != slices.Contains(c.want, name) {
				t.Errorf("%s sees %s", c.who.name, body)
			}
		}
	}
}

// A92, J10: a session is changed by whoever made it, or whoever knows its URL; strictly, by whoever made it alone.
func TestWhoMayChangeASession(t *testing.T) {
	one, other := newPerson("one", `"play"`, "*"), newPerson("other", `"play"`, "*")
	for strict, nobody := range map[string]int{"lenient": 204, "strict": 401} {
		t.Run(strict, func(t *testing.T) {
			g := start(t, strings.Replace(closed(one, other), "mode =", fmt.Sprintf("session_auth = %q\nmode =", strict), 1))
			var location string
			eventually(t, "a session", func() bool {
				w := g.ask(t, "POST", "/cam/whep", one.token, publishOffer("recvonly"))
				location = w.Header.Get("Location")
				return w.StatusCode == 201
			})
			fragment := "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
			patch := func(token string) int {
				return g.ask(t, "PATCH", location, token, fragment, "Content-Type", "application/trickle-ice-sdpfrag", "If-Match", "*").StatusCode
			}
			for token, want := range map[string]int{one.token: 204, other.token: 403, "wrong": 401, "": nobody} {
				if got := patch(token); got != want {
					t.Errorf("PATCH with %q: %d, want %d", token, got, want)
				}
			}
			if got := g.ask(t, "DELETE", location, other.token, "").StatusCode; got != 403 {
				t.Errorf("DELETE by another: %d", got)
			}
			if got := g.ask(t, "DELETE", location, one.token, "").StatusCode; got != 200 {
				t.Errorf("DELETE: %d", got)
			}
		})
	}
}

// Whoever loses the right loses the session, and nobody else does.
func TestReloadEndsWhoMayNoMore(t *testing.T) {
	stays, goes := newPerson("stays", `"play"`, "*"), newPerson("goes", `"play"`, "*")
	g := start(t, closed(stays, goes))
	options := testviewer.Browser()
	viewers := map[string]*testviewer.Viewer{}
	for _, p := range []person{stays, goes} {
		options.Token = p.token
		eventually(t, "the camera is there", func() bool {
			return g.ask(t, "GET", "/cam/snapshot.jpg", p.token, "").StatusCode != 403 && g.ask(t, "POST", "/cam/whep", p.token, publishOffer("recvonly")).StatusCode == 201
		})
		viewers[p.name] = watch(t, g.url+"/cam/whep", options)
	}
	if err := g.g.Reload(parse(t, closed(stays))); err != nil {
		t.Fatal(err)
	}
	select {
	case <-viewers["goes"].Closed:
	case <-time.After(20 * time.Second):
		t.Error("the viewer goes on without the right")
	}
	receive(t, viewers["stays"].Video, 100)
	if g.ask(t, "GET", "/api/v1/streams", goes.token, "").StatusCode != 401 {
		t.Error("the token still counts")
	}
}

// J158: a configuration that can't be is refused whole.
func TestReloadIsAllOrNothing(t *testing.T) {
	ann, bob := newPerson("ann", `"play"`, "*"), newPerson("bob", `"play"`, "*")
	g := start(t, closed(ann))
	to := parse(t, closed(bob))
	to.Auth.Users[0].Password = "no hash"
	if err := g.g.Reload(to); err == nil {
		t.Error("a user whose password is no hash was taken")
	}
	if g.ask(t, "GET", "/api/v1/streams", ann.token, "").StatusCode != 200 || g.ask(t, "GET", "/api/v1/streams", bob.token, "").StatusCode != 401 {
		t.Error("half of the configuration is in force")
	}
}

// A23, A93, A94, G13: ICE servers are told, with credentials of their own, to those who may, and kept by nobody.
func TestICEServersAreForThoseWhoMay(t *testing.T) {
	viewer := newPerson("viewer", `"play"`, "*")
	g := start(t, closed(viewer)+"[turn]\nmode = \"embedded\"\nlisten_udp = \"127.0.0.1:0\"\nlisten_tcp = \"\"\nsecret = \"a secret of tests\"\n")
	seen := map[string]bool{}
	for range 2 {
		w := g.ask(t, "OPTIONS", "/cam/whep", viewer.token, "")
		links := strings.Join(w.Header["Link"], "\n")
		if !strings.Contains(links, "<stun:127.0.0.1:") || !strings.Contains(links, "?transport=udp>; rel=\"ice-server\"; username=") || seen[links] {
			t.Errorf("links: %s", links)
		}
		if seen[links] = true; w.Header.Get("Cache-Control") != "no-store" {
			t.Error("the credentials may be kept")
		}
	}
	for _, token := range []string{"", "wrong"} {
		if w := g.ask(t, "OPTIONS", "/cam/whep", token, ""); w.StatusCode != 200 || w.Header["Link"] != nil {
			t.Errorf("OPTIONS with %q: %d %q", token, w.StatusCode, w.Header["Link"])
		}
	}
	if w := g.ask(t, "OPTIONS", "/cam/whep", viewer.token, "", "Origin", "https://a.example", "Access-Control-Request-Method", "POST"); w.Header["Link"] != nil {
		t.Error("a preflight is told of ICE servers")
	}
	if strings.Contains(g.log.String(), "a secret of tests") {
		t.Error("the secret is in the log")
	}
}

func read(t *testing.T, w *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
