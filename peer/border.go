package peer

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/transport/v4/packetio"

	"sluice/transport"
)

const (
	rateWindow = 2 * time.Second // in which packets and bytes are counted
	packetSize = 1500            // bytes, the largest that are read
	// streamsPerSection is how many RTP streams of one section are read: media and retransmissions, and as many again
	// for a sender that starts over.
	streamsPerSection = 4
	// reportStreams is how many SSRCs RTCP may be about. Ours and the peer's are a dozen.
	reportStreams = 32
	// maxRefusedStreams is how many more are dropped before the peer is taken for an attacker: each costs memory.
	maxRefusedStreams = 64

	mediaBuffer  = 1_000_000 // bytes that wait to be read of one RTP stream
	reportBuffer = 100_000   // and of the RTCP about one
)

// border is what all packets of one connection pass whose SRTP tag is right, before the library looks at them. It
// keeps out what was not negotiated and ends the connection of a peer that floods.
type border struct {
	types [128]bool // fixed before the first packet: the RTP payload types that were negotiated
	flood func()    // fixed likewise; called once, when the peer has sent too much

	dropped atomic.Uint64 // packets that are none, or too large, or of another payload type

	mu             sync.Mutex
	media, reports int       // guarded by mu: streams that may still be opened
	refused        int       // guarded by mu: streams that were not
	window         time.Time // guarded by mu: since when packets and bytes are counted
	packets, bytes int       // guarded by mu
	flooded        bool      // guarded by mu
}

func newBorder() *border { return &border{reports: reportStreams} }

// allow lets so many streams of one section in, of the given payloads and their retransmissions.
func (b *border) allow(streams int, payloads ...payload) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.media += streams
	for _, p := range payloads {
		b.types[p.number&0x7F] = true
		if p.rtx != 0 {
			b.types[p.rtx&0x7F] = true
		}
	}
}

// buffer is asked by pion once for each SSRC.
func (b *border) buffer(kind packetio.BufferPacketType, _ uint32) io.ReadWriteCloser {
	if kind == packetio.RTPBufferPacket {
		if !b.admits(&b.media) {
			return refusedStream{b}
		}
		return newStream(b, mediaBuffer, b.isMedia)
	}
	if !b.admits(&b.reports) {
		return refusedStream{b}
	}
	return newStream(b, reportBuffer, isReport)
}

func (b *border) admits(left *int) bool {
	b.mu.Lock()
	if *left > 0 {
		*left--
		b.mu.Unlock()
		return true
	}
	b.refused++
	over := b.refused > maxRefusedStreams
	b.mu.Unlock()
	if over {
		b.floods()
	}
	return false
}

// afford counts a packet and reports whether the peer may send it.
func (b *border) afford(size int, now time.Time) bool {
	b.mu.Lock()
	if now.Sub(b.window) >= rateWindow {
		b.window, b.packets, b.bytes = now, 0, 0
	}
	b.packets++
	b.bytes += size
	seconds := int(rateWindow / time.Second)
	over := b.packets > transport.MaxPacketRate*seconds || b.bytes > transport.MaxBitRate/8*seconds
	b.mu.Unlock()
	if over {
		b.floods()
	}
	return !over
}

func (b *border) floods() {
	b.mu.Lock()
	first := !b.flooded
	b.flooded = true
	b.mu.Unlock()
	if first {
		b.flood()
	}
}

// isMedia reports whether a packet is RTP of a payload type that was negotiated. The library would end a stream for
// one that was not.
func (b *border) isMedia(p []byte) bool {
	return len(p) >= 12 && len(p) <= packetSize && p[0]>>6 == 2 && b.types[p[1]&0x7F]
}

func isReport(p []byte) bool { return len(p) <= packetSize }

// stream is the buffer of one stream, from which the library reads.
type stream struct {
	*packetio.Buffer
	border *border
	passes func(packet []byte) bool
}

func newStream(b *border, limit int, passes func([]byte) bool) *stream {
	s := &stream{Buffer: packetio.NewBuffer(), border: b, passes: passes}
	s.SetLimitSize(limit)
	return s
}

// Write takes a packet, or drops it.
func (s *stream) Write(p []byte) (int, error) {
	if !s.border.afford(len(p), time.Now()) {
		return len(p), nil
	}
	if !s.passes(p) {
		s.border.dropped.Add(1)
		return len(p), nil
	}
	return s.Buffer.Write(p)
}

// refusedStream is the buffer of a stream that is not read.
type refusedStream struct{ border *border }

// Read says that the stream is over.
func (s refusedStream) Read([]byte) (int, error) { return 0, io.EOF }

// Write counts a packet and drops it.
func (s refusedStream) Write(p []byte) (int, error) {
	s.border.afford(len(p), time.Now())
	return len(p), nil
}

// Close does nothing.
func (s refusedStream) Close() error { return nil }
