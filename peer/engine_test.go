package peer

import (
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"sluice/rtpout"
	"sluice/transport"
)

// A53, A55: additional hosts are host candidates before all others, also when nothing else is announced.
func TestAdditionalHostsStandFirst(t *testing.T) {
	for name, interfaces := range map[string][]string{"before our own": nil, "alone": {"none"}} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, Options{}, func(o *transport.Options) {
				o.ListenUDP, o.Interfaces = "0.0.0.0:0", interfaces
				o.AdditionalHosts = []string{"203.0.113.7", "198.51.100.2", "not.a.name.invalid"}
			})
			c := answerTo(t, e, newViewer(t).offer(t), rtpout.PlayOptions{})
			var all []string
			for line := range strings.Lines(c.Description()) {
				if value, ok := strings.CutPrefix(strings.TrimSpace(line), "a=candidate:"); ok {
					all = append(all, value)
				}
			}
			port := portOf(e.Addr().Port())
			all = slices.DeleteFunc(all, func(v string) bool { return loopbacks([]string{v}) > 0 })
			first := slices.IndexFunc(all, func(v string) bool { return strings.Contains(v, " 203.0.113.7 "+port+" typ host") })
			second := slices.IndexFunc(all, func(v string) bool { return strings.Contains(v, " 198.51.100.2 "+port+" typ host") })
			if first != 0 || second != 1 {
				t.Errorf("candidates: %q", all)
			}
			if alone := interfaces != nil; alone != (len(all) == 2) {
				t.Errorf("%d candidates: %q", len(all), all)
			}
		})
	}
}

// loopbacks counts candidates of this machine, which stand first for a viewer that is on it too.
func loopbacks(all []string) (n int) {
	for _, v := range all {
		if a, err := netip.ParseAddr(strings.Fields(v)[4]); err == nil && a.IsLoopback() {
			n++
		}
	}
	return n
}

// I22: addresses that a viewer's candidate must not lead us to.
func TestMayTry(t *testing.T) {
	for _, c := range []struct {
		listen, ip string
		want       bool
	}{
		{"0.0.0.0:0", "192.0.2.1", true},
		{"0.0.0.0:0", "10.1.2.3", true},
		{"0.0.0.0:0", "2001:db8::1", true},
		{"0.0.0.0:0", "127.0.0.1", false},
		{"0.0.0.0:0", "127.8.8.8", false},
		{"0.0.0.0:0", "::1", false},
		{"0.0.0.0:0", "::ffff:127.0.0.1", false},
		{"0.0.0.0:0", "169.254.169.254", false},
		{"0.0.0.0:0", "::ffff:169.254.169.254", false},
		{"0.0.0.0:0", "fe80::1", false},
		{"0.0.0.0:0", "224.0.0.1", false},
		{"0.0.0.0:0", "ff02::1", false},
		{"0.0.0.0:0", "0.0.0.0", false},
		{"0.0.0.0:0", "::", false},
		{"0.0.0.0:0", "255.255.255.255", false},
		{"127.0.0.1:0", "127.0.0.1", true},
		{"127.0.0.1:0", "::1", true},
		{"127.0.0.1:0", "169.254.169.254", false},
	} {
		e := &Engine{mux: &announcedMux{local: netip.MustParseAddrPort(c.listen)}}
		if got := e.mayTry(net.ParseIP(c.ip), e.mux, true); got != c.want {
			t.Errorf("bound to %s, %s: %v", c.listen, c.ip, got)
		}
	}
	if (&Engine{}).mayTry(net.IP{1, 2}, nil, true) {
		t.Error("an address of two bytes is tried")
	}
}

// I22: private candidates are skipped on request, but not those who come to us from a private network, as a relay on
// this machine does.
func TestDenyPrivateRemote(t *testing.T) {
	port, err := transport.Listen(t.Context(), transport.Options{
		ListenUDP: "0.0.0.0:0", AdditionalHosts: []string{"198.51.100.1"}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	e := &Engine{options: Options{DenyPrivateRemote: true}, mux: &announcedMux{local: port.Addr(), hosts: port}}
	l := &link{engine: e, mux: e.mux}
	for candidate, want := range map[string]bool{
		"192.0.2.1 5000": true, "192.0.2.1 443": true, "192.0.2.1 3478": true, "192.0.2.1 1023": false,
		"10.1.2.3 5000": false, "100.64.1.1 5000": false, "fd00::1 5000": false, "fe80::1 5000": false, "evil.local 5000": false,
		"198.51.100.1 5000": true, "198.51.100.1 " + portOf(port.Addr().Port()): false,
	} {
		if got := l.candidates().Allows("1 1 udp 1 " + candidate + " typ host"); got != want {
			t.Errorf("%s is tried: %t", candidate, got)
		}
	}
	if !e.mayTry(net.IP{10, 1, 2, 3}, e.mux, false) || e.mayTry(net.IP{127, 0, 0, 1}, e.mux, false) {
		t.Error("who comes from a private network is not answered, or checks go to loopback")
	}
}
