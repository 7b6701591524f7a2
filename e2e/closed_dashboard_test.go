package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/media"
)

// tiles is how many streams the page of a control room shows.
const tiles = 16

// dashboard is a page of an operator's own: it plays one stream in all tiles at once, and returns what each POST was
// answered.
const dashboard = `(() => {
	const tile = async () => {
		const pc = new RTCPeerConnection(), video = document.createElement('video');
		document.body.append(Object.assign(video, { muted: true, autoplay: true, width: 160 }));
		pc.ontrack = ({ track }) => { if (track.kind === 'video') video.srcObject = new MediaStream([track]); };
		pc.addTransceiver('video', { direction: 'recvonly' });
		pc.addTransceiver('audio', { direction: 'recvonly' });
		await pc.setLocalDescription();
		const answer = await fetch('/demo/whep', { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: pc.localDescription.sdp });
		const sdp = await answer.text();
		if (answer.status === 201) await pc.setRemoteDescription({ type: 'answer', sdp });
		return answer.status;
	};
	return Promise.all(Array.from({ length: %d }, tile));
})()`

// shown is how many frames each tile has shown.
const shown = `[...document.querySelectorAll('video')].map((video) => video.getVideoPlaybackQuality().totalVideoFrames)`

// TestDashboard has a page of another address than loopback play sixteen streams at once, and once more when it is
// reloaded, with the limits as they are: all tiles show pictures, and nothing is refused.
//
// Proves I30.
func TestDashboard(t *testing.T) {
	t.Parallel()
	if !inNamespaceWith(t, strings.Replace(network, "exec", "ip link set cam1 up\nexec", 1)) {
		return
	}
	camera := startCameraOf(t, media.VP8) // small pictures: a busy machine does not decode sixteen large ones
	g := startGatewayAs(t, "http.listen = \""+foreign+":0\"\nwebrtc.listen_udp = \"0\"\nstreams.demo.source = \""+camera+"\"\nauth.mode = \"internal\"\n"+
		"auth.users = [{ name = \"anonymous\", allow = [{ actions = [\"play\", \"admin\", \"metrics\"], streams = [\"*\"] }] }]\n")
	g.awaitState(t, "demo", "ready", cameraLimit)
	p := openBrowser(t, chromium).open(t, g.URL)
	for _, visit := range []string{"the first visit", "the reload"} {
		var answers, frames []int
		p.evaluate(fmt.Sprintf(dashboard, tiles), &answers)
		if len(answers) != tiles || slices.ContainsFunc(answers, func(status int) bool { return status != 201 }) {
			t.Fatalf("at %s the answers are %v", visit, answers)
		}
		eventually(t, 2*playLimit, func() string {
			if p.evaluate(shown, &frames); len(frames) != tiles || slices.Min(frames) < 2 {
				return fmt.Sprintf("at %s the tiles have shown %v frames", visit, frames)
			}
			return ""
		})
		s := g.sessions(t, "demo")
		if len(s) < tiles || slices.ContainsFunc(s, func(s sessionInfo) bool { return !strings.HasPrefix(s.RemoteAddress, foreign+":") }) {
			t.Errorf("at %s there are the sessions %+v", visit, s)
		}
		p.leave(g.URL)
	}
	if n := g.metric(t, "sluice_limit_refused_total"); n != 0 {
		t.Errorf("%d requests were refused", n)
	}
	g.stop(t)
}
