package turn

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// patience is how long a connection lives without an allocation, how long one message may take to arrive whole, and how
// long a client may not read what we write.
const patience = 10 * time.Second

// stream is one connection over TCP or TLS. Specification: RFC 8656 section 3.1 and, for padding, section 12.5.
type stream struct {
	conn   net.Conn
	client netip.AddrPort
	r      *bufio.Reader // owned by read

	mu       sync.Mutex
	relays   bool      // there is an allocation
	deadline time.Time // until there must be one

	writing sync.Mutex
	padded  []byte // guarded by writing
}

func newStream(conn net.Conn) *stream {
	return &stream{
		conn: conn, client: addrPort(conn.RemoteAddr()), r: bufio.NewReaderSize(conn, 4096),
		deadline: time.Now().Add(patience),
	}
}

var (
	errNotTURN = errors.New("neither STUN nor ChannelData")
	errNoAddr  = errors.New("a connection from no IP address")
)

// read returns one STUN message or ChannelData. Of a STUN message that buf can't hold only the header is left,
// as of one without attributes: no client sends such a request.
func (s *stream) read(buf []byte) (int, netip.AddrPort, error) {
	if !s.client.IsValid() {
		return 0, s.client, errNoAddr
	}
	for {
		n, err := s.message(buf)
		if err != nil || n > 0 {
			return n, s.client, err
		}
	}
}

// message is read with a length of 0 for ChannelData that buf can't hold.
func (s *stream) message(buf []byte) (int, error) {
	if err := s.await(); err != nil {
		return 0, err
	}
	head, err := s.r.Peek(channelHeader)
	if err != nil {
		return 0, err
	}
	stun := head[0]>>6 == 0
	if !stun && !isChannelData(head) {
		return 0, errNotTURN
	}
	size := channelHeader + int(binary.BigEndian.Uint16(head[2:]))
	if stun {
		size += headerSize - channelHeader
	}
	padded := (size + 3) &^ 3
	if padded <= len(buf) {
		_, err := io.ReadFull(s.r, buf[:padded])
		return size, err
	}
	return s.shortened(buf, stun, padded)
}

func (s *stream) shortened(buf []byte, stun bool, size int) (kept int, err error) {
	if stun {
		if _, err = io.ReadFull(s.r, buf[:headerSize]); err != nil {
			return 0, err
		}
		buf[2], buf[3] = 0, 0
		kept = headerSize
	}
	_, err = s.r.Discard(size - kept)
	return kept, err
}

// await waits for the first byte of a message as long as the allocation lives, and gives the rest a deadline.
func (s *stream) await() error {
	if s.r.Buffered() == 0 {
		if err := s.patient(); err != nil {
			return err
		}
		if _, err := s.r.Peek(1); err != nil {
			return err
		}
	}
	return s.hurry()
}

// patient sets the deadline for the next message.
func (s *stream) patient() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.relays {
		return s.conn.SetReadDeadline(time.Time{})
	}
	return s.conn.SetReadDeadline(s.deadline)
}

// hurry sets the deadline for the rest of a message.
func (s *stream) hurry() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	until := time.Now().Add(patience)
	if !s.relays && s.deadline.Before(until) {
		until = s.deadline
	}
	return s.conn.SetReadDeadline(until)
}

func (s *stream) relaying(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.relays = yes
	s.deadline = time.Now().Add(patience)
	if !yes {
		_ = s.conn.SetReadDeadline(s.deadline) // fails only on a closed connection
	}
}

// write closes a connection that takes nothing for a while: half a message may be on its way.
func (s *stream) write(p []byte, _ netip.AddrPort) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.padded = append(s.padded[:0], p...)
	for len(s.padded)%4 != 0 {
		s.padded = append(s.padded, 0)
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(patience)) // fails only on a closed connection
	_, err := s.conn.Write(s.padded)
	if err != nil {
		_ = s.conn.Close() // the writing error says it all
	}
	return err
}

func (s *stream) local() net.Addr { return s.conn.LocalAddr() }
func (s *stream) close() error    { return s.conn.Close() }
