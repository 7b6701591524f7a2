package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/ice/v4"
)

func TestReceive(t *testing.T) {
	for name, c := range map[string]struct{ listen, viewer, local string }{
		"one address":      {"127.0.0.1:0", "127.0.0.1:0", ""},
		"all, over IPv4":   {":0", "127.0.0.1:0", "127.0.0.1"},
		"all, over IPv6":   {":0", "[::1]:0", "::1"},
		"all IPv4":         {"0.0.0.0:0", "127.0.0.1:0", "127.0.0.1"},
		"one IPv6 address": {"[::1]:0", "[::1]:0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, in := listen(t, Options{ListenUDP: c.listen, GSO: true}), newInbox()
			run(t, p, in)
			v := viewer(t, c.viewer)
			to := netip.AddrPortFrom(addrOf(v).Addr(), p.Addr().Port())
			if _, err := v.WriteToUDPAddrPort([]byte("hello"), to); err != nil {
				t.Fatal(err)
			}
			a := in.next(t)
			var local netip.Addr
			if known := c.local != "" && p.tellsLocal(); known {
				local = netip.MustParseAddr(c.local)
			}
			if want := (Path{Remote: addrOf(v), Local: local}); a.data != "hello" || a.from != want {
				t.Errorf("received %q from %v, want from %v", a.data, a.from, want)
			}
			if err := p.WriteTo([]byte("back"), a.from); err != nil {
				t.Fatal(err)
			}
			if got, from := receive(t, v); got != "back" || from != to {
				t.Errorf("answered %q from %v, want from %v", got, from, to)
			}
			if s := p.Stats(); s.Received != (Traffic{1, 5, 1}) || s.Sent != (Traffic{1, 4, 1}) {
				t.Errorf("counted %+v", s)
			}
		})
	}
}

// TestAnswerComesFromTheAddressAsked answers from an address that the system would not choose.
func TestAnswerComesFromTheAddressAsked(t *testing.T) {
	p, in := listen(t, Options{ListenUDP: ":0", GSO: true}), newInbox()
	if !p.tellsLocal() {
		skipElsewhere(t, "this system does not tell where a datagram was sent to")
	}
	run(t, p, in)
	v := viewer(t, "127.0.0.1:0")
	asked := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.7"), p.Addr().Port())
	if _, err := v.WriteToUDPAddrPort([]byte("hello"), asked); err != nil {
		t.Fatal(err)
	}
	b := p.NewBatch()
	b.To(p.NewDestination(in.next(t).from))
	add(b, datagrams(1200, 1200, 50)...)
	b.Flush()
	for range 3 {
		if _, from := receive(t, v); from != asked {
			t.Errorf("answered from %v, want %v", from, asked)
		}
	}
}

// TestJoinedDatagramsArriveApart sends what the kernel may join on its way to us.
func TestJoinedDatagramsArriveApart(t *testing.T) {
	from, to, in := listen(t, Options{GSO: true}), listen(t, Options{}), newInbox()
	run(t, to, in)
	b := from.NewBatch()
	b.To(from.NewDestination(Path{Remote: to.Addr()}))
	want := datagrams(append(repeat(30, 1188), 77)...)
	add(b, want...)
	b.Flush()
	for i := range want {
		if a := in.next(t); a.data != want[i] || a.from.Remote != from.Addr() {
			t.Fatalf("datagram %d is %d bytes beginning %.6q", i, len(a.data), a.data)
		}
	}
	if s := to.Stats().Received; s.Datagrams != 31 || s.Bytes != 30*1188+77 {
		t.Errorf("counted %+v", s)
	}
}

// TestSocketsShareTheWork receives from many viewers: all sockets get some, and one viewer stays with one socket.
func TestSocketsShareTheWork(t *testing.T) {
	p, in := listen(t, Options{Sockets: 2}), newInbox()
	if len(p.v4) < 2 {
		skipElsewhere(t, "this system does not let sockets share a port")
	}
	run(t, p, in)
	for range 64 {
		v := viewer(t, "127.0.0.1:0")
		if _, err := v.WriteToUDPAddrPort([]byte("hello"), p.Addr()); err != nil {
			t.Fatal(err)
		}
		in.next(t)
	}
	for i, s := range p.v4 {
		if s.count.in.datagrams.Load() == 0 {
			t.Errorf("socket %d got none of 64 viewers", i)
		}
	}
}

func TestWriteToFails(t *testing.T) {
	p := listen(t, Options{})
	for name, c := range map[string]struct {
		to   string
		want Reason
	}{
		"other family": {"[::1]:9", Unreachable},
		"no port":      {"127.0.0.1:0", Unreachable},
		"elsewhere":    {"192.0.2.1:9", Unreachable}, // from a loopback address
	} {
		t.Run(name, func(t *testing.T) {
			to := netip.MustParseAddrPort(c.to)
			var e *SendError
			if err := p.WriteTo([]byte("x"), Path{Remote: to}); !errors.As(err, &e) || e.Reason != c.want {
				t.Errorf("the error is %v, want %v", err, c.want)
			}
			d, b := p.NewDestination(Path{Remote: netip.AddrPortFrom(netip.AddrFrom16(to.Addr().As16()), to.Port())}), p.NewBatch()
			if d.Path().Remote != to {
				t.Errorf("it leads to %v", d.Path())
			}
			b.To(d)
			add(b, "x", "")
			b.Flush()
			if err := d.Fault(); !errors.As(err, &e) || e.Reason != c.want || d.LostBy(c.want) != 1 {
				t.Errorf("the fault is %v, %d lost, want %v", err, d.LostBy(c.want), c.want)
			}
		})
	}
	if err := p.WriteTo(nil, Path{Remote: p.Addr()}); err != nil {
		t.Errorf("nothing to send: %v", err)
	}
}

