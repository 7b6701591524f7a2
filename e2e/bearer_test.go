package e2e

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"sluice/auth"
)

// TestOBSWithToken publishes as OBS does, which has one field: a token, or a name and a password in it.
//
// Proves A90 and B17 as seen by a publisher.
func TestOBSWithToken(t *testing.T) {
	t.Parallel()
	anchor := newAccount("anchor", "stu*", auth.Publish).withPassword(t, "a right:password")
	g := startClosed(t, publishConfig("studio", "studio-2", "other"), newAdmin(), anchor)
	for stream, token := range map[string]string{"studio": anchor.token, "studio-2": anchor.name + ":" + anchor.password} {
		obs := startOBSAs(t, g.whip(stream), token)
		if l := obs.awaitTold(t, "answered", answerLimit, func(told) bool { return true }); l.Status != http.StatusCreated {
			t.Errorf("%s: %+v", stream, l)
		}
		g.awaitState(t, stream, "ready", answerLimit)
		if s := g.awaitRole(t, stream, "publish", 1)[0]; s.Principal != "anchor" {
			t.Errorf("%s: the session is that of %q", stream, s.Principal)
		}
		if status := obs.stop(t); status != http.StatusOK {
			t.Errorf("%s: DELETE: %d", stream, status)
		}
	}
	for name, c := range map[string]struct {
		stream, token string
		status        int
		slug          string
	}{
		"wrong token":    {"studio", "x", 401, "invalid_credentials"},
		"wrong password": {"studio", "anchor:x", 401, "invalid_credentials"},
		"no token":       {"studio", "", 401, "no_credentials"},
		"another stream": {"other", anchor.token, 403, "forbidden"},
		"no such stream": {"stunt", anchor.token, 404, ""},
	} {
		l := startOBSAs(t, g.whip(c.stream), c.token).awaitTold(t, "refused", answerLimit, func(told) bool { return true })
		if l.Status != c.status || !strings.Contains(l.Detail, c.slug) {
			t.Errorf("%s: %d %s, want %d %s", name, l.Status, l.Detail, c.status, c.slug)
		}
	}
	g.checkNotSaid(t, anchor.token, anchor.password)
}

// startOBSAs is startOBS with what its user has put into the field for a token.
func startOBSAs(t *testing.T, url, token string) *peer {
	t.Helper()
	args := []string{url, "--video", obsVideo(t, 320, 180), "--audio", obsSound(t)}
	if token != "" {
		args = append(args, "--token", token)
	}
	return startPeer(t, "obs.mjs", args...)
}

// TestRecordedOffersWithToken posts what ffmpeg and OBS were seen to send, with their token and without.
//
// Proves A90 for ffmpeg and OBS.
func TestRecordedOffersWithToken(t *testing.T) {
	t.Parallel()
	anchor := newAccount("anchor", "*", auth.Publish)
	for _, recorded := range []string{"obs-32.2.2.sdp", "ffmpeg9-whip.sdp"} {
		t.Run(recorded, func(t *testing.T) {
			t.Parallel()
			g := startClosed(t, publishConfig("studio"), newAdmin(), anchor)
			offer, err := os.ReadFile("../negotiation/testdata/offers/" + recorded)
			if err != nil {
				t.Fatal(err)
			}
			for authorization, want := range map[string]int{"Bearer x": 401, "Bearer " + anchor.token: 201} {
				r, text := g.call(t, "POST", "studio/whip", string(offer), "Content-Type", "application/sdp", "Authorization", authorization)
				if r.StatusCode != want {
					t.Errorf("%d, want %d: %s", r.StatusCode, want, text)
				}
			}
		})
	}
}

