package e2e

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"sluice/auth"
	"sluice/media"
)

// firstGateway is one as a new user has it: configured by "gateway init" and started. It returns what that printed.
func firstGateway(t *testing.T) (g *gatewayProcess, printedURL, token string) {
	t.Helper()
	file := writeConfig(t, "")
	out, err := command(program, "init", "--force", "--config", file, "--listen", freeAddress(t)).CombinedOutput()
	if err != nil {
		t.Fatalf("gateway init: %v: %s", err, out)
	}
	found := regexp.MustCompile(`(?s)\n(http://\S+)\n.*\n(\S+)\n$`).FindStringSubmatch(string(out))
	if found == nil {
		t.Fatalf("gateway init prints no page and token: %s", out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g = startGatewayAs(t, strings.Replace(string(text), `listen_udp = "8189"`, `listen_udp = "0"`, 1))
	t.Cleanup(func() { g.stop(t) })
	visitor.show(t, g.URL, found[2])
	return g, found[1], found[2]
}

// TestFirstLogin goes the way of a new user: init, start, the page that was printed, the demo camera's tile, its
// picture; and out again, and in with the token.
//
// Proves I2 as seen by a user.
func TestFirstLogin(t *testing.T) {
	t.Parallel()
	g, printed, token := firstGateway(t)
	p := openBrowser(t, chromium).open(t, printed)
	p.awaitAddress("/")
	p.awaitText(playLimit, "demo", "Live", "Sign out")
	p.picture("index")
	p.click(".card-link")
	p.awaitAddress("/demo/")
	p.awaitPicture(25)

	// The player goes on in a tab that was signed out elsewhere, until it has to ask again.
	p.evaluate(`fetch('/logout', { method: 'POST' }).then(({ status }) => status)`, nil)
	p.awaitPicture(10)
	p.evaluate(`dispatchEvent(new Event('pagehide')); dispatchEvent(new Event('pageshow'))`, nil)
	p.awaitBanner("error", playLimit, "Sign in to watch this stream")
	p.picture("player-signed-out")
	p.click("#signin")
	p.awaitAddress("/login?next=%2Fdemo%2F")
	p.picture("login")
	p.signIn(token)
	p.awaitAddress("/demo/")
	l := p.awaitPicture(25)
	if len(l.Violations) > 0 {
		t.Errorf("content policy: %q", l.Violations)
	}

	p.leave(g.URL)
	p.awaitText(playLimit, "Sign out")
	p.click("#signout")
	p.awaitAddress("/login")
	p.leave(g.page("demo"))
	p.awaitAddress("/login?next=%2Fdemo%2F")
	g.checkNotSaid(t, token)
}

// checkNotSaid fails the test if the gateway has written a secret.
func (g *gatewayProcess) checkNotSaid(t *testing.T, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		if strings.Contains(g.output.String(), s) {
			t.Errorf("the log has a secret: %s", g.output)
		}
	}
}

// TestLoginLeadsBack sends a visitor without a login to the login, and from there to what he wanted, in both browsers.
func TestLoginLeadsBack(t *testing.T) {
	t.Parallel()
	viewer := newAccount("viewer", "cam", auth.Play)
	g := startClosed(t, "streams.cam.source = \""+startCameraOf(t, media.VP8)+"\"\n", newAdmin(), viewer)
	for _, k := range []kind{chromium, firefox} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			p := openBrowser(t, k).open(t, g.page("cam"))
			p.awaitAddress("/login?next=%2Fcam%2F")
			p.signIn(viewer.token)
			p.awaitAddress("/cam/")
			p.awaitPicture(25)
		})
	}
}

// TestLoginByLink opens the login with the token behind it: it plays, and leaves no token in the address bar or the
// history.
func TestLoginByLink(t *testing.T) {
	t.Parallel()
	g, _, token := firstGateway(t)
	p := openBrowser(t, chromium).open(t, g.URL+"healthz")
	p.leave(g.URL + "login?next=%2Fdemo%2F#token=" + token)
	p.awaitAddress("/demo/")
	p.awaitPicture(25)
	p.evaluate("history.back()", nil)
	p.awaitAddress("/healthz")
	p.evaluate("history.forward()", nil)
	p.awaitAddress("/demo/")
}

