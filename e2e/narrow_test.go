package e2e

import (
	"fmt"
	"testing"
	"time"

	"sluice/media"
)

// TestNarrowNetwork makes the network narrower than a packet while a viewer watches, and then takes the gateway's
// address away for a while: the viewer goes on, and loses nothing but what it could not be sent.
//
// Proves B14 for a path that changes.
func TestNarrowNetwork(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	g := startGateway(t, fmt.Sprintf("streams.door.source = %q\n", startCameraOf(t, media.H264, media.Opus)))
	g.awaitState(t, "door", "ready", cameraLimit)
	v := g.watch(t, "door")
	v.awaitFrames(t, 25)
	g.checkWay(t, "door", "")

	tool(t, "ip", "link", "set", "lo", "mtu", "1000")
	v.awaitFramesMore(t, 75) // with keyframes, whose packets are larger
	narrow := g.watch(t, "door")
	narrow.awaitFrames(t, 50)
	tool(t, "ip", "link", "set", "lo", "mtu", "65536")
	v.awaitFramesMore(t, 25)
	for _, w := range []*viewer{v, narrow} {
		checkPackets(t, media.Video, w.snapshot(media.Video).packets)
	}

	tool(t, "ip", "address", "del", "127.0.0.1/8", "dev", "lo")
	time.Sleep(2 * time.Second)
	tool(t, "ip", "address", "add", "127.0.0.1/8", "dev", "lo")
	v.awaitFramesMore(t, 75)
	g.checkWay(t, "door", "")
}
