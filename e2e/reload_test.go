package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"sluice/auth"
	"sluice/internal/camera"
	"sluice/media"
)

// TestRightIsTakenAway takes a viewer's right away while he watches: his page says so within seconds, and another
// viewer's goes on in the same session.
//
// Proves I2 for a reload, as seen by viewers.
func TestRightIsTakenAway(t *testing.T) {
	t.Parallel()
	streams := fmt.Sprintf("streams.cam.source = %q\n", startCameraOf(t, media.VP8))
	admin, ann, bob := newAdmin(), newAccount("ann", "cam", auth.Play), newAccount("bob", "cam", auth.Play)
	g := startClosed(t, streams, admin, ann, bob)
	g.awaitState(t, "cam", "ready", cameraLimit)
	open := func(a account) *page {
		p := openBrowser(t, chromium).open(t, g.URL+"login?next=%2Fcam%2F#token="+a.token)
		p.awaitAddress("/cam/")
		p.awaitPicture(10)
		return p
	}
	loser, keeper := open(ann), open(bob)
	before := g.sessionOf(t, "cam", "bob")
	born := keeper.look()

	ann.allow = `{ actions = ["play"], streams = ["lobby"] }`
	g.reload(t, usersConfig(admin, ann, bob)+streams)
	loser.awaitBanner("error", playLimit, "You may not watch this stream", "ann")
	loser.awaitText(playLimit, "Sign in as somebody else")
	loser.picture("refused-player")
	after := keeper.awaitPicture(25)
	if now := g.sessionOf(t, "cam", "bob"); now != before || after.Born != born.Born || after.Connections != born.Connections {
		t.Errorf("the other viewer's session was %s and is %s, on %d connections after %d", before, now, after.Connections, born.Connections)
	}

	g.reload(t, usersConfig(admin, bob)+streams)
	loser.evaluate("location.reload()", nil)
	loser.awaitAddress("/login?next=%2Fcam%2F")
	if r, _ := g.call(t, "GET", "api/v1/streams", "", "Authorization", "Bearer "+ann.token); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("a user who is gone: %d", r.StatusCode)
	}
	keeper.awaitPicture(10)
}

// sessionOf is the id of a user's session, which has to be there.
func (g *gatewayProcess) sessionOf(t *testing.T, stream, user string) string {
	t.Helper()
	for _, s := range g.sessions(t, stream) {
		if s.Principal == user {
			return s.ID
		}
	}
	t.Errorf("%s has no session with %s", user, stream)
	return ""
}

// TestFaultyReload puts a configuration with a fault into the file: the old one stays, streams, users and viewers too.
//
// Proves J158 as seen by a viewer.
func TestFaultyReload(t *testing.T) {
	t.Parallel()
	streams := fmt.Sprintf("streams.cam.source = %q\n", startCameraOf(t, media.VP8))
	g := startClosed(t, streams, newAdmin())
	g.awaitState(t, "cam", "ready", cameraLimit)
	v := g.watch(t, "cam")
	v.awaitFrames(t, 5)
	g.reloadFaulty(t, "auth.mode = \"nobody knows\"\n")
	v.awaitFramesMore(t, 25)
	if r, _ := g.call(t, "GET", "api/v1/sessions", ""); r.StatusCode != http.StatusOK {
		t.Errorf("the administrator is not let in: %d", r.StatusCode)
	}
	v.close()
	checkPackets(t, media.Video, v.snapshot(media.Video).packets)
}

// TestOtherCameraUnderTheSameName changes a stream's camera by a reload: its page goes on with the other picture without
// being loaded anew, and the viewers of another stream lose none.
//
// Proves the reload of streams as seen by viewers.
func TestOtherCameraUnderTheSameName(t *testing.T) {
	t.Parallel()
	bars := startCamera(t, camera.Options{Clip: barClip(t, ".h264", "-c:v", "libx264", "-profile:v", "baseline", "-bf", "0", "-preset", "ultrafast")})
	config := func(door string) string {
		return fmt.Sprintf("streams.bars.source = %q\nstreams.door.source = %q\n", bars, door)
	}
	g := startGateway(t, config(startCameraOf(t, media.H264)))
	g.awaitState(t, "bars", "ready", cameraLimit)
	g.awaitState(t, "door", "ready", cameraLimit)
	door := openBrowser(t, chromium).open(t, g.page("door"))
	before := door.awaitPicture(10)
	same := openBrowser(t, chromium).open(t, g.page("bars"))
	same.awaitPicture(10)
	watching := g.watch(t, "bars")
	watching.awaitFrames(t, 10)
	same.shown()
	held := g.awaitRole(t, "bars", "play", 2)

	g.reload(t, config("demo:"))
	after := door.await(playLimit, func(l look) string {
		if l.State != "playing" || l.Width != 1280 || l.Banner != "" {
			return fmt.Sprintf("it shows %dx%d, not the other camera", l.Width, l.Height)
		}
		return ""
	})
	door.awaitPicture(10)
	if after.Born != before.Born {
		t.Error("the page was loaded anew")
	}
	checkOrder(t, same.awaitShown(50))
	watching.awaitFramesMore(t, 25)
	if now := g.awaitRole(t, "bars", "play", 2); !slices.ContainsFunc(held, func(s sessionInfo) bool { return s.ID == now[0].ID }) ||
		!slices.ContainsFunc(held, func(s sessionInfo) bool { return s.ID == now[1].ID }) {
		t.Errorf("the viewers of the stream that did not change had the sessions %+v and have %+v", held, now)
	}
	watching.close()
	checkPackets(t, media.Video, watching.snapshot(media.Video).packets)
}
