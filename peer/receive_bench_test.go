package peer

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/transport/v4/packetio"

	"sluice/media"
	"sluice/rtpin"
)

// pictureSize is how many packets of 1200 bytes a picture of the benchmarks has: 720p at 2.3 Mbit/s and 30 a second.
const pictureSize = 8

// benchPacket is packet i of a stream of such pictures.
func benchPacket(i int) *rtp.Packet {
	part := i % pictureSize
	p := vp8Packet(uint16(i), uint32(i/pictureSize)*3000, i < pictureSize)
	p.PayloadType, p.Marker = 96, part == pictureSize-1
	if part > 0 {
		p.Payload = []byte{0x00}
	}
	p.Payload = append(p.Payload, make([]byte, 1200-len(p.Payload))...)
	return p
}

// BenchmarkReceive is what a packet of a publisher costs: the steps that are ours each, and the whole way over loopback
// with DTLS-SRTP, in which the sender's part, also in this process, and pion's are too.
func BenchmarkReceive(b *testing.B) {
	b.Run("border", func(b *testing.B) {
		limit := newBorder()
		limit.allow(1, payload{number: 96})
		s := limit.buffer(packetio.RTPBufferPacket, 1)
		packet, err := benchPacket(0).Marshal()
		if err != nil {
			b.Fatal(err)
		}
		buf := make([]byte, packetSize)
		b.ReportAllocs()
		for b.Loop() {
			limit.packets, limit.bytes = 0, 0
			_, _ = s.Write(packet)
			_, _ = s.Read(buf)
		}
	})
	b.Run("units", func(b *testing.B) {
		i := &intake{reception: &Reception{}, sink: discard{}, sync: rtpin.NewSynchronizer()}
		in := &incoming{track: vp8}
		raw, err := benchPacket(0).Marshal()
		if err != nil {
			b.Fatal(err)
		}
		now, n := time.Now(), 0
		b.ReportAllocs()
		for b.Loop() {
			p := &rtp.Packet{}
			if err := p.Unmarshal(slices.Clone(raw)); err != nil {
				b.Fatal(err)
			}
			p.SequenceNumber, p.Timestamp = uint16(n), uint32(n/pictureSize)*3000
			p.Marker = n%pictureSize == pictureSize-1
			if n%pictureSize > 0 {
				p.Payload[0] = 0 // goes on
			}
			if n++; n%pictureSize == 0 {
				now = now.Add(time.Second / 30)
			}
			if err := i.take(arrival{to: in, packet: p, at: now}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("loopback", benchmarkLoopback)
}

func benchmarkLoopback(b *testing.B) {
	e, p, g := newEngine(b, Options{}), newPublisher(b), newGathering()
	r := receive(b, e, p.offer(b))
	run(b, r, g)
	p.accept(b, r.Description())
	await(b, r.Connected(), "connected")
	await(b, p.connected, "connected on the publisher's side")
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		if _ = p.video.WriteRTP(benchPacket(n)); n%64 == 63 {
			for end := time.Now().Add(patience); r.Stats().Packets < uint64(n)-63; {
				if time.Now().After(end) {
					b.Fatalf("%d packets sent; %+v; %v", n, r.Stats(), r.Err())
				}
				<-time.After(50 * time.Microsecond)
			}
			r.border.mu.Lock()
			r.border.packets, r.border.bytes = 0, 0
			r.border.mu.Unlock()
		}
		n++
	}
}

// discard is a Sink that keeps nothing.
type discard struct{}

func (discard) Track(string, media.Track)              {}
func (discard) Unit(string, string, *media.AccessUnit) {}
func (discard) Tick(time.Time)                         {}
