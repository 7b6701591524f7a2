package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"sluice/media"
)

// TestPublishByRelay publishes as OBS does, which knows no server before the answer to its offer names some: it reads
// them there, without stuns: and turns:, which it ignores, and gathers then. Nothing but the relay is used.
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

// obsServers reads Link headers as OBS does: it joins them, splits at each comma and each semicolon, whether quoted or
// not, and takes stun: and turn: alone.
func obsServers(h http.Header) []iceServer {
	var all []iceServer
	for _, link := range strings.Split(strings.Join(h.Values("Link"), ", "), ",") {
		words := strings.Split(link, ";")
		target := strings.Trim(strings.TrimSpace(words[0]), "<>")
		if !strings.Contains(link, `rel="ice-server"`) || !strings.HasPrefix(target, "stun:") && !strings.HasPrefix(target, "turn:") {
			continue
		}
		s := iceServer{URLs: []string{target}}
		for _, word := range words[1:] {
			name, value, _ := strings.Cut(strings.TrimSpace(word), "=")
			switch value = strings.Trim(value, `"`); name {
			case "username":
				s.Username = value
			case "credential":
				s.Credential = value
			}
		}
		all = append(all, s)
	}
	return all
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
	var relays []iceServer
	for _, s := range obsServers(h) {
		if s.Username != "" {
			relays = append(relays, s)
		}
	}
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
