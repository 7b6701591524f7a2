package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"sluice/admin"
	"sluice/internal/testviewer"
	"sluice/signalling/problem"
)

// watched is a closed gateway whose camera somebody watches, while others misbehave.
type watched struct {
	*running
	admin, one person
	bystander  *testviewer.Viewer
	last       netip.Addr // that somebody who may not came from
	rooms      int        // that somebody has published in
}

// newWatched takes keys of [webrtc] and how strict auth.session_auth is.
func newWatched(t *testing.T, keys, strict string) *watched {
	t.Helper()
	w := &watched{
		admin: newPerson("admin", `"admin", "metrics", "play"`, "*"), one: newPerson("one", `"play", "publish"`, "*"),
		last: netip.MustParseAddr("192.0.2.1"),
	}
	config := strings.Replace(closed(w.admin, w.one), "mode =", fmt.Sprintf("session_auth = %q\nmode =", strict), 1)
	w.running = startAt(t, trustProxy, "ice_timeout = \"1m\"\n"+keys+config+rooms)
	w.awaitStream(t, "cam")
	w.bystander = w.watch(t, "cam")
	w.goesOn(t)
	return w
}

func (w *watched) awaitStream(t *testing.T, name string) {
	t.Helper()
	eventually(t, name+" is ready", func() bool {
		return strings.Contains(read(t, w.ask(t, "GET", "/api/v1/streams/"+name, w.admin.token, "")), `"ready"`)
	})
}

func (w *watched) watch(t *testing.T, stream string) *testviewer.Viewer {
	t.Helper()
	options := testviewer.Browser()
	options.Token = w.one.token
	return watch(t, w.url+"/"+stream+"/whep", options)
}

// goesOn expects pictures at the bystander that have yet to come.
func (w *watched) goesOn(t *testing.T) {
	t.Helper()
	for len(w.bystander.Video) > 0 {
		<-w.bystander.Video
	}
	receive(t, w.bystander.Video, 20)
}

// list reads what the API says as one who may see all.
func (w *watched) list(t *testing.T, path string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(read(t, w.ask(t, "GET", path, w.admin.token, ""))), into); err != nil {
		t.Fatal(err)
	}
}

// there names the streams and sessions.
func (w *watched) there(t *testing.T) map[string]bool {
	t.Helper()
	var streams []admin.Stream
	var sessions []admin.Session
	w.list(t, "/api/v1/streams", &streams)
	w.list(t, "/api/v1/sessions", &sessions)
	all := map[string]bool{}
	for _, s := range streams {
		all["stream "+s.Name] = true
	}
	for _, s := range sessions {
		all["session "+s.ID] = true
	}
	return all
}

// blames expects one session whose handshake went so, and that had no media in either direction.
func (w *watched) blames(t *testing.T, handshake string) {
	t.Helper()
	var sessions []admin.Session
	w.list(t, "/api/v1/sessions", &sessions)
	n := 0
	for _, s := range sessions {
		if s.Verdict != nil && s.Verdict.Handshake == handshake && s.State == "closed" && s.Stats.PacketsSent+s.Stats.PacketsReceived == 0 {
			n++
		}
	}
	if n != 1 {
		t.Errorf("of %d sessions, the handshake of one is %q: %+v", n, handshake, sessions)
	}
}

// keepsOut asks as nobody, and with a wrong token: the guard answers, and nothing comes to be. Host may be a header.
func (w *watched) keepsOut(t *testing.T, method, path, body string, headers ...string) {
	t.Helper()
	before := w.there(t)
	for token, kind := range map[string]string{"": "no_credentials", "wrong": "invalid_credentials"} {
		w.last = w.last.Next() // a new one, so that wrong tokens do not add up
		a := w.come(t, method, path, token, body, append(headers[:len(headers):len(headers)], "X-Forwarded-For", w.last.String())...)
		text := read(t, a)
		var p problem.Problem
		if err := json.Unmarshal([]byte(text), &p); err != nil || a.StatusCode != 401 || p.Type != "urn:sluice:problem:"+kind {
			t.Errorf("%s %s with %q: %d %s, want 401 %s", method, path, token, a.StatusCode, text, kind)
		}
		if a.Header.Get("Www-Authenticate") == "" || a.Header["Location"] != nil || a.Header["Link"] != nil {
			t.Errorf("%s %s with %q: %v", method, path, token, a.Header)
		}
	}
	for name := range w.there(t) {
		if !before[name] {
			t.Errorf("%s %s, refused, has made the %s", method, path, name)
		}
	}
}

// come is ask that takes Host for a header.
func (w *watched) come(t *testing.T, method, path, token, body string, headers ...string) *http.Response {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/sdp")
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			q.Host = headers[i+1]
		}
	}
	a, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Body.Close() })
	return a
}

// second is an offer with one more section.
func second(offer, mid string) string {
	section := offer[strings.Index(offer, "m="):]
	return offer + strings.Replace(section, "a=mid:0", "a=mid:"+mid, 1)
}

// layers are n lines of layers.
func layers(n int) string {
	var lines, names []string
	for i := range n {
		lines, names = append(lines, fmt.Sprintf("a=rid:l%d send\r\n", i)), append(names, fmt.Sprintf("l%d", i))
	}
	return strings.Join(lines, "") + "a=simulcast:send " + strings.Join(names, ";") + "\r\n"
}

// resent is an offer with formats for what is sent again.
func resent(formats, lines string) string {
	return edited("RTP/SAVPF 96", "RTP/SAVPF 96 "+formats) + lines
}

