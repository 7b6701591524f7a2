package transport

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patient is how long a test waits for what must come.
const patient = 20 * time.Second

// Addresses of nobody (RFC 5737).
var (
	alice = netip.MustParseAddrPort("192.0.2.1:1000")
	bob   = netip.MustParseAddrPort("192.0.2.2:2000")
	ours  = netip.MustParseAddr("192.0.2.99")
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func listen(t testing.TB, o Options) *Port {
	t.Helper()
	if o.ListenUDP == "" {
		o.ListenUDP = "127.0.0.1:0"
	}
	if o.Log == nil {
		o.Log = quiet()
	}
	p, err := Listen(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// tellsLocal reports whether this system tells where a datagram was sent to.
func (p *Port) tellsLocal() bool { return runtime.GOOS == "linux" }

// run reads the port until the test's end.
func run(t testing.TB, p *Port, r Receiver) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, r) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// inbox is a Receiver that keeps what it takes.
type inbox struct {
	takes func(data []byte) bool // nil: all
	came  chan arrival
}

type arrival struct {
	data string
	from Path
}

func newInbox() *inbox { return &inbox{came: make(chan arrival, 10000)} }

// Receive takes a datagram.
func (i *inbox) Receive(data []byte, from Path) bool {
	if i.takes != nil && !i.takes(data) {
		return false
	}
	i.came <- arrival{string(data), from}
	return true
}

func (i *inbox) next(t testing.TB) arrival {
	t.Helper()
	select {
	case a := <-i.came:
		return a
	case <-time.After(patient):
		t.Fatal("nothing comes in")
		return arrival{}
	}
}

// viewer is the other side: a plain socket.
func viewer(t testing.TB, address string) *net.UDPConn {
	t.Helper()
	c, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	u := c.(*net.UDPConn)
	_ = u.SetReadBuffer(4 << 20)
	return u
}

func addrOf(c *net.UDPConn) netip.AddrPort {
	a := c.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// receive reads one datagram of a viewer.
func receive(t testing.TB, c *net.UDPConn) (string, netip.AddrPort) {
	t.Helper()
	b := make([]byte, 2000)
	_ = c.SetReadDeadline(time.Now().Add(patient))
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n]), netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
}

// nothing wants no more to come: what was sent before a mark has come before it.
func nothing(t testing.TB, c *net.UDPConn) {
	t.Helper()
	mark := viewer(t, "127.0.0.1:0")
	if _, err := mark.WriteToUDPAddrPort([]byte("mark"), addrOf(c)); err != nil {
		t.Fatal(err)
	}
	if got, from := receive(t, c); from != addrOf(mark) {
		t.Errorf("%d bytes have come, nothing should", len(got))
	}
}
