package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"sluice/media"
)

// pageEvent is one server-sent event, as a browser's EventSource gives it to the page.
type pageEvent struct {
	Kind string
	Data json.RawMessage
}

// TestEvents has a page listen to its session's events with EventSource while publishers and viewers come and go.
//
// Proves B15 and B11 as seen by a browser.
func TestEvents(t *testing.T) {
	t.Parallel()
	g := startGateway(t, publishConfig("studio"))
	publisher := publishWithPion(t, g.whip("studio"), pionOptions{rids: []string{"a", "b"}})
	g.awaitState(t, "studio", "ready", answerLimit)
	p := openBrowser(t, chromium).openPeer(t, g.whep("studio"))
	p.start(map[string]any{"url": g.whep("studio"), "role": "play"})
	p.awaitDecoded(5)
	p.call("listen", []string{"active", "inactive", "layers", "viewercount"}, nil)
	p.awaitEvent("active", "")
	p.awaitEvent("layers", `"a"`)
	p.awaitEvent("viewercount", "1")

	second := g.watch(t, "studio")
	p.awaitEvent("viewercount", "2")
	if status := second.request(t, http.MethodDelete); status != http.StatusOK {
		t.Errorf("DELETE is answered with %d", status)
	}
	publisher.stop(t)
	p.awaitEvent("inactive", "")

	was := p.stats().Decoded
	publishWithPion(t, g.whip("studio"), pionOptions{})
	p.awaitDecoded(was + 20)
	p.awaitLast("active", "inactive")
}

// events are all that the page has heard.
func (p *pagePeer) events() []pageEvent {
	p.t.Helper()
	var all []pageEvent
	p.call("heard", nil, &all)
	return all
}

// awaitEvent waits until the page has heard an event of a kind with some text in it.
func (p *pagePeer) awaitEvent(kind, text string) {
	p.t.Helper()
	eventually(p.t, mediaLimit, func() string {
		all := p.events()
		if slices.ContainsFunc(all, func(e pageEvent) bool { return e.Kind == kind && strings.Contains(string(e.Data), text) }) {
			return ""
		}
		return fmt.Sprintf("no event %q with %q among %s", kind, text, jsonOf(p.t, all))
	})
}

// awaitLast waits until the newest event of two kinds is of the first.
func (p *pagePeer) awaitLast(kind, other string) {
	p.t.Helper()
	eventually(p.t, mediaLimit, func() string {
		all := slices.DeleteFunc(p.events(), func(e pageEvent) bool { return e.Kind != kind && e.Kind != other })
		if len(all) > 0 && all[len(all)-1].Kind == kind {
			return ""
		}
		return fmt.Sprintf("the newest event is not %q: %s", kind, jsonOf(p.t, all))
	})
}

// TestCounterOffer has viewers ask for the gateway's offer and answer it.
//
// Proves B6, B7 and D22 as seen by peers.
func TestCounterOffer(t *testing.T) {
	t.Parallel()
	g := startGateway(t, fmt.Sprintf("streams.door.source = %q\n", startCameraOf(t, media.H264, media.Opus)))
	g.awaitState(t, "door", "ready", cameraLimit)
	t.Run("webrtcbin", func(t *testing.T) {
		t.Parallel()
		g.checkPlayer(t, "door", "counter_offer", startPeer(t, "gst_peer.py", "play", g.whep("door"), "--counter-offer"))
	})
	t.Run("pion", func(t *testing.T) {
		t.Parallel()
		v := newViewer(t, viewerOptions{})
		offer, resource := counterOffer(t, g.whep("door")+"?offer=server")
		if err := v.connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
			t.Fatalf("the offer is not understood: %v:\n%s", err, offer)
		}
		answer := v.answerOffer(t)
		for _, want := range []int{http.StatusNoContent, http.StatusConflict} {
			if status := patchAnswer(t, resource, answer); status != want {
				t.Errorf("an answer is answered with %d, want %d", status, want)
			}
		}
		v.awaitFrames(t, 30)
		v.close()
		v.checkVideo(t, media.H264, 30)
	})
}

// counterOffer asks for the gateway's offer.
func counterOffer(t *testing.T, endpoint string) (offer, resource string) {
	t.Helper()
	r, err := client.Post(endpoint, "application/sdp", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	at, err := r.Location()
	if r.StatusCode != http.StatusNotAcceptable || err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/sdp; valid-until=") {
		t.Fatalf("the gateway makes no offer: %s %v", r.Status, r.Header)
	}
	return readAll(t, r.Body), at.String()
}

// answerOffer makes the viewer's answer.
func (v *viewer) answerOffer(t *testing.T) string {
	t.Helper()
	answer, err := v.connection.CreateAnswer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(v.connection)
	if err := v.connection.SetLocalDescription(answer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return v.connection.LocalDescription().SDP
}

func patchAnswer(t *testing.T, resource, answer string) int {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, resource, strings.NewReader(answer))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/sdp")
	r, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	return r.StatusCode
}

// TestWaitingViewer comes before anybody publishes and is kept.
//
// Proves B10 for waiting viewers.
func TestWaitingViewer(t *testing.T) {
	t.Parallel()
	g := startGateway(t, publishConfig("studio"))
	if _, refused := g.ask(t, "studio"); refused == nil || refused.Status != http.StatusConflict || refused.RetryAfter == "" {
		t.Errorf("a viewer that does not wait gets %+v, want 409 with Retry-After", refused)
	}
	v := g.watch(t, "studio?wait=1")
	g.awaitRole(t, "studio", "play", 1)
	publishWithPion(t, g.whip("studio"), pionOptions{})
	v.awaitFrames(t, 30)
	v.close()
	v.checkVideo(t, media.H264, 30)
}
