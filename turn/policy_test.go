package turn

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"
)

func udpPort(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port)
}

// G8, J97: nothing but media ports, and what AllowPeers names for itself.
func TestPolicy(t *testing.T) {
	media := Media{
		Local:     []netip.AddrPort{netip.MustParseAddrPort("10.0.0.5:8189"), netip.MustParseAddrPort("0.0.0.0:8189")},
		Announced: map[netip.AddrPort]netip.AddrPort{netip.MustParseAddrPort("203.0.113.7:8189"): netip.MustParseAddrPort("10.0.0.5:8189")},
	}
	cases := []struct {
		name, allow, peer string
		reached           bool
	}{
		{"media", "", "10.0.0.5:8189", true},
		{"media as announced", "", "203.0.113.7:8189", true},
		{"media, mapped", "", "[::ffff:10.0.0.5]:8189", true},
		{"own admin port", "", "10.0.0.5:8080", false},
		{"port of the announced", "", "203.0.113.7:22", false},
		{"unspecified, though media listen there", "", "0.0.0.0:8189", false},
		{"loopback", "", "127.0.0.1:80", false},
		{"loopback, mapped", "", "[::ffff:127.0.0.1]:80", false},
		{"private", "", "10.0.0.6:8189", false},
		{"public", "", "198.51.100.1:80", false},
		{"allowed", "192.168.7.0/24", "192.168.7.9:5000", true},
		{"allowed, mapped", "192.168.7.0/24", "[::ffff:192.168.7.9]:5000", true},
		{"beside the allowed", "192.168.7.0/24", "192.168.8.9:5000", false},
		{"all, a public one", "0.0.0.0/0", "198.51.100.1:80", true},
		{"all, a private one", "0.0.0.0/0", "10.9.9.9:80", true},
		{"all, loopback", "0.0.0.0/0", "127.0.0.1:80", false},
		{"all, this network", "0.0.0.0/0", "0.0.0.0:80", false},
		{"all, metadata", "0.0.0.0/0", "169.254.169.254:80", false},
		{"all, other metadata", "0.0.0.0/0", "168.63.129.16:80", false},
		{"all, multicast", "0.0.0.0/0", "224.0.0.1:80", false},
		{"all, broadcast", "0.0.0.0/0", "255.255.255.255:80", false},
		{"half of all, loopback", "64.0.0.0/2", "127.0.0.1:80", false},
		{"loopback itself", "127.0.0.0/8", "127.0.0.1:80", true},
		{"one of loopback", "127.0.0.1/32", "127.0.0.1:80", true},
		{"metadata itself", "169.254.169.254/32", "169.254.169.254:80", true},
		{"all of IPv6, a public one", "::/0", "[2001:db8::1]:80", true},
		{"all of IPv6, loopback", "::/0", "[::1]:80", false},
		{"all of IPv6, unspecified", "::/0", "[::]:80", false},
		{"all of IPv6, link-local", "::/0", "[fe80::1]:80", false},
		{"all of IPv6, multicast", "::/0", "[ff02::1]:80", false},
		{"all of IPv6, metadata", "::/0", "[fd00:ec2::254]:80", false},
		{"all of IPv6, IPv4", "::/0", "[::ffff:198.51.100.1]:80", false},
		{"all of IPv6, NAT64", "::/0", "[64:ff9b::7f00:1]:80", false},
		{"all of IPv6, 6to4", "::/0", "[2002:7f00:1::]:80", false},
		{"all of IPv6, Teredo", "::/0", "[2001::80ff:fffe]:80", false},
		{"all of IPv6, compatible", "::/0", "[::7f00:1]:80", false},
		{"IPv6 loopback itself", "::1/128", "[::1]:80", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var allow []netip.Prefix
			if c.allow != "" {
				allow = []netip.Prefix{netip.MustParsePrefix(c.allow)}
			}
			p := newPolicy(media, allow)
			peer := plain(netip.MustParseAddrPort(c.peer))
			if _, ok := p.target(peer); ok != c.reached {
				t.Errorf("reached is %v", ok)
			}
			if got := p.permits(peer); got != c.reached {
				t.Errorf("permitted is %v", got)
			}
		})
	}
}

func TestPolicyTranslatesWhatIsAnnounced(t *testing.T) {
	public, local, other := udpPort(1), udpPort(2), udpPort(3)
	p := newPolicy(Media{Local: []netip.AddrPort{other}, Announced: map[netip.AddrPort]netip.AddrPort{public: local}}, nil)
	if target, _ := p.target(public); target != local {
		t.Errorf("to %v", target)
	}
	if name, ok := p.source(local); name != public || !ok {
		t.Errorf("from %v, %v", name, ok)
	}
	if name, ok := p.source(other); name != other || !ok {
		t.Errorf("from %v, %v", name, ok)
	}
	if _, ok := p.source(public); ok {
		t.Error("nothing comes from the public address itself")
	}
}

