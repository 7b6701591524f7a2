package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// readAhead is how much is read at once, so that small messages cost less than a system call each.
const readAhead = 32 << 10

// Reader cuts a stream of bytes into messages. It belongs to one goroutine.
type Reader struct {
	r      *bufio.Reader
	header [HeaderSize]byte
}

// NewReader reads messages from r, and ahead of them.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, readAhead)}
}

// Next waits for the next message. Its payload is fresh: it may be kept. Errors are *TooLargeError, io.EOF between two
// messages, io.ErrUnexpectedEOF within one, and those of the underlying reader; none can be recovered from.
func (r *Reader) Next() (Message, error) {
	if _, err := io.ReadFull(r.r, r.header[:]); err != nil {
		return Message{}, err
	}
	m, size := parseHeader(&r.header)
	if size > MaxPayload {
		return Message{}, &TooLargeError{Size: size}
	}
	if size == 0 {
		return m, nil
	}
	m.Payload = make([]byte, size)
	if _, err := io.ReadFull(r.r, m.Payload); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return Message{}, err
	}
	return m, nil
}

// The header, little endian: u32 length of the payload, u8 type, u8 track, u16 flags, i64 PTS, i64 DTS, i64 Ext.

func parseHeader(h *[HeaderSize]byte) (m Message, size int64) {
	le := binary.LittleEndian
	return Message{
		Type:  Type(h[4]),
		Track: h[5],
		Flags: Flags(le.Uint16(h[6:])),
		PTS:   int64(le.Uint64(h[8:])),
		DTS:   int64(le.Uint64(h[16:])),
		Ext:   int64(le.Uint64(h[24:])),
	}, int64(le.Uint32(h[:]))
}

func putHeader(h *[HeaderSize]byte, m *Message, size int) {
	le := binary.LittleEndian
	le.PutUint32(h[:], uint32(size))
	h[4], h[5] = byte(m.Type), m.Track
	le.PutUint16(h[6:], uint16(m.Flags))
	le.PutUint64(h[8:], uint64(m.PTS))
	le.PutUint64(h[16:], uint64(m.DTS))
	le.PutUint64(h[24:], uint64(m.Ext))
}
