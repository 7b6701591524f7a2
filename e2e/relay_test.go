package e2e

import (
	"fmt"
	"testing"

	"sluice/media"
)

// TestPushAndPull sends a camera's stream through three gateways: the first pushes it to the second by WHIP, the
// third pulls it from there by WHEP. Both come back when the gateway in the middle has been away.
//
// Proves C1, C5, C6, C11 and C14 as seen by our own server.
func TestPushAndPull(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	middleConfig := fmt.Sprintf("http.listen = %q\nwebrtc.listen_udp = \"0\"\n%s", address, publishConfig("studio"))
	middle := startGatewayAs(t, middleConfig)
	startGateway(t, fmt.Sprintf("streams.door = { source = %q, push = [{ url = \"whip://%s/studio/whip\" }] }\n",
		startCameraOf(t, media.H264, media.Opus), address))
	last := startGateway(t, fmt.Sprintf("streams.remote.source = \"whep://%s/studio/whep\"\n", address))

	last.checkRelayed(t)
	middle.stop(t)
	middle = startGatewayAs(t, middleConfig)
	middle.awaitState(t, "studio", "ready", relayLimit)
	last.checkRelayed(t)
	middle.stop(t)
}

const relayLimit = 3 * cameraLimit // for a way of several steps to stand, each with its back-off

// checkRelayed watches at the end of the way.
func (g *gatewayProcess) checkRelayed(t *testing.T) {
	t.Helper()
	g.awaitState(t, "remote", "ready", relayLimit)
	v := g.watch(t, "remote")
	v.awaitFrames(t, 30)
	v.awaitPackets(t, media.Audio, 50)
	v.close()
	v.checkVideo(t, media.H264, 30)
	v.checkAudio(t, media.Opus)
}
