package peer

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/pion/transport/v4/packetio"
)

// I31: what one peer may send in two seconds; then it has flooded, which is told once.
func TestRateCaps(t *testing.T) {
	start := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		packets, size int
		apart         time.Duration
		flooded       bool
	}{
		"packets at the cap":    {30_000, 100, 200 * time.Microsecond, false},
		"packets beyond it":     {30_000, 100, 190 * time.Microsecond, true},
		"bits at the cap":       {20_000, 1250, 200 * time.Microsecond, false},
		"bits beyond it":        {20_000, 1400, 200 * time.Microsecond, true},
		"a burst":               {9_000, 1200, 0, false},
		"too large a burst":     {10_001, 100, 0, true},
		"few packets, for long": {100_000, 1400, time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			told := 0
			b := newBorder()
			b.flood = func() { told++ }
			now := start
			for range c.packets {
				b.afford(c.size, now)
				now = now.Add(c.apart)
			}
			if want := map[bool]int{true: 1}[c.flooded]; told != want {
				t.Errorf("told %d times that the peer floods, want %d", told, want)
			}
		})
	}
}

// J113, J114: what passes of one stream; what does not is counted.
func TestBorderPasses(t *testing.T) {
	b := newBorder()
	b.allow(streamsPerSection, payload{number: 96, rtx: 97}, payload{number: 0})
	rtp := func(first, second byte, size int) []byte {
		p := make([]byte, size)
		p[0], p[1] = first, second
		return p
	}
	for name, c := range map[string]struct {
		packet []byte
		passes bool
	}{
		"media":               {rtp(0x80, 96, 100), true},
		"marked":              {rtp(0x80, 96|0x80, 100), true},
		"retransmitted":       {rtp(0x80, 97, 100), true},
		"type 0":              {rtp(0x80, 0, 100), true},
		"of the largest size": {rtp(0x80, 96, packetSize), true},
		"too large":           {rtp(0x80, 96, packetSize+1), false},
		"no header":           {rtp(0x80, 96, 11), false},
		"version 0":           {rtp(0x00, 96, 100), false},
		"version 1":           {rtp(0x40, 96, 100), false},
		"another type":        {rtp(0x80, 98, 100), false},
	} {
		s := b.buffer(packetio.RTPBufferPacket, 1).(*stream)
		before := b.dropped.Load()
		if n, err := s.Write(c.packet); n != len(c.packet) || err != nil {
			t.Errorf("%s: %d bytes written, %v", name, n, err)
		}
		if passed := s.Count() == 1; passed != c.passes || (b.dropped.Load() == before) != c.passes {
			t.Errorf("%s: passed: %v, %d dropped", name, passed, b.dropped.Load()-before)
		}
		b.media++
		_ = s.Close()
	}
}

// J114: so many streams are read, so many more are borne, and then the peer has flooded. RTCP has streams of its own.
func TestStreamsAreBounded(t *testing.T) {
	for name, c := range map[string]struct {
		kind packetio.BufferPacketType
		read int
	}{
		"RTP":  {packetio.RTPBufferPacket, 2 * streamsPerSection},
		"RTCP": {packetio.RTCPBufferPacket, reportStreams},
	} {
		t.Run(name, func(t *testing.T) {
			told := 0
			b := newBorder()
			b.flood = func() { told++ }
			b.allow(streamsPerSection, payload{number: 96})
			b.allow(streamsPerSection, payload{number: 111})
			for i := range uint32(10_000) {
				s := b.buffer(c.kind, i)
				if _, read := s.(*stream); read != (int(i) < c.read) {
					t.Fatalf("stream %d is read: %v", i, read)
				}
				if want := map[bool]int{true: 1}[int(i) >= c.read+maxRefusedStreams]; told != want {
					t.Fatalf("stream %d: told %d times that the peer floods, want %d", i, told, want)
				}
			}
			refused := b.buffer(c.kind, 10_000)
			if n, err := refused.Write(make([]byte, 100)); n != 100 || err != nil {
				t.Errorf("%d bytes written, %v", n, err)
			}
			if _, err := refused.Read(nil); !errors.Is(err, io.EOF) || refused.Close() != nil {
				t.Errorf("read: %v", err)
			}
		})
	}
}
