package gateway

import (
	"log/slog"
	"slices"
	"testing"

	"sluice/config"
	"sluice/fanout"
	"sluice/negotiation"
	"sluice/transport"
)

// A59: with a public address that STUN finds, all viewers go the slow way, which sends checks.
func TestWayOfAPublicAddress(t *testing.T) {
	servers := []config.ICEServer{
		{URLs: []string{"turn:192.0.2.1", "stun:192.0.2.2"}}, {URLs: []string{"stuns:192.0.2.3", "stun:192.0.2.4:5000"}},
	}
	for name, c := range map[string]struct {
		web    config.WebRTC
		asked  []string
		reason string
		slow   bool // there is no fast way at all
	}{
		"stun": {config.WebRTC{PublicAddress: config.PublicBySTUN, ICEServers: servers, FastPath: true}, []string{"stun:192.0.2.2", "stun:192.0.2.4:5000"}, fanout.SlowPublicAddress, false},
		"none": {config.WebRTC{ICEServers: servers, FastPath: true}, nil, "", false},
		"off":  {config.WebRTC{PublicAddress: config.PublicBySTUN, ICEServers: servers}, []string{"stun:192.0.2.2", "stun:192.0.2.4:5000"}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := stunServers(c.web); !slices.Equal(got, c.asked) {
				t.Errorf("asks %q, want %q", got, c.asked)
			}
			g := &Gateway{options: Options{Config: config.Config{WebRTC: c.web}}}
			if c.web.FastPath {
				certificate, err := transport.NewCertificate()
				if err != nil {
					t.Fatal(err)
				}
				g.fanout = fanout.New(fanout.Options{Port: testPort(t), Certificate: certificate, Log: slog.New(slog.DiscardHandler)})
			}
			way := g.fastWay()
			if c.slow {
				if way != nil {
					t.Error("there is a fast way")
				}
				return
			}
			if got := way.SlowReason(&negotiation.Offer{Setup: "actpass"}); got != c.reason {
				t.Errorf("slow by %q, want %q", got, c.reason)
			}
		})
	}
}

func testPort(t *testing.T) *transport.Port {
	t.Helper()
	p, err := transport.Listen(t.Context(), transport.Options{ListenUDP: "127.0.0.1:0", Sockets: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}
