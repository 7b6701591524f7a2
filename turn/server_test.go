package turn

import (
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"
)

// G1, G2, G8: a viewer with minted credentials reaches a media port, and only with a permission.
func TestRelayOverUDP(t *testing.T) {
	media := echo(t, "udp4", "127.0.0.1:0")
	s := serve(t, nil, media)
	v := udpViewer(t, s, "one")
	if err := v.exchange(media, "hello"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { n := s.Stats(); return n.Up == n.Down })
	stats := s.Stats()
	if stats.Allocations != 1 || stats.Up.Packets == 0 || stats.Up.Bytes != 5*stats.Up.Packets {
		t.Errorf("%+v", stats)
	}
	v.relay.Close()
	waitFor(t, func() bool { return s.Stats().Allocations == 0 })
	// What the viewer sent again before it heard its echo may have been counted last.
	if after := s.Stats(); after.Up.Packets < stats.Up.Packets || after.AllocationsTotal != 1 {
		t.Errorf("%+v", after)
	}
}

// G16: over TCP, too, with data indications and channels.
func TestRelayOverTCP(t *testing.T) {
	media := echo(t, "udp4", "127.0.0.1:0")
	s := serve(t, nil, media)
	conn, err := net.Dial("tcp", s.Addrs().TCP.String())
	if err != nil {
		t.Fatal(err)
	}
	username, credential := Mint(secret, "one", time.Hour, time.Now())
	v := newViewer(t, pion.NewSTUNConn(conn), s.Addrs().TCP, username, credential)
	v.allocate(t)
	for _, text := range []string{"a", "odd", "hello", strings.Repeat("x", 1200)} {
		if err := v.exchange(media, text); err != nil {
			t.Fatalf("%d bytes: %v", len(text), err)
		}
	}
	if n := s.Stats().Connections; n != 1 {
		t.Errorf("%d connections", n)
	}
	conn.Close()
	waitFor(t, func() bool { n := s.Stats(); return n.Allocations == 0 && n.Connections == 0 })
}

// G8: the viewer knows the public address, and that is where answers come from; the datagram goes to the local one.
func TestRelayTranslatesTheAnnouncedAddress(t *testing.T) {
	local := echo(t, "udp4", "127.0.0.1:0")
	public := netip.AddrPortFrom(netip.MustParseAddr("203.0.113.7"), local.Port())
	s := serve(t, func(o *Options) {
		o.Media = func() Media {
			return Media{Local: []netip.AddrPort{local}, Announced: map[netip.AddrPort]netip.AddrPort{public: local}}
		}
	})
	v := udpViewer(t, s, "one")
	if err := v.exchange(public, "hello"); err != nil {
		t.Error(err)
	}
	if err := v.exchange(local, "hello"); err != nil {
		t.Errorf("by its local name: %v", err)
	}
	if err := v.exchange(public, "hello"); err != nil {
		t.Errorf("by its public name again: %v", err)
	}
}

// G8: the permission is for the address, but no other port of it is reached, nor does it reach the viewer.
func TestRelayReachesMediaPortsOnly(t *testing.T) {
	media, other := echo(t, "udp4", "127.0.0.1:0"), echo(t, "udp4", "127.0.0.1:0")
	s := serve(t, nil, media)
	a := mintedAsker(t, s, "one").allocated()
	a.send(a.request(stun.MethodCreatePermission, peer(media.String())))
	for _, to := range []netip.AddrPort{other, media} {
		indication := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication),
			peer(to.String()), attribute(stun.AttrData, 'h', 'i'))
		if _, err := a.conn.Write(indication.Raw); err != nil {
			t.Fatal(err)
		}
	}
	var from stun.XORMappedAddress
	if m := a.receive(); m == nil || from.GetFromAs(m, stun.AttrXORPeerAddress) != nil || from.Port != int(media.Port()) {
		t.Errorf("got %v from %v", m, from)
	}
	if n := s.Stats().Refused[PeerDatagram]; n != 1 {
		t.Errorf("%d datagrams refused", n)
	}
	relay := oneRelay(s)
	stray := listenUDP(t, media)
	if _, err := stray.WriteTo([]byte("stray"), relay.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return s.Stats().Refused[PeerDatagram] == 2 })
}

