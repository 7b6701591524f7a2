package transport

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"
)

const (
	frameHead    = 2                // bytes: the length of what follows (RFC 4571 2)
	streamQueue  = 256 << 10        // bytes that wait for a slow connection, and as many in the system; more is lost
	streamChunk  = 32 << 10         // bytes written at once
	streamStall  = 10 * time.Second // a connection that takes nothing for so long is closed
	streamBuffer = 4 << 10          // bytes read at once
)

// StreamConn is a peer's TCP connection, whose packets are framed (RFC 4571). It is the end of a Path.
type StreamConn struct {
	conn  net.Conn
	path  Path      // fixed
	count *counters // fixed: the port's

	buffered *bufio.Reader // owned by the reader, like what follows
	frame    [frameHead + MaxDatagram]byte
	filled   int // bytes of frame; 0: it has none

	ready chan struct{} // capacity 1; sent to while something waits to be written, never closed
	done  chan struct{} // closed by Close
	once  sync.Once

	mu      sync.Mutex
	waiting []byte // guarded by mu: framed
}

func newStreamConn(c net.Conn, n *counters) *StreamConn {
	s := &StreamConn{
		conn: c, count: n, buffered: bufio.NewReaderSize(c, streamBuffer),
		ready: make(chan struct{}, 1), done: make(chan struct{}),
	}
	s.path = Path{Remote: addrPortOf(c.RemoteAddr()), Local: addrPortOf(c.LocalAddr()).Addr(), Conn: s}
	return s
}

// Done is closed when the connection is over: nothing that is sent arrives any more.
func (c *StreamConn) Done() <-chan struct{} { return c.done }

// Close ends the connection at once. It may be called twice, from any goroutine.
func (c *StreamConn) Close() {
	c.once.Do(func() {
		close(c.done)
		_ = c.conn.Close() // nothing is left to do about it
	})
}

// release gives the connection itself to somebody else.
func (c *StreamConn) release() { c.once.Do(func() { close(c.done) }) }

// readFrame reads the next packet and reports whether there is one: not at the connection's end, and not after a
// length that no packet has.
func (c *StreamConn) readFrame() bool {
	size := 0
	for c.filled = 0; size == 0; { // an empty one says nothing
		if _, err := io.ReadFull(c.buffered, c.frame[:frameHead]); err != nil {
			return false
		}
		size = int(binary.BigEndian.Uint16(c.frame[:]))
	}
	if size > MaxDatagram {
		return false
	}
	if _, err := io.ReadFull(c.buffered, c.frame[frameHead:frameHead+size]); err != nil {
		return false
	}
	c.filled = frameHead + size
	return true
}

// pass gives the packet that was read to the receiver.
func (c *StreamConn) pass(r Receiver) bool {
	c.count.in.add(1, c.filled-frameHead, 1)
	return r.Receive(c.frame[frameHead:c.filled], c.path)
}

// read gives packets to the receiver until the connection's end, or until the receiver has taken none for long.
func (c *StreamConn) read(r Receiver) {
	until := time.Now().Add(idleStream)
	_ = c.conn.SetReadDeadline(until) // fails only once it is closed
	for c.readFrame() {
		if now := time.Now(); c.pass(r) && until.Sub(now) < idleStream/2 {
			until = now.Add(idleStream)
			_ = c.conn.SetReadDeadline(until) // likewise
		}
	}
}

// head is all that was read of a connection whose first packet nobody has taken; nil if that never came.
func (c *StreamConn) head() []byte {
	if c.filled == 0 {
		return nil
	}
	more, _ := c.buffered.Peek(c.buffered.Buffered()) // has them all
	return append(append([]byte(nil), c.frame[:c.filled]...), more...)
}

// send queues a packet. It never waits: a peer that does not read loses whole packets.
func (c *StreamConn) send(data []byte) (Reason, bool) {
	select {
	case <-c.done:
		return Closed, false
	default:
	}
	if len(data) > MaxDatagram {
		return TooLarge, false
	}
	if !c.queue(data) {
		return Full, false
	}
	select {
	case c.ready <- struct{}{}:
	default:
	}
	return 0, true
}

// add sends a packet of a batch.
func (c *StreamConn) add(to *Destination, data []byte) {
	r, ok := c.send(data)
	if !ok {
		to.lose(1, r, 0)
		c.count.lost[r].Add(1)
		return
	}
	c.count.out.add(1, len(data), 1)
}

// writeOne sends one packet. The error is a *SendError.
func (c *StreamConn) writeOne(data []byte) error {
	r, ok := c.send(data)
	if !ok {
		c.count.lost[r].Add(1)
		return &SendError{Reason: r}
	}
	c.count.out.add(1, len(data), 1)
	return nil
}

func (c *StreamConn) queue(data []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting)+frameHead+len(data) > streamQueue {
		return false
	}
	c.waiting = binary.BigEndian.AppendUint16(c.waiting, uint16(len(data)))
	c.waiting = append(c.waiting, data...)
	return true
}

// swap takes what waits, and gives room for what comes meanwhile.
func (c *StreamConn) swap(room []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.waiting
	c.waiting = room[:0]
	return all
}

// write sends what is queued until Close, which it calls itself for a peer that takes nothing.
func (c *StreamConn) write() {
	var room []byte
	for {
		select {
		case <-c.ready:
		case <-c.done:
			return
		}
		all := c.swap(room)
		if !c.writeAll(all) {
			c.Close()
			return
		}
		if room = all; cap(room) > 2*streamChunk {
			room = nil // a burst's; what comes steadily needs less
		}
	}
}

func (c *StreamConn) writeAll(b []byte) bool {
	for len(b) > 0 {
		n := min(len(b), streamChunk)
		_ = c.conn.SetWriteDeadline(time.Now().Add(streamStall)) // fails only once it is closed
		if _, err := c.conn.Write(b[:n]); err != nil {
			return false
		}
		b = b[n:]
	}
	return true
}