// A permission counts for an address, whatever its port, and clients may name none.
func TestPolicyPermitsPortZero(t *testing.T) {
	p := newPolicy(Media{Local: []netip.AddrPort{udpPort(8189)}}, nil)
	if !p.permits(udpPort(0)) || p.permits(netip.MustParseAddrPort("192.0.2.2:0")) {
		t.Error("port 0 stands for the ports of ours on that address")
	}
	if _, ok := p.target(udpPort(0)); ok {
		t.Error("no datagram goes to port 0")
	}
}

// offline is a server that listens nowhere, with media that can change.
func offline(t *testing.T, media func() Media) *Server {
	t.Helper()
	s, err := Listen(t.Context(), Options{Secret: secret, Media: media})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// G8: a policy that takes its time while the peers change does not bring the old ones back.
func TestConfigureIsNotUndone(t *testing.T) {
	var many Media
	for port := range uint16(20000) {
		many.Local = append(many.Local, udpPort(1+port))
	}
	var slow atomic.Bool
	asked := make(chan struct{})
	s := offline(t, func() Media {
		if slow.CompareAndSwap(true, false) {
			asked <- struct{}{}
			return many
		}
		return Media{}
	})
	other := netip.MustParseAddrPort("198.51.100.1:1")
	open, closed := s.o, s.o
	open.AllowPeers = []netip.Prefix{netip.PrefixFrom(other.Addr(), 32)}
	for range 20 {
		if err := s.Configure(open); err != nil {
			t.Fatal(err)
		}
		slow.Store(true)
		var renewing sync.WaitGroup
		renewing.Go(func() { s.renewPolicy() })
		<-asked
		if err := s.Configure(closed); err != nil {
			t.Fatal(err)
		}
		renewing.Wait()
		if s.policy.Load().permits(other) {
			t.Fatal("the old peers are back")
		}
	}
}

// G8: the last answer about media ports counts, not the slowest.
func TestPolicyIsOfTheNewestMedia(t *testing.T) {
	asked, answer := make(chan struct{}, 1), make(chan struct{})
	var calls atomic.Int32
	s := offline(t, func() Media {
		n := uint16(calls.Add(1)) //nolint:gosec // a few
		if n == 2 {
			asked <- struct{}{}
			<-answer
		}
		return Media{Local: []netip.AddrPort{udpPort(n)}}
	})
	var renewing sync.WaitGroup
	renewing.Go(func() { s.renewPolicy() })
	<-asked
	s.renewPolicy()
	close(answer)
	renewing.Wait()
	if p := s.policy.Load(); !p.permits(udpPort(3)) || p.permits(udpPort(2)) {
		t.Error("the older ports hold")
	}
}

// G8, G11: permissions share a policy for a second; one that it forbids has it renewed, at most 50 times a second.
func TestPolicyIsNotBuiltForEveryPermission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		built := 0
		port := udpPort(1)
		s := offline(t, func() Media { built++; return Media{Local: []netip.AddrPort{port}} })
		g := newGate(s, nil)
		held := newRelay(g, listenUDP(t, udpPort1()), &request{})
		ask := func(to netip.AddrPort) stun.ErrorCode {
			m := &stun.Message{Raw: bare(stun.MethodCreatePermission, peer(to.String()))}
			if err := m.Decode(); err != nil {
				t.Fatal(err)
			}
			return g.vetPeers(&request{msg: m}, held).code
		}
		built = 0
		for range 1000 {
			if code := ask(udpPort(1)); code != 0 {
				t.Fatalf("error %d", code)
			}
		}
		if built != 0 {
			t.Errorf("built %d times for what is permitted", built)
		}
		time.Sleep(permissionAge / 2)
		port = udpPort(2)
		if code := ask(udpPort(2)); code != 0 || built != 1 {
			t.Errorf("a new media port: error %d, built %d times", code, built)
		}
		for range 1000 {
			time.Sleep(time.Millisecond)
			if code := ask(udpPort(3)); code != stun.CodeForbidden {
				t.Fatalf("error %d", code)
			}
		}
		if built < 40 || built > 60 {
			t.Errorf("built %d times in a second of forbidden peers", built)
		}
		built = 0
		time.Sleep(permissionAge)
		if code := ask(udpPort(2)); code != 0 || built != 1 {
			t.Errorf("a second later: error %d, built %d times", code, built)
		}
	})
}