// TestWrongTokens guesses: each is told to be wrong, and from the eleventh on the page counts down.
//
// Proves I6 as seen by a user.
func TestWrongTokens(t *testing.T) {
	t.Parallel()
	g, _, token := firstGateway(t)
	p := openBrowser(t, chromium).open(t, g.URL+"login")
	for range 8 { // of ten within a minute, which a busy browser may take for two
		if r, text := g.call(t, "POST", "login", `{"token":"not the token"}`, "Content-Type", "application/json"); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("%d %s", r.StatusCode, text)
		}
	}
	for range 2 {
		p.signIn("not the token")
		p.awaitText(playLimit, "The gateway does not know this token.")
		p.await(playLimit, func(look) string {
			var disabled bool
			if p.evaluate(`document.querySelector('#by-token [type=submit]').disabled`, &disabled); disabled {
				return "the button is still off"
			}
			return ""
		})
	}
	p.picture("wrong")
	p.signIn(token)
	first := p.awaitText(playLimit, "Too many attempts. Try again in ")
	p.picture("countdown")
	p.await(playLimit, func(l look) string {
		if l.Text == first.Text {
			return "nothing is counted down"
		}
		return ""
	})
	if r, text := g.call(t, "POST", "login", `{"token":"x"}`, "Content-Type", "application/json"); r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
		t.Errorf("%d %s", r.StatusCode, text)
	}
}

// TestViewerOfOne signs in a user who may play one stream: the list has that one, and other pages refuse in words.
//
// Proves I2 and A90 as seen by a user.
func TestViewerOfOne(t *testing.T) {
	t.Parallel()
	viewer := newAccount("viewer", "cam", auth.Play).withPassword(t, "right, isn't it?")
	g := startClosed(t, "streams.cam.source = \"demo:\"\nstreams.other.source = \"demo:\"\nstreams.studio.source = \"publish\"\n", newAdmin(), viewer)
	p := openBrowser(t, chromium).open(t, g.URL)
	p.awaitText(playLimit, "Sign in to see the streams.")
	p.picture("index-refused")
	p.click("#signin")
	p.awaitAddress("/login?next=%2F")
	p.click("#switch")
	p.enter("#user", viewer.name)
	p.enter("#password", viewer.password)
	p.click("#by-name [type=submit]")
	p.awaitAddress("/")
	if l := p.awaitText(playLimit, "cam", "Sign out"); strings.Contains(l.Text, "other") || strings.Contains(l.Text, "studio") {
		t.Errorf("the list shows what is not the viewer's: %s", l.Text)
	}
	for _, path := range []string{"studio/publish", "other/"} {
		p.leave(g.URL + path)
		p.awaitText(playLimit, "You may not see this", "viewer", "Sign in as somebody else")
	}
	p.picture("refused")
	p.leave(g.page("cam"))
	p.awaitPicture(25)

	// A page that was open already learns it from the endpoint.
	var status int
	p.evaluate(`fetch('/studio/whip', { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: 'v=0' }).then(({ status }) => status)`, &status)
	if status != http.StatusForbidden {
		t.Errorf("POST /studio/whip: %d", status)
	}
	g.checkNotSaid(t, viewer.password, viewer.token)
}

// TestPublisherLosesTheRight has the publish page refused by the gateway after it was opened.
func TestPublisherLosesTheRight(t *testing.T) {
	t.Parallel()
	streams := publishConfig("studio")
	admin, publisher := newAdmin(), newAccount("anchor", "studio", auth.Publish)
	g := startClosed(t, streams, admin, publisher)
	p := openBrowser(t, chromium).openAs(t, g.URL+"login?next=%2Fstudio%2Fpublish#token="+publisher.token, filming)
	p.awaitAddress("/studio/publish")
	publisher.allow = `{ actions = ["play"], streams = ["studio"] }`
	g.reload(t, usersConfig(admin, publisher)+streams)
	p.click("#start")
	p.awaitDesk("failed", "anchor")
	p.awaitText(playLimit, "Sign in as somebody else")
	p.picture("publish-refused")
}

// TestPageWithToken opens a page with the token in its URL, which the page takes away and goes on with.
//
// Proves B17 and J20 as seen by a user.
func TestPageWithToken(t *testing.T) {
	t.Parallel()
	admin, viewer := newAdmin(), newAccount("viewer", "cam", auth.Play)
	camera := startCameraOf(t, media.VP8, media.Opus)
	g := startClosed(t, "auth.query_token = true\nstreams.cam.source = \""+camera+"\"\n", admin, viewer)
	p := openBrowser(t, chromium).open(t, g.page("cam")+"?token="+viewer.token)
	p.awaitPicture(25)
	p.awaitAddress("/cam/")
	if s := g.awaitRole(t, "cam", "play", 1)[0]; s.Principal != "viewer" {
		t.Errorf("the session is that of %q", s.Principal)
	}
	p.leave(g.URL + "?token=" + viewer.token)
	p.awaitText(playLimit, "cam", "Sign out")
	p.awaitAddress("/")
	p.leave(g.page("cam") + "?token=wrong")
	p.awaitAddress("/login?next=%2Fcam%2F")
	g.checkNotSaid(t, viewer.token)
}
