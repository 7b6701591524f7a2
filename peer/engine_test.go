package peer

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// A write deadline, which pion/ice sets when one connection ends, must not hold up the writes of all others; a read
// deadline ends reads as ever.
func TestSharedConnDeadlines(t *testing.T) {
	c, err := listenUDP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	self := c.LocalAddr().(*net.UDPAddr).AddrPort()
	for name, set := range map[string]func(time.Time) error{"write": c.SetWriteDeadline, "both": c.SetDeadline} {
		if err := set(time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		if n, err := c.WriteToAddrPort([]byte("hello"), self); n != 5 || err != nil {
			t.Errorf("%s deadlines: %d bytes written, %v", name, n, err)
		}
	}
	var timeout net.Error
	if _, _, err := c.ReadFromAddrPort(make([]byte, 10)); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("read after its deadline: %v", err)
	}
}

// Addresses of a socket of both families come as IPv4 where they are.
func TestSharedConnAddresses(t *testing.T) {
	c, err := listenUDP(":0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	self := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), c.LocalAddr().(*net.UDPAddr).AddrPort().Port())
	if _, err := c.WriteToAddrPort([]byte{1}, self); err != nil {
		t.Fatal(err)
	}
	if _, from, err := c.ReadFromAddrPort(make([]byte, 10)); from != self || err != nil {
		t.Errorf("from %v, %v; want %v", from, err, self)
	}
}

func TestAnnouncedAddresses(t *testing.T) {
	loopback := loopbackInterface(t)
	for name, c := range map[string]struct {
		bound      string
		interfaces []string
		want       func(all []string) bool
	}{
		"one address":        {"127.0.0.1:7", nil, func(all []string) bool { return slices.Equal(all, []string{"127.0.0.1:7"}) }},
		"one IPv6 address":   {"[::1]:7", []string{"none"}, func(all []string) bool { return slices.Equal(all, []string{"[::1]:7"}) }},
		"all":                {"[::]:7", nil, func(all []string) bool { return slices.Contains(all, "127.0.0.1:7") }},
		"IPv4 only":          {"0.0.0.0:7", nil, func(all []string) bool { return slices.Contains(all, "127.0.0.1:7") && !anyIPv6(all) }},
		"one interface":      {"0.0.0.0:7", []string{loopback}, func(all []string) bool { return len(all) > 0 && !slices.ContainsFunc(all, isElsewhere) }},
		"no such interface":  {"0.0.0.0:7", []string{"none"}, func(all []string) bool { return len(all) == 0 }},
		"no link-local ones": {"[::]:7", nil, func(all []string) bool { return !slices.ContainsFunc(all, isLinkLocal) }},
	} {
		m := &announcedMux{local: netip.MustParseAddrPort(c.bound), interfaces: c.interfaces}
		var all []string
		for _, a := range m.GetListenAddresses() {
			all = append(all, a.String())
		}
		if !c.want(all) {
			t.Errorf("%s: %v", name, all)
		}
	}
}

func loopbackInterface(t *testing.T) string {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 {
			return i.Name
		}
	}
	t.Fatal("no loopback interface")
	return ""
}

func anyIPv6(all []string) bool {
	return slices.ContainsFunc(all, func(a string) bool { return strings.HasPrefix(a, "[") })
}

func isElsewhere(a string) bool { return !netip.MustParseAddrPort(a).Addr().IsLoopback() }

func isLinkLocal(a string) bool { return netip.MustParseAddrPort(a).Addr().IsLinkLocalUnicast() }

// A53, A55: additional hosts are host candidates before all others, also when nothing else is announced.
func TestAdditionalHostsStandFirst(t *testing.T) {
	for name, interfaces := range map[string][]string{"before our own": nil, "alone": {"none"}} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, Options{
				ListenUDP: "0.0.0.0:0", AdditionalHosts: []string{"203.0.113.7", "198.51.100.2", "not.a.name.invalid"}, Interfaces: interfaces,
			})
			c := answerTo(t, e, newViewer(t).offer(t), PlayOptions{})
			var all []string
			for line := range strings.Lines(c.Description()) {
				if value, ok := strings.CutPrefix(strings.TrimSpace(line), "a=candidate:"); ok {
					all = append(all, value)
				}
			}
			port := portOf(e.Addr().Port())
			first := slices.IndexFunc(all, func(v string) bool { return strings.Contains(v, " 203.0.113.7 "+port+" typ host") })
			second := slices.IndexFunc(all, func(v string) bool { return strings.Contains(v, " 198.51.100.2 "+port+" typ host") })
			if wantFirst := loopbacks(all); first != wantFirst || second != wantFirst+1 {
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

// A port that is taken is told in one sentence with its key.
func TestListenErrors(t *testing.T) {
	taken := newEngine(t, Options{})
	_, err := NewEngine(t.Context(), Options{ListenUDP: taken.Addr().String()})
	var listen *ListenError
	if !errors.As(err, &listen) || listen.Address != taken.Addr().String() {
		t.Fatalf("%v", err)
	}
	if want := "webrtc.listen_udp: cannot open UDP " + listen.Address + ": bind: address already in use"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}
