package transport

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// counter is a Receiver that tells each time that so many datagrams have come.
type counter struct {
	n, of int
	full  chan struct{}
}

// Receive counts a datagram.
func (c *counter) Receive([]byte, Path) bool {
	if c.n++; c.n == c.of {
		c.n = 0
		c.full <- struct{}{}
	}
	return true
}

// flood gives a function that sends datagrams to a port of its own and waits until they are there.
func flood(t testing.TB, listenAt string, n int, joined bool) func() {
	t.Helper()
	from, to := listen(t, Options{GSO: joined}), listen(t, Options{ListenUDP: listenAt, Sockets: 1})
	c := &counter{of: n, full: make(chan struct{}, 1)}
	run(t, to, c)
	b, data := from.NewBatch(), make([]byte, 1188)
	d := from.NewDestination(Path{Remote: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), to.Addr().Port())})
	return func() {
		b.To(d)
		for range n {
			b.Add(copy(b.Buffer(), data))
		}
		b.Flush()
		<-c.full
	}
}

func TestReceiveDoesNotAllocate(t *testing.T) {
	for _, joined := range []bool{true, false} {
		for _, at := range []string{"127.0.0.1:0", ":0"} {
			if n := testing.AllocsPerRun(100, flood(t, at, 50, joined)); n != 0 {
				t.Errorf("at %s, joined %t: %v allocations for 50 datagrams", at, joined, n)
			}
		}
	}
}

func BenchmarkReceive(b *testing.B) {
	const n = 50
	for _, joined := range []bool{true, false} {
		b.Run(fmt.Sprintf("joined=%t/datagrams=%d", joined, n), func(b *testing.B) {
			f := flood(b, ":0", n, joined)
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/datagram")
		})
	}
}

func TestLargeDatagramIsCut(t *testing.T) {
	for name, c := range map[string]struct {
		size  int
		flags int32
		cut   uint64
	}{"whole": {1200, 0, 0}, "cut": {readBuffer, unix.MSG_TRUNC, 1}} {
		t.Run(name, func(t *testing.T) {
			p, in := listen(t, Options{Sockets: 1}), newInbox()
			r := newReader(p.v4[0], in, p.Others())
			r.messages[0].n = uint32(c.size)
			r.messages[0].hdr.Flags = c.flags
			r.messages[0].hdr.SetControllen(0)
			r.pass(0)
			if s := p.Stats(); s.Cut != c.cut || len(in.came) != 1-int(c.cut) {
				t.Errorf("counted %d cut, passed %d on", s.Cut, len(in.came))
			}
		})
	}
}

// controls are what comes with a message.
var controls = map[string]struct {
	bytes []byte
	want  received
}{
	"nothing":         {nil, received{}},
	"IPv4":            {unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: [4]byte{192, 0, 2, 1}, Addr: [4]byte{224, 0, 0, 1}}), received{local: alice.Addr()}},
	"IPv6":            {unix.PktInfo6(&unix.Inet6Pktinfo{Addr: [16]byte{15: 1}}), received{local: netip.IPv6Loopback()}},
	"joined":          {control(unix.IPPROTO_UDP, unix.UDP_GRO, 0xA4, 4, 0, 0), received{size: 1188}},
	"as once":         {control(unix.IPPROTO_UDP, unix.UDP_GRO, 0xA4, 4), received{size: 1188}},
	"of size 0":       {control(unix.IPPROTO_UDP, unix.UDP_GRO, 0, 0, 0, 0), received{}},
	"of size -1":      {control(unix.IPPROTO_UDP, unix.UDP_GRO, 255, 255, 255, 255), received{size: -1}},
	"too short":       {control(unix.IPPROTO_UDP, unix.UDP_GRO, 1), received{}},
	"empty":           {control(unix.IPPROTO_IP, unix.IP_PKTINFO), received{}},
	"something else":  {control(unix.SOL_SOCKET, unix.SO_TIMESTAMP, 1, 2, 3, 4), received{}},
	"half of a head":  {make([]byte, unix.SizeofCmsghdr-1), received{}},
	"length 0":        {make([]byte, unix.SizeofCmsghdr), received{}},
	"length too much": {slices.Concat(control(unix.IPPROTO_UDP, unix.UDP_GRO, 1, 2, 3, 4)[:unix.CmsgLen(2)]), received{}},
}