// mendedOffers are those with sections, layers and formats that can't be. Answers to those that are taken lack words,
// none of which can be in a random name of theirs.
var mendedOffers = []struct {
	id, offer string
	status    int
	lacks     string
}{
	{"J41", second(publishOffer("sendonly"), "0"), 400, ""},
	{"J44", second(edited("a=group:BUNDLE 0\r\n", ""), "1"), 422, ""},
	{"J45: 64 layers", publishOffer("sendonly") + layers(64), 422, ""},
	{"J45: blank, and one unknown", publishOffer("sendonly") + "a=rid:a b send\r\na=simulcast:send zz\r\n", 201, " zz"},
	{"J45: five layers", publishOffer("sendonly") + layers(5), 201, "a=rid:l4"},
	{"J48: loop", resent("97 98", "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=98\r\na=rtpmap:98 rtx/90000\r\na=fmtp:98 apt=97\r\n"), 201, " rtx/90000"},
	{"J48: of itself", resent("97", "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=97\r\n"), 201, " rtx/90000"},
	{"J48: of nothing", resent("97", "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=100\r\n"), 201, " rtx/90000"},
	{"J50: 60 KiB", edited("42e01f", "42e01f;sprop-parameter-sets="+strings.Repeat("A", 60<<10)), 201, "sprop-parameter-sets"},
	{"J50: no base64", edited("42e01f", "42e01f;sprop-parameter-sets=!!!,?"), 201, "sprop-parameter-sets"},
}

// J41, J44, J45, J48, J50, once more with authorisation on: whoever may is answered as by an open gateway, and nobody
// else has his offer looked at.
func TestMendedOffersToAClosedGateway(t *testing.T) {
	open, w := start(t, "[limits]\nposts_per_second_per_ip = 0\n"+rooms), newWatched(t, "", "strict")
	for i, c := range mendedOffers {
		t.Run(c.id, func(t *testing.T) {
			path := fmt.Sprintf("/room-%d/whip", i)
			w.keepsOut(t, "POST", path, c.offer)
			want, got := open.ask(t, "POST", path, "", c.offer), w.ask(t, "POST", path, w.one.token, c.offer)
			wanted, answer := read(t, want), read(t, got)
			if got.StatusCode != c.status || want.StatusCode != c.status {
				t.Fatalf("%d %s, by an open gateway %d %s; want %d", got.StatusCode, answer, want.StatusCode, wanted, c.status)
			}
			if c.status != 201 {
				if answer != wanted {
					t.Errorf("%s, by an open gateway %s", answer, wanted)
				}
				return
			}
			if !strings.HasPrefix(answer, "v=0\r\n") || strings.Contains(answer, c.lacks) || len(answer) > 8191 {
				t.Errorf("%q is in the answer, or it is none:\n%s", c.lacks, answer)
			}
			if gone := w.ask(t, "DELETE", got.Header.Get("Location"), w.one.token, ""); gone.StatusCode != 200 {
				t.Errorf("DELETE: %d", gone.StatusCode)
			}
		})
	}
	w.goesOn(t)
}

// J18, once more with authorisation on: another Host is in no answer, neither to who may nor to who may not.
func TestForgedHostAtAClosedGateway(t *testing.T) {
	w := newWatched(t, "", "strict")
	forged := []string{"Host", "evil.example", "X-Forwarded-Host", "evil.example", "Forwarded", "host=evil.example"}
	for path, offer := range map[string]string{"/room-1/whip": publishOffer("sendonly"), "/cam/whep": publishOffer("recvonly")} {
		w.keepsOut(t, "POST", path, offer, forged...)
		form := regexp.MustCompile(`^` + path + `/[A-Za-z0-9_-]{22}$`)
		for token, want := range map[string]int{w.one.token: 201, "wrong": 401, "": 401} {
			a := w.come(t, "POST", path, token, offer, forged...)
			if body := read(t, a); a.StatusCode != want || strings.Contains(fmt.Sprint(a.Header)+body, "evil.example") {
				t.Errorf("%s with %q: %d %v\n%s", path, token, a.StatusCode, a.Header, body)
			}
			if all := a.Header.Values("Location"); want == 201 && (len(all) != 1 || !form.MatchString(all[0])) {
				t.Errorf("%s: Location %q", path, all)
			}
		}
	}
	w.goesOn(t)
}

// J23, once more with authorisation on: choices of a layer that can't be followed leave the viewer as it is, and
// whoever may not choose is not asked what.
func TestHostileLayersAtAClosedGateway(t *testing.T) {
	inJSON := []string{"Content-Type", "application/json"}
	for _, mode := range []string{"lenient", "strict"} {
		t.Run(mode, func(t *testing.T) {
			w := newWatched(t, "", mode)
			path := strings.TrimPrefix(w.bystander.Location(), w.url) + "/layer"
			choose := func(token, body string) int {
				w.last = w.last.Next()
				a := w.come(t, "POST", path, token, body, append(inJSON, "X-Forwarded-For", w.last.String())...)
				_, _ = io.Copy(io.Discard, a.Body)
				return a.StatusCode
			}
			for body, want := range map[string]int{
				`{"rid":"q"}`: 404, `{"maxWidth":NaN}`: 400, `{"maxWidth":-1}`: 400, `{"temporalLayerId":-1}`: 400, `{"mediaId":-1}`: 400, `{}`: 200,
			} {
				if got := choose(w.one.token, body); got != want {
					t.Errorf("%s: %d, want %d", body, got, want)
				}
				if mode == "strict" {
					w.keepsOut(t, "POST", path, body, inJSON...)
					continue
				}
				if nobody, wrong := choose("", body), choose("wrong", body); nobody != want || wrong != 401 {
					t.Errorf("%s of nobody, who knows the URL: %d, want %d; with a wrong token: %d", body, nobody, want, wrong)
				}
			}
			w.goesOn(t)
		})
	}
}
