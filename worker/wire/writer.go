package wire

import (
	"io"
	"net"
)

// Writer writes messages. It belongs to one goroutine, or callers hold a lock around Write.
type Writer struct {
	w      io.Writer
	header [HeaderSize]byte
	parts  net.Buffers // kept for its memory
	rest   net.Buffers // what of parts is not written yet
}

// NewWriter writes messages to w. A w that is a net.Conn costs one system call a message; any other is written to
// once for the header and once for each part of the payload.
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: w}
}

// Write writes one message, whose payload is m.Payload followed by parts, without joining them. It keeps none of
// them. The error is *TooLargeError, after which nothing has been written, or that of the underlying writer, after
// which the stream is of no more use.
func (w *Writer) Write(m *Message, parts ...[]byte) error {
	size := len(m.Payload)
	for _, p := range parts {
		size += len(p)
	}
	if size > MaxPayload {
		return &TooLargeError{Size: int64(size)}
	}
	putHeader(&w.header, m, size)
	w.parts = append(w.parts[:0], w.header[:])
	if len(m.Payload) > 0 {
		w.parts = append(w.parts, m.Payload)
	}
	for _, p := range parts {
		if len(p) > 0 {
			w.parts = append(w.parts, p)
		}
	}
	w.rest = w.parts
	_, err := w.rest.WriteTo(w.w)
	clear(w.parts)
	return err
}