func TestClosedPort(t *testing.T) {
	p, err := Listen(t.Context(), Options{ListenUDP: "127.0.0.1:0", Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- p.Run(t.Context(), newInbox()) }()
	if err = p.Close(); err != nil {
		t.Error(err)
	}
	if err = <-done; err != nil {
		t.Errorf("Run ends with %v", err)
	}
	if err = p.Run(t.Context(), newInbox()); err != nil {
		t.Errorf("Run of a closed port ends with %v", err)
	}
	var e *SendError
	if err = p.WriteTo([]byte("x"), Path{Remote: p.Addr()}); !errors.As(err, &e) || e.Reason != Closed {
		t.Errorf("the error is %v", err)
	}
	if _, _, err = p.Others().ReadFrom(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("others end with %v", err)
	}
}

// TestRunAgain runs a port whose first Run has ended.
func TestRunAgain(t *testing.T) {
	p := listen(t, Options{})
	for range 2 {
		t.Run("", func(t *testing.T) {
			in := newInbox()
			run(t, p, in)
			if err := p.WriteTo([]byte("hello"), Path{Remote: p.Addr()}); err != nil {
				t.Fatal(err)
			}
			in.next(t)
		})
	}
}

// TestOthersBesidePion has pion's mux read and write what belongs to no session of the fast way.
func TestOthersBesidePion(t *testing.T) {
	p, in := listen(t, Options{}), newInbox()
	in.takes = func(data []byte) bool { return !strings.HasPrefix(string(data), "\x00") }
	run(t, p, in)
	var others net.PacketConn = p.Others()
	if _, ok := others.(ice.AddrPortReaderWriter); !ok {
		t.Error("pion would take addresses that must be allocated")
	}
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: p.Others()})
	defer func() { _ = mux.Close() }()
	if got := mux.LocalAddr().String(); got != p.Addr().String() {
		t.Errorf("the mux is on %s", got)
	}
	c, err := mux.GetConn("ufrag", mux.LocalAddr())
	if err != nil {
		t.Fatal(err)
	}
	v := viewer(t, "127.0.0.1:0")
	for _, data := range [][]byte{[]byte("media"), binding("ufrag:other")} {
		if _, err = v.WriteToUDPAddrPort(data, p.Addr()); err != nil {
			t.Fatal(err)
		}
	}
	if a := in.next(t); a.data != "media" {
		t.Errorf("the receiver got %q", a.data)
	}
	b := make([]byte, 1500)
	_ = c.SetReadDeadline(time.Now().Add(patient))
	n, from, err := c.ReadFrom(b)
	if err != nil || n != len(binding("ufrag:other")) || from.String() != addrOf(v).String() {
		t.Fatalf("the mux got %d bytes from %v: %v", n, from, err)
	}
	if _, err = c.WriteTo([]byte("answer"), from); err != nil {
		t.Fatal(err)
	}
	if got, _ := receive(t, v); got != "answer" {
		t.Errorf("the viewer got %q", got)
	}
}

// binding is a STUN binding request with a username.
func binding(name string) []byte {
	padded := name + strings.Repeat("\x00", -len(name)&3)
	head := []byte{0, 1, 0, byte(4 + len(padded)), 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	return slices.Concat(head, []byte{0, 6, 0, byte(len(name))}, []byte(padded))
}

func TestWriteDeadlinesAreSwallowed(t *testing.T) {
	p := listen(t, Options{})
	o := p.Others()
	_ = o.SetWriteDeadline(time.Unix(1, 0))
	v := viewer(t, "127.0.0.1:0")
	if _, err := o.WriteTo([]byte("x"), v.LocalAddr()); err != nil {
		t.Error(err)
	}
	receive(t, v)
	if _, err := o.WriteTo([]byte("x"), &net.TCPAddr{}); err == nil {
		t.Error("a TCP address is taken")
	}
	_ = o.SetDeadline(time.Unix(1, 0))
	if _, _, err := o.ReadFrom(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
}

func TestReasonsHaveNames(t *testing.T) {
	seen := make(map[string]bool)
	for r := range reasons {
		name := fmt.Sprint(r)
		if name == "" || seen[name] || strings.Contains(name, " ") {
			t.Errorf("reason %d is called %q", uint8(r), name)
		}
		seen[name] = true
	}
	if err := (&SendError{Reason: Closed}); !strings.Contains(err.Error(), "closed") || err.Unwrap() != nil {
		t.Errorf("the error is %v", err)
	}
}

// skipElsewhere skips on systems that lack something. Linux has it all.
func skipElsewhere(t *testing.T, why string) {
	t.Helper()
	if runtime.GOOS == "linux" {
		t.Fatal(why)
	}
	t.Skip(why)
}
