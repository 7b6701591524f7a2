package gateway_test

import (
	"strings"
	"testing"
)

// What needs a restart stays as it is and is named; what contradicts it is refused, with the restart as the way out.
func TestReloadThatNeedsARestart(t *testing.T) {
	g := start(t, closed())
	if err := g.g.Reload(parse(t, closed()+"[limits]\nring_max_mib = 8\n")); err != nil {
		t.Error(err)
	}
	if log := g.log.String(); !strings.Contains(log, "keys=limits.ring_max_mib") {
		t.Errorf("the key is not named: %s", log)
	}
	turn := "[turn]\nmode = \"embedded\"\nsecret = \"a secret of tests\"\nlisten_udp = \":0\"\nlisten_tcp = \"\"\nlisten_tls = \"\"\n"
	open := start(t, closed()+turn)
	alone := parse(t, strings.Replace(closed(), "internal", "none", 1))
	if err := open.g.Reload(alone); err == nil || !strings.Contains(err.Error(), "restart the gateway\nturn.listen_udp: ") {
		t.Errorf("nobody is told from anybody else while TURN listens to all: %v", err)
	}
	if open.ask(t, "GET", "/api/v1/streams", "", "").StatusCode != 401 {
		t.Error("the gateway is open")
	}
}