func control(level, kind int32, data ...byte) []byte {
	b := make([]byte, unix.CmsgSpace(len(data)))
	room, _ := putHeader(b, level, kind, len(data))
	copy(room, data)
	return b
}

func TestParseControl(t *testing.T) {
	for name, c := range controls {
		t.Run(name, func(t *testing.T) {
			if got := parseControl(c.bytes); got != c.want {
				t.Errorf("read %+v, want %+v", got, c.want)
			}
		})
	}
	both := slices.Concat(controls["IPv4"].bytes, controls["joined"].bytes)
	if got := parseControl(both); got != (received{alice.Addr(), 1188}) {
		t.Errorf("read %+v of two", got)
	}
}

func FuzzSplit(f *testing.F) {
	for _, c := range controls {
		f.Add(c.bytes, make([]byte, 3000))
	}
	f.Add(slices.Concat(controls["IPv6"].bytes, controls["joined"].bytes), make([]byte, 1188))
	f.Fuzz(func(t *testing.T, control, data []byte) {
		size := parseControl(control).size
		var all []byte
		n := 0
		for d := range split(data, size) {
			n++
			if size > 0 && len(d) > size || len(d) == 0 && len(data) > 0 {
				t.Fatalf("a datagram of %d bytes out of %d by %d", len(d), len(data), size)
			}
			all = append(all, d...)
		}
		if !slices.Equal(all, data) || n != parts(len(data), size) {
			t.Errorf("%d datagrams are not what came", n)
		}
		remoteOf(control)
	})
}

func TestAddresses(t *testing.T) {
	for _, text := range []string{"192.0.2.1:1000", "[2001:db8::1]:65535", "[fe80::1%1]:5"} {
		want := netip.MustParseAddrPort(text)
		a := newAddress(Path{Remote: want})
		if got := remoteOf(a.name[:a.nameLen]); got != want || a.sourceLen != 0 {
			t.Errorf("%v became %v", want, got)
		}
	}
	byName, unknown := newAddress(Path{Remote: netip.MustParseAddrPort("[fe80::1%lo]:5")}), newAddress(Path{Remote: netip.MustParseAddrPort("[fe80::1%none]:5")})
	if byName.name[24]+byName.name[27] != 1 || unknown.name[24]+unknown.name[27] != 0 {
		t.Errorf("the zones are %v and %v", byName.name[24:], unknown.name[24:])
	}
}

// A socket that is never empty must not keep its reader from seeing the end.
func TestFloodedSocketCanBeClosed(t *testing.T) {
	for name, end := range map[string]func(cancel func(), s *socket){
		"Run ends": func(cancel func(), s *socket) {
			cancel()
			_ = s.conn.SetReadDeadline(time.Unix(1, 0))
		},
		"the port is closed": func(_ func(), s *socket) { _ = s.close() },
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Listen(t.Context(), Options{ListenUDP: "127.0.0.1:0", Sockets: 1, Log: quiet()})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = p.Close() }() // once more
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := newReader(p.v4[0], Nobody{}, p.others)
			calls, flooded := 0, make(chan struct{})
			r.call = func(_ uintptr, messages []mmsghdr) (int, syscall.Errno) {
				if calls++; calls == 2*readRounds {
					close(flooded)
				}
				return len(messages), 0
			}
			done := make(chan error, 1)
			go func() { done <- r.read(ctx) }()
			<-flooded
			over := make(chan struct{})
			go func() {
				defer close(over)
				end(cancel, p.v4[0])
			}()
			select {
			case err := <-done:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(patient):
				t.Fatal("the reader goes on")
			}
			<-over
		})
	}
}
