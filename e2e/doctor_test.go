package e2e

import (
	"strings"
	"testing"
	"time"
)

// doctor examines the gateway from the viewer's host, and returns the report with its lines joined.
func (w *world) doctor(g *gatewayProcess, code int) string {
	w.t.Helper()
	p := start(w.t, "doctor", w.viewer.command(program, "doctor", "--url", g.URL, "--stream", "door"))
	if got := p.exit(time.Minute); got != code {
		w.t.Errorf("the doctor ended with %d, want %d:\n%s", got, code, p.output)
	}
	return strings.Join(strings.Fields(p.output.String()), " ")
}

// doctored are networks in which the doctor looks for what keeps viewers out.
var doctored = map[string]struct {
	gateway nat
	config  string
	at      string
	blocked bool // UDP
	code    int
	want    []string
}{
	"well": {
		at: gatewayInside, want: []string{"ok session over udp " + gatewayInside + ":8189: connected in", "Nothing to mend"},
	},
	"UDP blocked": {
		at: gatewayInside, blocked: true, code: 1,
		want: []string{
			"FAIL session over udp " + gatewayInside + ":8189: not connected within 8.0 s", "> sudo ufw allow 8189/udp",
			`> webrtc.listen_tcp = "8189"`,
		},
	},
	"UDP blocked, TCP open": {
		at: gatewayInside, blocked: true, config: "webrtc.listen_tcp = \"8189\"\n", code: 1,
		want: []string{
			"FAIL session over udp " + gatewayInside + ":8189: not connected within 8.0 s", "> sudo ufw allow 8189/udp",
			"ok session over tcp " + gatewayInside + ":8189: connected in",
		},
	},
	"UDP blocked, TURN open": {
		at: gatewayInside, blocked: true, config: "turn.mode = \"embedded\"\nturn.secret = \"0123456789abcdef\"\n", code: 1,
		want: []string{
			"FAIL session over udp " + gatewayInside + ":8189: not connected within 8.0 s", "FAIL TURN: turn:" + gatewayInside + ":3478?transport=udp does not answer",
			"ok session over TURN turn:" + gatewayInside + ":3478?transport=tcp: connected in",
		},
	},
	"behind NAT 1 to 1, not configured": {
		gateway: oneToOne, at: gatewayOutside, code: 1,
		want: []string{
			"FAIL addresses: none is public The gateway is reached over the internet at " + gatewayOutside,
			`> webrtc.additional_hosts = ["` + gatewayOutside + `"]`,
		},
	},
	"behind NAT 1 to 1": {
		gateway: oneToOne, at: gatewayOutside, config: "webrtc.additional_hosts = [\"" + gatewayOutside + "\"]\n",
		want: []string{
			"ok session over udp " + gatewayOutside + ":8189: connected in",
			"warn session over udp " + gatewayInside + ":8189: not connected within 8.0 s It is a private address of the gateway's network",
		},
	},
}

// TestDoctor looks through networks in which viewers are kept out, from where they are.
func TestDoctor(t *testing.T) {
	t.Parallel()
	for name, c := range doctored {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !inNamespaceWith(t, alone) {
				return
			}
			w := newWorld(t, c.gateway, noNAT, false)
			if c.blocked {
				w.viewerRouter.blockUDP()
			}
			g := w.startGateway(c.at, c.config)
			report := w.doctor(g, c.code)
			for _, want := range c.want {
				if !strings.Contains(report, want) {
					t.Errorf("%s\ndoes not say: %s", report, want)
				}
			}
		})
	}
}
