package peer

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// relay stands between a peer and the engine, so that the way between them can be looked at, changed and cut.
type relay struct {
	toPeer, toEngine *net.UDPConn
	engine           netip.AddrPort
	sizes            chan int // of media packets to the peer, as many as fit

	in  filter // from the peer to the engine
	out filter // the other way
}

// filter looks at the packets of one direction. What it returns goes on, nothing if that is nil.
type filter struct {
	atomic.Pointer[func(packet []byte) []byte]
}

func (f *filter) set(change func(packet []byte) []byte) { f.Store(&change) }

func (f *filter) apply(packet []byte) []byte {
	if change := f.Load(); change != nil {
		return (*change)(packet)
	}
	return packet
}

func newRelay(t testing.TB, engine netip.AddrPort) *relay {
	t.Helper()
	listen := func() *net.UDPConn {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadBuffer(4 << 20)
		return c
	}
	r := &relay{toPeer: listen(), toEngine: listen(), engine: engine, sizes: make(chan int, 64)}
	var peer atomic.Pointer[netip.AddrPort]
	var forwarders sync.WaitGroup
	forwarders.Go(func() {
		for b := make([]byte, 1<<16); ; {
			n, from, err := r.toPeer.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			peer.Store(&from)
			if p := r.in.apply(b[:n]); p != nil {
				r.inject(p)
			}
		}
	})
	forwarders.Go(func() {
		for b := make([]byte, 1<<16); ; {
			n, err := r.toEngine.Read(b)
			if err != nil {
				return
			}
			if isRTP(b[:n]) {
				select {
				case r.sizes <- n:
				default:
				}
			}
			if to := peer.Load(); to != nil {
				if p := r.out.apply(b[:n]); p != nil {
					_, _ = r.toPeer.WriteToUDPAddrPort(p, *to)
				}
			}
		}
	})
	t.Cleanup(func() { r.cut(); forwarders.Wait() })
	return r
}

// inject sends a packet to the engine from the peer's own address.
func (r *relay) inject(packet []byte) { _, _ = r.toEngine.WriteToUDPAddrPort(packet, r.engine) }

// cut makes the peer vanish without a word. It may be called twice.
func (r *relay) cut() {
	_ = r.toPeer.Close()
	_ = r.toEngine.Close()
}

// route makes an answer lead to the relay.
func (r *relay) route(answer string, engine netip.AddrPort) string {
	port := r.toPeer.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	from := " " + engine.Addr().String() + " " + portOf(engine.Port()) + " typ"
	return strings.ReplaceAll(answer, from, " 127.0.0.1 "+portOf(port)+" typ")
}

// What a packet is (RFC 7983 7, RFC 5761 4).
func isSTUN(p []byte) bool { return p[0] < 4 }
func isDTLS(p []byte) bool { return p[0] >= 20 && p[0] < 64 }
func isRTP(p []byte) bool  { return p[0]>>6 == 2 && (p[1]&0x7F < 64 || p[1]&0x7F > 95) }
func isRTCP(p []byte) bool { return p[0]>>6 == 2 && !isRTP(p) }
