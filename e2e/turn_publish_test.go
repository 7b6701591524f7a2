package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"sluice/media"
)

// TestPublishByRelay publishes as OBS does, which knows no server before the answer to its offer names some: it reads
// them there, without turns:, which it ignores, and gathers then. Nothing but the relay is used.
//
// Proves A23 and G13 as seen by a publisher.
func TestPublishByRelay(t *testing.T) {
	t.Parallel()
	g := startGateway(t, embedded+publishConfig("studio"))
	p := publishWithPion(t, g.whip("studio"), pionOptions{late: true})
	g.awaitState(t, "studio", "ready", answerLimit)
	checkRelayed(t, p.connection)
	g.checkFromRelay(t, "studio", 1)
	v := g.watch(t, "studio")
	v.awaitFrames(t, 30)
	v.close()
	v.checkVideo(t, media.H264, 30)
	if status := p.stop(t); status != http.StatusOK {
		t.Errorf("DELETE is answered with %d, want 200", status)
	}
}

// bareOffer is made before there are candidates.
func (p *pionPublisher) bareOffer(t testing.TB) string {
	t.Helper()
	offer, err := p.connection.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	return offer.SDP
}

// gather has the publisher go through the relays that the answer's header names.
func (p *pionPublisher) gather(t testing.TB, h http.Header, offer string) {
	t.Helper()
	relays := slices.DeleteFunc(linkedServers(h), func(s iceServer) bool { return !strings.HasPrefix(s.URLs[0], "turn:") })
	if len(relays) != 2 {
		t.Fatalf("the header names %d relays to OBS, want one over UDP and one over TCP: %q", len(relays), h.Values("Link"))
	}
	err := p.connection.SetConfiguration(relayOnly(relays...))
	if err == nil {
		err = p.connection.SetLocalDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer})
	}
	if err != nil {
		t.Fatal(err)
	}
}
