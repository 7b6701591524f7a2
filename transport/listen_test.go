package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
)

func TestListen(t *testing.T) {
	free := addrOf(viewer(t, "127.0.0.1:0"))
	taken := viewer(t, ":0")
	for name, c := range map[string]struct {
		address string
		want    string // of the address it is bound to, or of the error
		v4, v6  int
	}{
		"all interfaces":      {":0", "[::]", 3, 3},
		"IPv4 interfaces":     {"0.0.0.0:0", "0.0.0.0", 3, 0},
		"IPv6 interfaces":     {"[::]:0", "[::]", 0, 3},
		"an IPv4 address":     {"127.0.0.1:0", "127.0.0.1", 3, 0},
		"an IPv6 address":     {"[::1]:0", "[::1]", 0, 3},
		"in its IPv6 form":    {"[::ffff:127.0.0.1]:0", "127.0.0.1", 3, 0},
		"a name":              {"localhost:0", "127.0.0.1", 3, 0},
		"a port by name":      {"127.0.0.1:nothing-like-this", "cannot open UDP 127.0.0.1:nothing-like-this", 0, 0},
		"no port":             {"127.0.0.1", "missing port", 0, 0},
		"no such address":     {"192.0.2.1:0", "cannot open UDP 192.0.2.1:0: bind: cannot assign", 0, 0},
		"no such name":        {"nothing.invalid:0", "cannot open UDP nothing.invalid:0", 0, 0},
		"a taken port":        {free.String(), "address already in use", 0, 0},
		"taken on all":        {fmt.Sprintf(":%d", taken.LocalAddr().(*net.UDPAddr).Port), "address already in use", 0, 0},
		"taken on an address": {fmt.Sprintf(":%d", free.Port()), "address already in use", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Listen(t.Context(), Options{ListenUDP: c.address, Sockets: 3, Log: quiet()})
			if err != nil {
				var refused *ListenError
				if !errors.As(err, &refused) || refused.Address != c.address || !strings.Contains(err.Error(), c.want) {
					t.Errorf("the error is %T %v, want %q", err, err, c.want)
				}
				return
			}
			if !strings.HasPrefix(p.Addr().String(), c.want+":") || len(p.v4) != c.v4 || len(p.v6) != c.v6 {
				t.Errorf("bound to %v by %d and %d sockets, want %s, %d and %d", p.Addr(), len(p.v4), len(p.v6), c.want, c.v4, c.v6)
			}
			for _, s := range p.sockets() {
				if got := addrOf(s.conn).Port(); got != p.Addr().Port() {
					t.Errorf("a socket is on port %d, the first on %d", got, p.Addr().Port())
				}
			}
			for range 2 { // twice does no harm
				_ = p.Close()
			}
		})
	}
}

// TestNobodySharesThePort opens a second gateway of the same user, which the system would let share the port.
func TestNobodySharesThePort(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", ":0"} {
		p := listen(t, Options{ListenUDP: address, Sockets: 2})
		for _, second := range []string{fmt.Sprintf(":%d", p.Addr().Port()), fmt.Sprintf("127.0.0.1:%d", p.Addr().Port())} {
			q, err := Listen(t.Context(), Options{ListenUDP: second, Sockets: 2, Log: quiet()})
			var refused *ListenError
			if !errors.As(err, &refused) || !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("%s beside %s: the error is %v", second, address, err)
			}
			if err == nil {
				_ = q.Close()
			}
		}
	}
}

// TestMissingFamily opens a port where the system has one address family only, or a port is taken in the second.
func TestMissingFamily(t *testing.T) {
	for name, c := range map[string]struct {
		fail4, fail6 error
		times        int // that IPv6 fails; 0: always
		service      string
		want         error
		v4, v6       int
	}{
		"no IPv6":              {fail6: syscall.EAFNOSUPPORT, v4: 2},
		"IPv6 off":             {fail6: syscall.EADDRNOTAVAIL, v4: 2},
		"no IPv4":              {fail4: syscall.EAFNOSUPPORT, v6: 2},
		"neither":              {fail4: syscall.EAFNOSUPPORT, fail6: syscall.EPROTONOSUPPORT, want: syscall.EAFNOSUPPORT},
		"IPv4 taken":           {fail4: syscall.EADDRINUSE, want: syscall.EADDRINUSE},
		"IPv6 taken once":      {fail6: syscall.EADDRINUSE, times: 1, v4: 2, v6: 2},
		"IPv6 always taken":    {fail6: syscall.EADDRINUSE, want: syscall.EADDRINUSE},
		"IPv6 forbidden":       {fail6: syscall.EACCES, want: syscall.EACCES},
		"taken where it must":  {fail6: syscall.EADDRINUSE, service: fmt.Sprint(freePort(t)), want: syscall.EADDRINUSE},
		"a socket, not a pair": {fail6: syscall.EMFILE, times: -2, want: syscall.EMFILE},
	} {
		t.Run(name, func(t *testing.T) {
			if c.service == "" {
				c.service = "0"
			}
			tries := 0
			f := opener{options: Options{ListenUDP: ":" + c.service, Sockets: 2, Log: quiet()}}
			f.bind = func(ctx context.Context, a netip.AddrPort, shared bool) (*net.UDPConn, error) {
				fail := c.fail4
				if a.Addr().Is6() {
					tries++
					if fail = c.fail6; c.times > 0 && tries > c.times || c.times < 0 && tries < -c.times {
						fail = nil
					}
				}
				if fail != nil {
					return nil, fail
				}
				return bind(ctx, a, shared)
			}
			defer f.closeSockets()
			err := f.open(t.Context())
			if !errors.Is(err, c.want) || len(f.v4) != c.v4 || len(f.v6) != c.v6 {
				t.Errorf("%d and %d sockets, %v; want %d and %d, %v", len(f.v4), len(f.v6), err, c.v4, c.v6, c.want)
			}
		})
	}
}

func freePort(t *testing.T) uint16 {
	t.Helper()
	c, err := net.ListenPacket("udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	return uint16(c.LocalAddr().(*net.UDPAddr).Port)
}
