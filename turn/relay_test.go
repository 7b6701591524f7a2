package turn

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// G6: a bucket lets a burst of a second pass, then its rate.
func TestBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bucket
		b.limit(100_000)
		began := time.Now()
		passed := 0
		for range 10_000 { // ten times the rate for ten seconds
			if b.take(1000, int64(time.Since(began))) {
				passed += 1000
			}
			time.Sleep(time.Millisecond)
		}
		if passed < 1_090_000 || passed > 1_101_000 {
			t.Errorf("%d bytes passed in 10 s", passed)
		}
	})
}

func TestBucketWithoutLimit(t *testing.T) {
	var b bucket
	if !b.take(1<<30, 0) {
		t.Error("refused")
	}
}

// G6: max_bps and bps_capacity hold both ways, in the relay itself, and say so apart.
func TestBandwidthCaps(t *testing.T) {
	cases := []struct {
		name   string
		change func(*Options)
		reason Reason
	}{
		{"of one", func(o *Options) { o.MaxBPS = 2000 }, Bandwidth},
		{"of all", func(o *Options) { o.BPSCapacity = 2000 }, Capacity},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, c.change)
			payload, began := make([]byte, 500), time.Now()
			for range 10 {
				if err := f.relay.send(payload, f.peer); err != nil {
					t.Fatal(err)
				}
			}
			up := f.relay.up.traffic()
			checkCapped(t, "up", up, time.Since(began))
			began = time.Now()
			for range 10 {
				if _, err := f.media.WriteToUDPAddrPort(payload, addrPort(f.relay.LocalAddr())); err != nil {
					t.Fatal(err)
				}
			}
			go func() { _, _, _ = f.relay.ReadFrom(make([]byte, maxDatagram)) }()
			refused := func() uint64 { return f.relay.server.Stats().Refused[c.reason] }
			waitFor(t, func() bool { return up.Packets+f.relay.down.traffic().Packets+refused() == 20 })
			f.relay.Close()
			checkCapped(t, "down", f.relay.down.traffic(), time.Since(began))
		})
	}
}

// checkCapped wants four of the packets of 500 bytes, and at most one more for each quarter of a second that they took.
func checkCapped(t *testing.T, way string, got Traffic, took time.Duration) {
	t.Helper()
	if most := 4 + uint64(4*took/time.Second); got.Packets < 4 || got.Packets > most || got.Bytes != 500*got.Packets {
		t.Errorf("%s: %+v within %v", way, got, took)
	}
}

// fixture is a relay with a channel to a media port, without pion.
type fixture struct {
	relay *relay
	media *net.UDPConn
	peer  netip.AddrPort
	wire  *wireFake
}

// wireFake takes what is written, and tells it of those who listen.
type wireFake struct{ wrote chan struct{} }

func (w *wireFake) read([]byte) (int, netip.AddrPort, error) {
	return 0, netip.AddrPort{}, net.ErrClosed
}
func (*wireFake) local() net.Addr { return udpAddr(udpPort(3478)) }
func (*wireFake) relaying(bool)   {}
func (*wireFake) close() error    { return nil }

func (w *wireFake) write([]byte, netip.AddrPort) error {
	select {
	case w.wrote <- struct{}{}:
	default:
	}
	return nil
}

