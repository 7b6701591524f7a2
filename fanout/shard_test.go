package fanout

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/srtp/v3"

	"sluice/hub"
	"sluice/media"
	"sluice/rtpout"
	"sluice/transport"
)

// crowd is a shard of a house with viewers who are sent to a socket that nobody reads, without handshakes and without
// its goroutine: a test takes the turns.
type crowd struct {
	*house
	shard    *shard
	sessions []*Session
	written  int
}

func newCrowd(t testing.TB, viewers int) *crowd {
	t.Helper()
	sink, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sink.Close() })
	h := newHouse(t, Options{})
	c := &crowd{house: h, shard: newShard(h.port)}
	to := h.port.NewDestination(transport.Path{Remote: sink.LocalAddr().(*net.UDPAddr).AddrPort()})
	for i := range viewers {
		s := &Session{fanout: h.Fanout, shard: c.shard, connected: make(chan struct{}), done: make(chan struct{})}
		s.outgoing = []rtpout.Outgoing{
			{Track: picture, SSRC: uint32(2*i + 1), PayloadType: 96, NACK: true},
			{Track: sound, SSRC: uint32(2*i + 2), PayloadType: 111},
		}
		s.sealer = newTestSealer(t)
		s.ice.selected.Store(&stop{path: transport.Path{Remote: netip.AddrPort{}}, to: to})
		if _, err := s.Start(rtpout.Feed{Stream: h.stream, Rendition: media.MainRendition, Start: hub.StartGOP, PaceBits: 1 << 40}); err != nil {
			t.Fatal(err)
		}
		c.sessions = append(c.sessions, s)
	}
	return c
}

func newTestSealer(t testing.TB) *sealer {
	t.Helper()
	k := srtpKeys{profile: srtp.ProtectionProfileAeadAes128Gcm}
	k.local.key, k.local.salt = make([]byte, 16), make([]byte, 12)
	k.remote = k.local
	s, err := newSealer(k)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// frame writes a picture and sends it to all.
func (c *crowd) frame(size int) {
	now := time.Now()
	_ = c.source.Write("video", &media.AccessUnit{
		PTS: int64(c.written) * 3000, Arrived: now, Keyframe: c.written%300 == 0, Data: [][]byte{make([]byte, size)},
	})
	c.written++
	c.shard.turn()
}

func (c *crowd) packets() uint64 {
	var n uint64
	for _, s := range c.sessions {
		n += s.Stats().Packets
	}
	return n
}

func TestSendingDoesNotAllocate(t *testing.T) {
	one, many := allocations(t, 1), allocations(t, 50)
	// AllocsPerRun counts whole allocations and those of the runtime too; one for each viewer and picture would make 1.
	if perViewer := (many - one) / 49; perViewer > 0.2 {
		t.Errorf("%.2f allocations for each viewer and picture (%.1f for one viewer, %.1f for 50)", perViewer, one, many)
	}
}

// allocations are those of a picture: of writing it and cutting it into payloads, and of what each viewer costs.
func allocations(t *testing.T, viewers int) float64 {
	c := newCrowd(t, viewers)
	for range 100 {
		c.frame(8000)
	}
	before := c.packets()
	each := testing.AllocsPerRun(200, func() { c.frame(8000) })
	if sent := c.packets() - before; sent < uint64(200*viewers*7) {
		t.Fatalf("only %d packets were sent to %d viewers", sent, viewers)
	}
	return each
}

func BenchmarkTurn(b *testing.B) {
	for _, viewers := range []int{1, 25, 100} {
		b.Run(fmt.Sprintf("viewers=%d", viewers), func(b *testing.B) {
			c := newCrowd(b, viewers)
			for range 50 {
				c.frame(8000)
			}
			before := c.packets()
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				c.frame(8000)
			}
			b.StopTimer()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(c.packets()-before), "ns/packet")
		})
	}
}
