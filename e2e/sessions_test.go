package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/media"
)

// TestTwoViewers watches one camera with a browser and with pion; each leaves in its own way.
//
// Proves A8 and B11 from the outside: DELETE ends a session once and for all, a page that goes away takes its own along.
func TestTwoViewers(t *testing.T) {
	t.Parallel()
	g := startGateway(t, fmt.Sprintf("streams.door.source = %q\n", startCameraOf(t, media.H264, media.Opus)))
	g.awaitState(t, "door", "ready", cameraLimit)
	p := openBrowser(t, chromium).open(t, g.page("door"))
	v := g.watch(t, "door")
	p.awaitPicture(20)
	v.awaitFrames(t, 20)
	g.awaitSessions(t, "door", 2)
	if s := g.stream(t, "door"); s.Viewers != 2 {
		t.Errorf("the stream has %d viewers, want 2", s.Viewers)
	}

	if status := v.request(t, http.MethodDelete); status != http.StatusOK {
		t.Errorf("DELETE is answered with %d", status)
	}
	select {
	case <-v.closed:
	case <-time.After(farewellLimit):
		t.Error("the viewer is not told that its session has ended")
	}
	left := g.awaitSessions(t, "door", 1)
	if strings.Contains(v.location, "/whep/"+left[0].ID) {
		t.Error("the API lists the session that has ended, not the other")
	}
	if status := v.request(t, http.MethodDelete); status != http.StatusOK {
		t.Errorf("a second DELETE is answered with %d, want 200 for a while", status)
	}
	before := p.look().FramesDecoded
	p.await(playLimit, func(l look) string {
		if l.FramesDecoded < before+10 {
			return "the other viewer does not go on"
		}
		return ""
	})
	p.leave(g.URL)
	g.awaitSessions(t, "door", 0)
}

// farewellLimit is for the end of a session to be known to the other side by what it is told: from silence alone it
// would learn that after half a minute.
const farewellLimit = 20 * time.Second

// awaitSessions waits until a stream has a number of connected sessions and no others.
func (g *gatewayProcess) awaitSessions(t *testing.T, stream string, n int) []sessionInfo {
	t.Helper()
	var all []sessionInfo
	eventually(t, farewellLimit, func() string {
		all = g.sessions(t, stream)
		for _, s := range all {
			if s.State != "connected" || s.Role != "play" || s.Protocol != "whep" {
				return fmt.Sprintf("a session is %+v", s)
			}
		}
		if len(all) != n {
			return fmt.Sprintf("there are %d sessions, want %d", len(all), n)
		}
		return ""
	})
	return all
}

// TestOnDemand pulls a camera only while it is watched; the first viewer's request waits for it.
//
// Proves B10 for on-demand sources.
func TestOnDemand(t *testing.T) {
	t.Parallel()
	camera, url := cameraAt(t, "127.0.0.1:0")
	g := startGateway(t, fmt.Sprintf("[streams.door]\nsource = %q\non_demand = true\non_demand_close_after = \"1s\"\n", url))
	if s := g.stream(t, "door"); s.State != "idle" {
		t.Errorf("nobody watches, and the stream is %s, want idle", s.State)
	}
	v := g.watch(t, "door")
	v.awaitFrames(t, 5)
	if s := g.stream(t, "door"); s.State != "ready" || s.Viewers != 1 {
		t.Errorf("somebody watches, and the stream is %s with %d viewers", s.State, s.Viewers)
	}
	if status := v.request(t, http.MethodDelete); status != http.StatusOK {
		t.Errorf("DELETE is answered with %d", status)
	}
	g.awaitState(t, "door", "idle", cameraLimit)

	camera.kill()
	_, refused := g.ask(t, "door")
	if refused == nil || refused.Status != http.StatusConflict || refused.RetryAfter == "" {
		t.Errorf("without a camera the request ends in %+v, want 409 with Retry-After", refused)
	}
}
