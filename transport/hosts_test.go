package transport

import (
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// announcing is a port of the given address on a machine with the given addresses.
func announcing(local string, both bool, own ...string) *Port {
	p := &Port{addr: netip.MustParseAddrPort(local)}
	if both {
		p.v4 = []*socket{{}}
	}
	p.hosts = &hosts{additional: newNames("", nil, quiet())}
	p.hosts.list = func() []netip.Addr {
		var all []netip.Addr
		for _, a := range own {
			all = append(all, netip.MustParseAddr(a))
		}
		return all
	}
	return p
}

// A55
func TestCandidates(t *testing.T) {
	machine := []string{"127.0.0.1", "192.0.2.1", "2001:db8::1", "::1"}
	for name, c := range map[string]struct {
		local      string
		both       bool
		additional []string
		loopback   bool
		want       []string
	}{
		"all": {"[::]:8189", true, nil, false, []string{
			"port0 1 udp 2130706431 192.0.2.1 8189 typ host", "port1 1 udp 2130706430 2001:db8::1 8189 typ host",
		}},
		"all, for this machine": {"[::]:8189", true, nil, true, []string{
			"port0 1 udp 2130706431 127.0.0.1 8189 typ host", "port1 1 udp 2130706430 192.0.2.1 8189 typ host",
			"port2 1 udp 2130706429 2001:db8::1 8189 typ host", "port3 1 udp 2130706428 ::1 8189 typ host",
		}},
		"IPv4": {"0.0.0.0:8189", true, nil, false, []string{"port0 1 udp 2130706431 192.0.2.1 8189 typ host"}},
		"IPv6": {"[::]:8189", false, nil, false, []string{"port0 1 udp 2130706431 2001:db8::1 8189 typ host"}},
		"one":  {"192.0.2.1:8189", true, nil, false, []string{"port0 1 udp 2130706431 192.0.2.1 8189 typ host"}},
		"NAT 1:1": {"192.0.2.1:8189", true, []string{"198.51.100.1", "2001:db8::2"}, false, []string{
			"host0 1 udp 2130706431 198.51.100.1 8189 typ host", "host1 1 udp 2130706430 2001:db8::2 8189 typ host",
			"port2 1 udp 2130706429 192.0.2.1 8189 typ host",
		}},
		"IPv6 NAT 1:1": {"[::]:8189", false, []string{"2001:db8::2"}, false, []string{
			"host0 1 udp 2130706431 2001:db8::2 8189 typ host", "port1 1 udp 2130706430 2001:db8::1 8189 typ host",
		}},
		"named as well": {"[::]:8189", true, []string{"192.0.2.1", "192.0.2.1"}, false, []string{
			"host0 1 udp 2130706431 192.0.2.1 8189 typ host", "port1 1 udp 2130706430 2001:db8::1 8189 typ host",
		}},
		"of no use to others": {"[::]:8189", true, []string{"0.0.0.0", "224.0.0.1", "fe80::1", "fe80::1%eth0"}, false, []string{
			"port0 1 udp 2130706431 192.0.2.1 8189 typ host", "port1 1 udp 2130706430 2001:db8::1 8189 typ host",
		}},
		"loopback":     {"127.0.0.1:8189", true, nil, true, []string{"port0 1 udp 2130706431 127.0.0.1 8189 typ host"}},
		"of no use":    {"127.0.0.1:8189", true, nil, false, nil},
		"only NAT 1:1": {"127.0.0.1:8189", true, []string{"198.51.100.1"}, false, []string{"host0 1 udp 2130706431 198.51.100.1 8189 typ host"}},
		"no IPv4 socket": {"[::]:8189", false, nil, true, []string{
			"port0 1 udp 2130706431 2001:db8::1 8189 typ host", "port1 1 udp 2130706430 ::1 8189 typ host",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := announcing(c.local, c.both, machine...)
			p.hosts.additional = newNames("", c.additional, quiet())
			if got := p.Candidates(c.loopback); !slices.Equal(got, c.want) {
				t.Errorf("announced\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestOwns(t *testing.T) {
	p := announcing("[::]:8189", true, "127.0.0.1", "192.0.2.1")
	for a, want := range map[string]bool{"127.0.0.1": true, "::ffff:192.0.2.1": true, "192.0.2.2": false, "::1": false} {
		if p.Owns(netip.MustParseAddr(a)) != want {
			t.Errorf("Owns(%s) is %t", a, !want)
		}
	}
}

// TestAddressesAreKeptForASecond asks the system once for many answers, and again soon.
func TestAddressesAreKeptForASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		p := announcing("[::]:8189", true)
		p.hosts.list = func() []netip.Addr { asked++; return []netip.Addr{alice.Addr()} }
		for range 5 {
			for range 10 {
				p.Candidates(false)
				p.Owns(alice.Addr())
			}
			time.Sleep(500 * time.Millisecond)
		}
		if asked != 3 {
			t.Errorf("asked %d times in 2.5 s, want 3", asked)
		}
	})
}

func TestInterfacesOfThisMachine(t *testing.T) {
	lo := loopback(t)
	for name, c := range map[string]struct {
		interfaces []string
		want       bool // 127.0.0.1 is announced
	}{"all": {nil, true}, "loopback": {[]string{lo}, true}, "none": {[]string{"no-such-interface"}, false}} {
		t.Run(name, func(t *testing.T) {
			p := listen(t, Options{ListenUDP: ":0", Interfaces: c.interfaces})
			if got := p.Owns(netip.MustParseAddr("127.0.0.1")); got != c.want {
				t.Errorf("127.0.0.1 is announced: %t, of %v", got, p.Addresses())
			}
			for _, a := range p.Addresses() {
				if a.Addr().IsLinkLocalUnicast() || a.Addr().IsUnspecified() || a.Port() != p.Addr().Port() {
					t.Errorf("announces %v", a)
				}
			}
		})
	}
}

func loopback(t *testing.T) string {
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
	t.Fatal("this machine has no loopback interface")
	return ""
}

func TestAdditionalHosts(t *testing.T) {
	var log strings.Builder
	p := listen(t, Options{
		AdditionalHosts: []string{"198.51.100.1", "nothing.invalid", "::ffff:198.51.100.2"},
		Log:             slog.New(slog.NewTextHandler(&log, nil)),
	})
	got := p.AdditionalCandidates()
	if len(got) != 2 || !strings.Contains(got[0], " 198.51.100.1 ") || !strings.Contains(got[1], " 198.51.100.2 ") {
		t.Errorf("announced %q", got)
	}
	if !strings.Contains(log.String(), "nothing.invalid") || strings.Count(log.String(), "\n") != 1 {
		t.Errorf("told:\n%s", log.String())
	}
}