func oneRelay(s *Server) *relay {
	for r := range s.counters.all() {
		return r
	}
	return nil
}

// G10: an IPv6 listener gives IPv6 relays.
func TestRelayOverIPv6(t *testing.T) {
	media := echo(t, "udp6", "[::1]:0")
	s := serve(t, func(o *Options) { o.ListenUDP = "[::1]:0" }, media)
	if err := udpViewer(t, s, "one").exchange(media, "hello"); err != nil {
		t.Error(err)
	}
}

// G10: relays are announced under the address that NAT shows, at ports of the range.
func TestRelayAddressAndPorts(t *testing.T) {
	s := serve(t, func(o *Options) {
		o.RelayAddress = netip.MustParseAddr("203.0.113.7")
		o.PortMin, o.PortMax = 50000, 50200
	})
	got := addrPort(udpViewer(t, s, "one").relay.LocalAddr())
	if got.Addr() != s.o.RelayAddress || got.Port() < 50000 || got.Port() > 50200 {
		t.Errorf("announced %v", got)
	}
}

// G6: a range that is full is told with 508.
func TestNoPortIsLeft(t *testing.T) {
	taken := listenUDP(t, udpPort1())
	port := addrPort(taken.LocalAddr()).Port()
	s := serve(t, func(o *Options) { o.PortMin, o.PortMax = port, port })
	a := mintedAsker(t, s, "one")
	if code := errorOf(a.send(a.request(stun.MethodAllocate, transport(protoUDP)))); code != 508 {
		t.Errorf("error %d", code)
	}
	waitFor(t, func() bool { return s.quota.now() == 0 })
}

func udpPort1() netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:0") }

// A listener that is refused says why.
func TestListenRefuses(t *testing.T) {
	cases := []struct {
		name, says string
		o          Options
	}{
		{"short secret", "15 bytes", Options{Secret: strings.Repeat("x", 15)}},
		{"long realm", "128 bytes", Options{Secret: secret, Realm: strings.Repeat("x", 128)}},
		{"ports", "backwards", Options{Secret: secret, PortMin: 2, PortMax: 1}},
		{"certificate", "certificate", Options{Secret: secret, ListenTLS: "127.0.0.1:0"}},
		{"address", "open the TURN port", Options{Secret: secret, ListenUDP: "127.0.0.1:0", ListenTCP: "203.0.113.7:1"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Listen(t.Context(), c.o)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A listener on all addresses answers from the one that was asked, and relays are there, too.
func TestWildcardAnswersFromTheAddressAsked(t *testing.T) {
	media := echo(t, "udp4", "127.0.0.1:0")
	s := serve(t, func(o *Options) { o.ListenUDP = ":0" }, media)
	port, all := s.Addrs().UDP.Port(), homes(s.Addrs().UDP.Addr())
	if runtime.GOOS == "linux" && len(s.udp) != 1+len(all) {
		t.Errorf("%d sockets for %v", len(s.udp), all)
	}
	for _, ip := range all {
		at := netip.AddrPortFrom(ip, port)
		if err := askBinding(t.Context(), at); err != nil {
			t.Errorf("%v: %v", at, err)
		}
	}
	at := netip.AddrPortFrom(media.Addr(), port)
	username, credential := Mint(secret, "one", time.Hour, time.Now())
	v := newViewer(t, listenUDP(t, at), at, username, credential)
	v.allocate(t)
	if err := v.exchange(media, "hello"); err != nil {
		t.Error(err)
	}
	if got := addrPort(v.relay.LocalAddr()).Addr(); got != media.Addr() {
		t.Errorf("relay at %v", got)
	}
}

// A port that another server has is refused, on one address and on all.
func TestListenNoticesAnotherServer(t *testing.T) {
	s := serve(t, func(o *Options) { o.ListenUDP = ":0" })
	port := s.Addrs().UDP.Port()
	for _, ip := range []netip.Addr{netip.IPv4Unspecified(), netip.MustParseAddr("127.0.0.1")} {
		o := Options{Secret: secret, ListenUDP: netip.AddrPortFrom(ip, port).String()}
		if other, err := Listen(t.Context(), o); err == nil {
			other.close()
			t.Errorf("%v is shared", o.ListenUDP)
		}
	}
}
