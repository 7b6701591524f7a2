package peer

import (
	"io"
	"sync"

	"github.com/pion/transport/v4/packetio"
)

const (
	// streamsPerSection is how many RTP streams of one section are read (I31): media and retransmissions, and as many
	// again for a sender that starts over.
	streamsPerSection = 4
	// maxRefusedStreams is how many more are dropped before the peer is taken for an attacker: each costs memory.
	maxRefusedStreams = 64
	// streamBuffer bounds what waits to be read of one stream, in bytes.
	streamBuffer = 1_000_000
)

// streamLimit bounds the RTP streams of one connection. It is asked only for packets whose SRTP tag is right.
type streamLimit struct {
	mu      sync.Mutex
	allowed int // guarded by mu
	admit   int // guarded by mu
	refused int // guarded by mu
}

func (l *streamLimit) allow(n int) {
	l.mu.Lock()
	l.allowed += n
	l.mu.Unlock()
}

// buffer is asked by pion once for each new SSRC.
func (l *streamLimit) buffer(kind packetio.BufferPacketType, _ uint32) io.ReadWriteCloser {
	if kind == packetio.RTPBufferPacket && !l.admits() {
		return &discard{closed: make(chan struct{})}
	}
	b := packetio.NewBuffer()
	b.SetLimitSize(streamBuffer)
	return b
}

func (l *streamLimit) admits() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.admit == l.allowed {
		l.refused++
		return false
	}
	l.admit++
	return true
}

// exceeded reports that so many streams were refused that it is no mistake.
func (l *streamLimit) exceeded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refused > maxRefusedStreams
}

// discard is the buffer of a stream that is not read.
type discard struct {
	once   sync.Once
	closed chan struct{}
}

// Read waits for Close: there is never anything to read.
func (d *discard) Read([]byte) (int, error) {
	<-d.closed
	return 0, io.EOF
}

// Write drops a packet.
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

// Close lets readers go.
func (d *discard) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}
