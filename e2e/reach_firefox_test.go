package e2e

import (
	"fmt"
	"strings"
	"testing"

	"sluice/media"
)

// TestStockFirefox plays on the machine of the gateway in a Firefox as it is installed: it does no ICE over loopback,
// so it reaches the gateway at the machine's address in its network, which is announced where the ports are open to all.
//
// Proves A53 for a viewer on this machine.
func TestStockFirefox(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	g := startGatewayAs(t, anybody+fmt.Sprintf("streams.door.source = %q\n", startCameraOf(t, media.VP8)))
	t.Cleanup(func() { g.stop(t) })
	g.awaitState(t, "door", "ready", cameraLimit)
	stock := firefox
	stock.name, stock.prefs = "stock firefox", offNetwork
	p := openBrowser(t, stock).open(t, g.page("door"))
	p.awaitPicture(25)
	g.checkWay(t, "door", "")
	for _, s := range g.sessions(t, "door") {
		if !strings.HasPrefix(s.RemoteAddress, foreign+":") {
			t.Errorf("media go to %s, want %s", s.RemoteAddress, foreign)
		}
	}
}
