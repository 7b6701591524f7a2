package e2e

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"sluice/media"
)

// escaped is a text as part of a URL.
func escaped(text string) string { return url.QueryEscape(text) }

// TestSecretsStayInside does everything with gateways in which every place that takes a secret has a canary, and looks
// for these in all that they have written: log, answers, metrics and files.
//
// Proves I40, I41, J20 and J162.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	for mode := range waysIn {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			g := startSecretive(t, mode)
			g.awaitState(t, "cam", "ready", cameraLimit)
			g.play(t)
			g.publish(t)
			g.logIn(t)
			g.sendBadBodies(t)
			g.readAll(t)
			g.failToReload(t)
			g.guess(t)
			g.stop(t)
			g.check(t, "the log", g.output.String())
			g.checkFolder(t)
			if log := g.output.String(); !strings.Contains(log, "level=DEBUG") || !strings.Contains(log, "stream=closed") {
				t.Errorf("the log tells too little to prove anything:\n%s", log)
			}
		})
	}
}

// send asks as whoever the headers say, and looks for secrets in the answer but for those that it is for.
func (g *secretive) send(t *testing.T, method, path, body string, headers ...string) *http.Response {
	t.Helper()
	q, err := http.NewRequestWithContext(context.Background(), method, g.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	r, err := visitor.Transport.RoundTrip(q) // without the right token
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text := fmt.Sprint(r.Header) + readAll(t, r.Body)
	var forThem []string
	if path == "api/v1/ice" && r.StatusCode == http.StatusOK {
		forThem = []string{"the credential of an ICE server"}
	}
	g.check(t, fmt.Sprintf("the answer %d to %s /%.20s", r.StatusCode, method, path), text, forThem...)
	return r
}

// hide notes what is secret of a session: its URL but for six characters, and the passwords of ICE and TURN.
func (g *secretive) hide(what, location, offer, answer string, links []string) {
	g.add("the URL of "+what, location[strings.LastIndex(location, "/")+7:])
	for side, sdp := range map[string]string{"theirs": offer, "ours": answer} {
		if m := regexp.MustCompile(`a=ice-pwd:(\S+)`).FindStringSubmatch(sdp); m != nil {
			g.add("ice-pwd of "+what+", "+side, m[1])
		}
	}
	for i, m := range regexp.MustCompile(`credential="([^"]+)"`).FindAllStringSubmatch(strings.Join(links, "\n"), -1) {
		if g.find(m[1]) == nil { // it is no server of the configuration
			g.add(fmt.Sprintf("credential %d for %s", i, what), m[1])
		}
	}
}

// play watches, trickles and leaves, and is cut off once.
func (g *secretive) play(t *testing.T) {
	t.Helper()
	v, cut := g.watch(t, "cam"), g.watch(t, "cam")
	g.hide("a viewer", v.location, v.connection.LocalDescription().SDP, v.answer, v.header["Link"])
	g.hide("another viewer", cut.location, cut.connection.LocalDescription().SDP, cut.answer, cut.header["Link"])
	v.awaitFrames(t, 10)
	cut.close()
	for _, headers := range [][]string{{"Authorization", g.right}, {"Authorization", "Bearer " + g.hatch("a wrong token at a PATCH")}, {}} {
		pwd := strings.NewReplacer("@", "", "/", "").Replace(g.hatch("ice-pwd of a fragment"))
		path := strings.TrimPrefix(v.location, g.URL)
		g.send(t, "PATCH", path, "a=ice-ufrag:abcd\r\na=ice-pwd:"+g.add("ice-pwd of a fragment", pwd)+"\r\n", append(headers, "Content-Type", "application/trickle-ice-sdpfrag")...)
		g.send(t, "GET", path+"/verdict", "", headers...)
	}
	for _, stream := range []string{"closed", "wrong", "unknown", "path", "by-name", "far"} {
		g.send(t, "POST", stream+"/whep", v.connection.LocalDescription().SDP, "Authorization", g.right, "Content-Type", "application/sdp")
		g.awaitState(t, stream, "failed", cameraLimit)
	}
	v.request(t, http.MethodDelete)
}

func (g *secretive) publish(t *testing.T) {
	t.Helper()
	p := publishWithPion(t, g.whip("studio"), pionOptions{})
	g.hide("a publisher", p.resource, p.connection.LocalDescription().SDP, p.answer, nil)
	v := g.watch(t, "studio?wait=1&key="+escaped(g.hatch("the query of a POST")))
	v.awaitMore(t, media.Video, 10, packetLimit)
	p.stop(t)
}

// logIn logs in and out as the pages do, also in vain.
func (g *secretive) logIn(t *testing.T) {
	t.Helper()
	body := fmt.Sprintf("{\"token\": %q}", strings.TrimPrefix(g.right, "Bearer "))
	r := g.send(t, "POST", "login", body, "Content-Type", "application/json")
	cookie, _, _ := strings.Cut(r.Header.Get("Set-Cookie"), ";")
	if r.StatusCode != http.StatusNoContent || cookie == "" {
		t.Fatalf("POST /login: %d", r.StatusCode)
	}
	_, id, _ := strings.Cut(cookie, "=")
	g.add("the cookie", id)
	g.send(t, "GET", "cam/", "", "Cookie", cookie, "Accept", "text/html")
	g.send(t, "POST", "cam/whep", "v=0", "Cookie", cookie, "Content-Type", "application/sdp", "Sec-Fetch-Site", "cross-site")
	g.send(t, "POST", "logout", "", "Cookie", cookie)
	g.send(t, "POST", "login", fmt.Sprintf("{\"user\": \"ann\", \"password\": %q}", g.hatch("a wrong password of a login")), "Content-Type", "application/json")
	g.send(t, "POST", "login", "{\"password\": "+g.hatch("a login that is no JSON"), "Content-Type", "application/json")
}

// sendBadBodies posts what can't be read.
func (g *secretive) sendBadBodies(t *testing.T) {
	t.Helper()
	v := newViewer(t, viewerOptions{})
	offer := v.offer(t)
	pwd := regexp.MustCompile(`a=ice-pwd:\S+`)
	for _, body := range []string{
		pwd.ReplaceAllString(offer, "a=ice-pwd:"+g.hatch("an ice-pwd that is none")+"!\u00e9"),
		pwd.ReplaceAllString(offer, "a=ice-pwd:"+g.hatch("a line that is broken")+"\r\x00"),
		pwd.ReplaceAllString(offer, "ice-pwd:"+g.hatch("a line without a type")),
		pwd.ReplaceAllString(offer, "a=ice-pwd:"+g.hatch("one of two ice-pwd")+"\r\na=ice-pwd:abc"),
	} {
		g.send(t, "POST", "cam/whep", body, "Authorization", g.right, "Content-Type", "application/sdp")
	}
	g.send(t, "POST", "cam/whep", offer, "Authorization", g.right, "Content-Type", "text/"+strings.ReplaceAll(g.hatch("a type"), "@", ""))
}

// readAll reads all that there is to read.
func (g *secretive) readAll(t *testing.T) {
	t.Helper()
	v := g.watch(t, "cam")
	g.hide("a viewer who is listed", v.location, v.connection.LocalDescription().SDP, v.answer, v.header["Link"])
	v.awaitFrames(t, 1)
	paths := []string{
		"", "cam/", "studio/publish", "cam/snapshot.jpg", "login", "ice-test", "metrics", "healthz", "readyz", "none",
		"api/v1/streams", "api/v1/sessions", "api/v1/devices", "api/v1/ice", "api/v1/none",
	}
	for _, stream := range []string{"cam", "closed", "wrong", "unknown", "path", "by-name", "far", "studio"} {
		paths = append(paths, "api/v1/streams/"+stream)
	}
	for _, s := range g.gatewayProcess.sessions(t, "cam") {
		paths = append(paths, "api/v1/sessions/"+s.ID)
	}
	for _, path := range paths {
		r := g.send(t, "GET", path, "", "Authorization", g.right)
		over := r.StatusCode == http.StatusNotFound && strings.HasPrefix(path, "api/v1/sessions/") // since it was listed
		if r.StatusCode != http.StatusOK && !over && strings.HasPrefix(path, "api/v1/s") {
			t.Errorf("GET /%s: %d", path, r.StatusCode)
		}
		g.send(t, "GET", path, "", "Authorization", g.right, "X-Forwarded-For", g.hatch("X-Forwarded-For"), "Forwarded", "for="+g.hatch("Forwarded"),
			"Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("u:"+g.hatch("Proxy-Authorization"))), "X-Api-Key", g.hatch("X-Api-Key"))
	}
}

// failToReload has the gateway read configurations with faults, and one that changes secrets.
func (g *secretive) failToReload(t *testing.T) {
	t.Helper()
	for name, line := range map[string]string{
		"a token that is no hash":          "auth.users = [{ name = \"bob\", tokens = [%q] }]",
		"a password that is no hash":       "auth.users = [{ name = \"bob\", password = %q }]",
		"an unknown key":                   "http.secret = %q",
		"an unknown key in a table":        "streams.odd = { source = \"publish\", password = %q }",
		"a wrong type":                     "turn.secret = [%q]",
		"a line without an end":            "streams.odd.source = \"rtsp://u:%s@h",
		"a URL that is none":               "streams.odd.source = \"rtsp://u:%s%%zz@h/\"",
		"a scheme that is none":            "streams.odd.source = \"nothing://u:%s@h/\"",
		"a URL without a host":             "streams.odd.source = \"rtsp://u:%s@\"",
		"a source that is no URL":          "streams.odd.source = %q",
		"a push that is none":              "streams.odd = { source = \"publish\", push = [{ url = \"http://u:%s@h/\" }] }",
		"a pipeline":                       "streams.odd.source = \"gst: rtspsrc location=rtsp://h user-pw=%s ! nothing\"",
		"an address of a callback":         "auth.http.url = \"ftp://u:%s@h/\"",
		"an address of keys":               "auth.jwt.jwks_url = \"ftp://u:%s@h/\"",
		"an ICE server without a user":     "webrtc.ice_servers = [{ urls = [\"turn:h\"], credential = %q }]",
		"a credential of two lines":        "webrtc.ice_servers = [{ urls = [\"turn:h\"], username = \"u\", credential = \"%s\\n\" }]",
		"a password beside a file":         "streams.odd = { source = \"rtsp://${file:/none}:%s@h/\" }",
		"the name of a variable not there": "streams.odd = { source = \"rtsp://u:${NONE}%s@h/\" }",
	} {
		key, _, _ := strings.Cut(line, " =")
		text := regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(key)+` =.*$`).ReplaceAllString(g.text, "") + fmt.Sprintf(line, g.hatch(name)) + "\n"
		g.reload(t, text)
		p := start(t, "check", command(program, "--config", g.config, "--check"))
		if code := p.exit(listenLimit); code != 1 {
			t.Errorf("%s is no fault: %d", name, code)
		}
		g.check(t, "the report of "+name, p.output.String())
	}
	g.reload(t, g.text+"streams.new.source = \"rtsp://u:"+escaped(g.hatch("the password of a camera that comes later"))+"@127.0.0.1:1/\"\n")
	if log := g.output.String(); !strings.Contains(log, "was not reloaded") || !strings.Contains(log, "configuration was reloaded") {
		t.Errorf("the log does not tell of reloads:\n%s", log)
	}
}

// guess shows wrong credentials of every kind until nobody is let in any more.
func (g *secretive) guess(t *testing.T) {
	t.Helper()
	basic := func(place string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:"+g.hatch(place)))
	}
	for _, path := range []string{"cam/whep", "studio/whip", "api/v1/streams", "metrics", "cam/"} {
		method := map[bool]string{true: "POST", false: "GET"}[strings.Contains(path, "/wh")]
		g.send(t, method, path, "", "Accept", "text/html")
		g.send(t, method, path+"?token="+escaped(g.hatch("a wrong token of a URL")), "", "Referer", "https://page.example/?token="+escaped(g.hatch("the token of a Referer")))
		for _, shown := range []string{
			"Bearer " + g.hatch("a wrong Bearer"), "Bearer ann:" + g.hatch("a wrong Bearer with a user"), basic("a wrong Basic"),
			g.hatch("a wrong Authorization without a scheme"), "Digest username=\"ann\", response=\"" + g.hatch("a Digest") + "\"",
			"Bearer " + signed(g.hatch("a secret that others sign with")),
		} {
			g.send(t, method, path, "", "Authorization", shown)
		}
	}
	if r := g.send(t, "GET", "api/v1/streams", "", "Authorization", g.right); r.StatusCode != http.StatusTooManyRequests {
		t.Errorf("after many guesses: %d", r.StatusCode)
	}
}