// TestCurlAndPrometheus asks as programs do, by Basic.
//
// Proves A90 for programs.
func TestCurlAndPrometheus(t *testing.T) {
	t.Parallel()
	monitor := newAccount("monitor", "*", auth.Metrics).withPassword(t, "counts everything")
	g := startClosed(t, publishConfig("studio"), newAdmin(), monitor)
	for _, c := range []struct {
		user, path, status string
	}{
		{"monitor:counts everything", "metrics", "200"},
		{"monitor:wrong", "metrics", "401"},
		{":" + monitor.token, "metrics", "200"},
		{"monitor:counts everything", "api/v1/sessions", "403"},
		{"monitor:counts everything", "api/v1/streams", "200"},
	} {
		got := tool(t, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-u", c.user, g.URL+c.path)
		if got != c.status {
			t.Errorf("curl -u %s /%s: %s, want %s", c.user, c.path, got, c.status)
		}
	}
	challenged := tool(t, "curl", "-s", "-i", g.URL+"metrics")
	if !strings.Contains(challenged, `WWW-Authenticate: Bearer realm="sluice"`) && !strings.Contains(challenged, `Www-Authenticate: Bearer realm="sluice"`) || !strings.Contains(challenged, `Basic realm="sluice"`) {
		t.Errorf("without a login: %s", challenged)
	}
}

// TestTakeoverNeedsTheSameUser has a second publisher come to a stream: the same user takes over, another is refused,
// and nobody who is anonymous takes anything over.
//
// Proves A14 with principals.
func TestTakeoverNeedsTheSameUser(t *testing.T) {
	t.Parallel()
	anchor, rival := newAccount("anchor", "*", auth.Publish), newAccount("rival", "*", auth.Publish)
	anybody := account{name: "anonymous", allow: `{ actions = ["publish"], streams = ["open"] }`}
	g := startClosed(t, publishConfig("studio", "open"), newAdmin(), anchor, rival, anybody)
	conflict := func(o *peer) bool {
		l := o.awaitTold(t, "refused", answerLimit, func(told) bool { return true })
		return l.Status == http.StatusConflict && strings.Contains(l.Detail, "publisher_conflict")
	}
	first := startOBSAs(t, g.whip("studio"), anchor.token)
	before := g.awaitRole(t, "studio", "publish", 1)[0]
	if !conflict(startOBSAs(t, g.whip("studio"), rival.token)) {
		t.Error("another user is not answered 409")
	}
	second := startOBSAs(t, g.whip("studio"), anchor.token)
	second.awaitState(t, answerLimit, "connected")
	first.awaitState(t, answerLimit, "disconnected", "failed", "closed")
	if after := g.awaitRole(t, "studio", "publish", 1)[0]; after.ID == before.ID || after.Principal != "anchor" {
		t.Errorf("after the takeover the session is %+v", after)
	}
	second.stop(t)

	startOBSAs(t, g.whip("open"), "")
	g.awaitRole(t, "open", "publish", 1)
	for name, token := range map[string]string{"anonymous": "", "a user": anchor.token} {
		if !conflict(startOBSAs(t, g.whip("open"), token)) {
			t.Errorf("%s takes over from an anonymous publisher", name)
		}
	}
}

// TestSessionsOfOthers changes another user's session.
//
// Proves A92, J10 and J11 against a running gateway.
func TestSessionsOfOthers(t *testing.T) {
	t.Parallel()
	mine, other := newAccount("mine", "*", auth.Play), newAccount("other", "*", auth.Play)
	g := startClosed(t, `streams.cam.source = "demo:"`+"\n", newAdmin(), mine, other)
	g.awaitState(t, "cam", "ready", cameraLimit)
	v := newViewer(t, viewerOptions{})
	r, text := g.call(t, "POST", "cam/whep", v.offer(t), "Content-Type", "application/sdp", "Authorization", "Bearer "+mine.token)
	if r.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", r.StatusCode, text)
	}
	location := strings.TrimPrefix(r.Header.Get("Location"), "/")
	for _, c := range []struct {
		name, method, authorization string
		status                      int
	}{
		{"another user's PATCH", "PATCH", "Bearer " + other.token, 403},
		{"another user's DELETE", "DELETE", "Bearer " + other.token, 403},
		{"a wrong token", "DELETE", "Bearer x", 401},
		{"64 KiB", "DELETE", "Bearer " + strings.Repeat("x", 64<<10), 431},
		{"the maker", "DELETE", "Bearer " + mine.token, 200},
	} {
		r, text := g.call(t, c.method, location, "", "Content-Type", "application/trickle-ice-sdpfrag", "If-Match", "*", "Authorization", c.authorization)
		if r.StatusCode != c.status {
			t.Errorf("%s: %d, want %d: %s", c.name, r.StatusCode, c.status, text)
		}
	}
}
