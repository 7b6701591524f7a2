package turn

import (
	"errors"
	"math"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// elsewhere is a connection from another machine, as far as one can tell.
type elsewhere struct {
	net.Conn
	from netip.AddrPort
}

func (e elsewhere) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(e.from) }

// connected is a viewer's end of a connection from an address.
func connected(t *testing.T, s *Server, from string) net.Conn {
	t.Helper()
	near, far := tcpPair(t)
	s.Serve(elsewhere{near, netip.AddrPortFrom(netip.MustParseAddr(from), 1)})
	return far
}

// askerFrom has credentials for the id and speaks from an address.
func askerFrom(t *testing.T, s *Server, id, from string) *asker {
	t.Helper()
	username, credential := Mint(secret, id, time.Hour, time.Now())
	return &asker{t: t, conn: connected(t, s, from), username: username, key: longTermKey(username, "sluice", credential)}
}

// G6: one address has a hundred allocations, another and this machine have their own.
func TestAddressQuota(t *testing.T) {
	cases := []struct {
		name, from string
		perIP      int // 0: the default
		held       int // before the address is asked from
		code       int
	}{
		{"a company behind a NAT", "203.0.113.7", 0, 99, 0},
		{"too many behind a NAT", "203.0.113.7", 0, 100, 486},
		{"less by choice", "203.0.113.7", 2, 2, 486},
		{"one /64", "2001:db8::7", 2, 2, 486},
		{"a proxy on this machine", "127.0.0.1", 2, 50, 0},
		{"a proxy on this machine, by IPv6", "::1", 2, 50, 0},
		{"a proxy on this machine, mapped", "::ffff:127.0.0.1", 2, 50, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, func(o *Options) { o.PerIP = c.perIP })
			for i := range c.held {
				if slot, reason := s.quota.take(string(rune('a'+i)), netip.MustParseAddr(c.from)); slot == nil {
					t.Fatalf("the %d. is refused: %v", i+1, reason)
				}
			}
			a := askerFrom(t, s, "x", c.from)
			ask := a.request(stun.MethodAllocate, transport(protoUDP))
			if code := errorOf(a.send(ask)); code != c.code || s.Stats().Refused[AddressQuota] != uint64(c.code/486) {
				t.Errorf("error %d", code)
			}
			askerFrom(t, s, "y", "192.0.2.1").allocated()
		})
	}
}

// G6: quotas hold from a reload on.
func TestAddressQuotaIsConfigured(t *testing.T) {
	s := serve(t, func(o *Options) { o.PerIP = 1 })
	first := askerFrom(t, s, "a", "203.0.113.7").allocated()
	second := askerFrom(t, s, "b", "203.0.113.7")
	if code := errorOf(second.send(second.request(stun.MethodAllocate, transport(protoUDP)))); code != 486 {
		t.Errorf("before: %d", code)
	}
	o := s.o
	o.PerIP = 2
	if err := s.Configure(o); err != nil {
		t.Fatal(err)
	}
	second.allocated()
	first.send(first.request(stun.MethodRefresh, attribute(stun.AttrLifetime, 0, 0, 0, 0)))
	waitFor(t, func() bool { return s.quota.now() == 1 })
}

// J101: one address has twice as many connections as allocations; more are closed at once, a place comes free, and
// this machine is not counted.
func TestConnectionsArePerAddress(t *testing.T) {
	const from, most = "203.0.113.7", 6
	s := serve(t, func(o *Options) { o.PerIP = most / 2 })
	var open []net.Conn
	for range most {
		open = append(open, connected(t, s, from))
	}
	more := connected(t, s, from)
	_ = more.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := more.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one more: %v", err)
	}
	if n := s.Stats().Refused[ConnectionQuota]; n != 1 {
		t.Errorf("%d counted", n)
	}
	open[0].Close()
	waitFor(t, func() bool { return s.Stats().Connections == most-1 })
	for range 2 * most {
		dialTCP(t, s)
	}
	waitFor(t, func() bool { return s.Stats().Connections == 3*most-1 })
}

// Quotas without a limit are sums that 32 bits hold.
func TestQuotasFitInto32Bits(t *testing.T) {
	o := Options{Secret: secret, UserQuota: math.MaxInt32, TotalQuota: math.MaxInt32, PerIP: math.MaxInt32}
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	if all, one := maxConnections(o), connectionsPerIP(o); all > math.MaxInt32 || one > math.MaxInt32 {
		t.Errorf("%d connections, %d of one address", all, one)
	}
}
