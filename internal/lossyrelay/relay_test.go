package lossyrelay

import (
	"context"
	"errors"
	"math"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"
)

// open is a UDP socket on loopback that gives up reading after a while.
func open(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

func address(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

func send(t *testing.T, c *net.UDPConn, to netip.AddrPort, text string) {
	t.Helper()
	if _, err := c.WriteToUDPAddrPort([]byte(text), to); err != nil {
		t.Fatal(err)
	}
}

// receive reads one datagram and wants it to say text.
func receive(t *testing.T, c *net.UDPConn, text string) (from netip.AddrPort) {
	t.Helper()
	buffer := make([]byte, 1500)
	n, from, err := c.ReadFromUDPAddrPort(buffer)
	if err != nil || string(buffer[:n]) != text {
		t.Fatalf("got %q and %v, want %q", buffer[:n], err, text)
	}
	return from
}

// start runs a relay before a gateway until the test ends.
func start(t *testing.T, o Options) *Relay {
	t.Helper()
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
	return r
}

func TestRelayGivesEachClientAnAddress(t *testing.T) {
	gateway, one, two := open(t), open(t), open(t)
	r := start(t, Options{Upstream: address(gateway)})
	send(t, one, r.Addr(), "from one")
	first := receive(t, gateway, "from one")
	send(t, two, r.Addr(), "from two")
	second := receive(t, gateway, "from two")
	if first == second || first == r.Addr() {
		t.Errorf("the gateway sees %v and %v", first, second)
	}
	send(t, gateway, second, "to two")
	send(t, gateway, first, "to one")
	for c, text := range map[*net.UDPConn]string{one: "to one", two: "to two"} {
		if from := receive(t, c, text); from != r.Addr() {
			t.Errorf("the answer comes from %v, want %v", from, r.Addr())
		}
	}
	send(t, one, r.Addr(), "again")
	if from := receive(t, gateway, "again"); from != first {
		t.Errorf("the client is now %v, want %v still", from, first)
	}
	if c := r.Counters(); c.Clients != 2 || c.Up.Received != 3 || c.Down.Received != 2 || c.Refused != 0 {
		t.Errorf("counted are %+v", c)
	}
}

func TestRelaySetsEachDirection(t *testing.T) {
	gateway, viewer := open(t), open(t)
	r := start(t, Options{Upstream: address(gateway), Down: Link{MaxDatagram: 3}})
	send(t, viewer, r.Addr(), "hello")
	from := receive(t, gateway, "hello")
	send(t, gateway, from, "four")
	send(t, gateway, from, "two")
	receive(t, viewer, "two")
	if err := r.Set(Link{MaxDatagram: 3}, Link{}); err != nil {
		t.Fatal(err)
	}
	send(t, gateway, from, "four")
	receive(t, viewer, "four")
	send(t, viewer, r.Addr(), "hello")
	send(t, viewer, r.Addr(), "end")
	receive(t, gateway, "end")
	if c := r.Counters(); c.Up.TooLarge != 1 || c.Down.TooLarge != 1 {
		t.Errorf("counted are %+v", c)
	}
	if err := r.Set(Link{Loss: 2}, Link{}); err == nil {
		t.Error("a loss of 2 was taken")
	}
}

// A gateway that is away for a while is found again: what the system says of its port meanwhile ends nothing.
func TestRelayOutlivesTheGateway(t *testing.T) {
	gateway, viewer := open(t), open(t)
	at := address(gateway)
	r := start(t, Options{Upstream: at})
	send(t, viewer, r.Addr(), "one")
	receive(t, gateway, "one")
	_ = gateway.Close()
	send(t, viewer, r.Addr(), "nobody hears")
	send(t, viewer, r.Addr(), "nor this")
	again, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	buffer := make([]byte, 100)
	for range 100 { // the first may meet an error that was still to be told
		send(t, viewer, r.Addr(), "back")
		if err := again.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, _, err := again.ReadFromUDPAddrPort(buffer)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if string(buffer[:n]) == "back" {
			return
		}
	}
	t.Error("the gateway that came back hears nothing")
}

func TestNewRefuses(t *testing.T) {
	upstream := netip.MustParseAddrPort("127.0.0.1:9")
	for name, o := range map[string]Options{
		"no upstream":        {},
		"upstream of port 0": {Upstream: netip.MustParseAddrPort("127.0.0.1:0")},
		"loss above 1":       {Upstream: upstream, Up: Link{Loss: 1.1}},
		"no number":          {Upstream: upstream, Down: Link{Reorder: math.NaN()}},
		"negative delay":     {Upstream: upstream, Down: Link{Delay: -1}},
		"negative rate":      {Upstream: upstream, Up: Link{Rate: -1}},
		"foreign address":    {Upstream: upstream, Listen: netip.MustParseAddrPort("192.0.2.1:0")},
	} {
		t.Run(name, func(t *testing.T) {
			if r, err := New(o); err == nil {
				r.Close()
				t.Error("it was taken")
			}
		})
	}
}

func TestCloseWithoutRun(t *testing.T) {
	r, err := New(Options{Upstream: netip.MustParseAddrPort("127.0.0.1:9")})
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	r.Close()
	again, err := New(Options{Upstream: netip.MustParseAddrPort("127.0.0.1:9"), Listen: r.Addr()})
	if err != nil {
		t.Fatalf("the port was not given back: %v", err)
	}
	again.Close()
}