func newFixture(t testing.TB, change func(*Options)) fixture {
	t.Helper()
	media := listenUDP(t, udpPort1())
	peer := addrPort(media.LocalAddr())
	o := Options{Secret: secret, Media: func() Media { return Media{Local: []netip.AddrPort{peer}} }}
	if change != nil {
		change(&o)
	}
	s, err := Listen(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	w := &wireFake{make(chan struct{}, 1)}
	g := newGate(s, w)
	slot, _ := s.quota.take("x", udpPort(1).Addr())
	r := newRelay(g, listenUDP(t, peer), &request{client: udpPort(1), id: "x", slot: slot})
	s.counters.opened(r)
	g.add(r)
	r.bind(0x4000, peer)
	t.Cleanup(func() { r.Close() })
	return fixture{relay: r, media: media, peer: peer, wire: w}
}

func TestChannels(t *testing.T) {
	f := newFixture(t, nil)
	other := udpPort(9)
	f.relay.bind(0x4001, other)
	if p, ok := f.relay.peerOf(0x4001); p != other || !ok || f.relay.numberOf(other) != 0x4001 {
		t.Errorf("%v, %v", p, ok)
	}
	f.relay.bind(0x4001, f.peer)
	f.relay.unbind(0x4000)
	if n := len(*f.relay.channels.Load()); n != 1 || f.relay.numberOf(f.peer) != 0x4001 {
		t.Errorf("%d are left", n)
	}
}

// Closing a relay, from wherever, gives back all that it held.
func TestRelayCloseTwice(t *testing.T) {
	f := newFixture(t, nil)
	for range 2 {
		if err := f.relay.Close(); err != nil {
			t.Error(err)
		}
	}
	s := f.relay.server
	if s.quota.now() != 0 || s.Stats().Allocations != 0 || f.relay.gate.relay(udpPort(1)) != nil {
		t.Error("something is still held")
	}
}

func TestQuotaCountsHouseholds(t *testing.T) {
	q := newQuota(100, 2, 100)
	in := func(a string) bool { s, _ := q.take(a, netip.MustParseAddr(a)); return s != nil }
	got := []bool{
		in("2001:db8::1"), in("2001:db8::2"), in("2001:db8::3"), in("2001:db8:0:1::1"),
		in("192.0.2.1"), in("::ffff:192.0.2.1"), in("192.0.2.1"), in("192.0.2.2"),
	}
	if want := []bool{true, true, false, true, true, true, false, true}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// The way of a datagram to a media port and back allocates nothing.
func TestPacketPathDoesNotAllocate(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.MaxBPS, o.BPSCapacity = 1<<40, 1<<40 })
	if n := testing.AllocsPerRun(500, f.roundTrip(t)); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// roundTrip carries one ChannelData to the media port, and one datagram of it back.
func (f fixture) roundTrip(t testing.TB) func() {
	data := append([]byte{0x40, 0, 1200 >> 8, 1200 & 0xFF}, make([]byte, 1200)...)
	buf, relay := make([]byte, maxDatagram), addrPort(f.relay.LocalAddr())
	read := make(chan struct{})
	go func() {
		defer close(read)
		for {
			if _, _, err := f.relay.ReadFrom(buf); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { f.relay.Close(); <-read })
	return func() {
		f.relay.gate.take(data, f.relay.client)
		n, _, err := f.media.ReadFromUDPAddrPort(data[:cap(data)])
		if err != nil {
			t.Fatal(err)
		}
		copy(data, []byte{0x40, 0, 1200 >> 8, 1200 & 0xFF})
		if _, err := f.media.WriteToUDPAddrPort(data[:n], relay); err != nil {
			t.Fatal(err)
		}
		<-f.wire.wrote
	}
}

func BenchmarkRelayRoundTrip(b *testing.B) {
	trip := newFixture(b, nil).roundTrip(b)
	b.ReportAllocs()
	b.SetBytes(2 * 1200)
	for b.Loop() {
		trip()
	}
}

func BenchmarkBindingAnswer(b *testing.B) {
	question, out := binding20, make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		if appendBindingAnswer(out, question, udpPort(1)) == nil {
			b.Fatal("no answer")
		}
	}
}

func BenchmarkUnauthenticatedAllocate(b *testing.B) {
	f := newFixture(b, nil)
	p := append(slices.Clone(binding20), 0, 25, 0, 4, 17, 0, 0, 0)
	p[1], p[3] = 3, 8
	b.ReportAllocs()
	for b.Loop() {
		f.relay.gate.take(p, udpPort(7))
	}
}
