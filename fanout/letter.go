package fanout

import (
	"io"
	"net"
	"sync"
	"time"
)

// letter is a net.PacketConn with one datagram to read, that nobody writes back to.
type letter struct {
	data   []byte
	from   net.Addr
	opened sync.Once
	done   sync.Once
	shut   sync.Once
	read   chan struct{} // closed when a second datagram is asked for
	closed chan struct{} // closed by Close
}

func newLetter(data []byte, from net.Addr) *letter {
	return &letter{data: data, from: from, read: make(chan struct{}), closed: make(chan struct{})}
}

// ReadFrom returns the datagram, and then io.EOF.
func (l *letter) ReadFrom(b []byte) (n int, from net.Addr, err error) {
	n, from, err = 0, nil, io.EOF
	l.opened.Do(func() { n, from, err = copy(b, l.data), l.from, nil })
	if err != nil {
		l.done.Do(func() { close(l.read) })
	}
	return n, from, err
}

// Close tells that the reader needs no more.
func (l *letter) Close() error {
	l.shut.Do(func() { close(l.closed) })
	return nil
}

// WriteTo drops what is written.
func (l *letter) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }

// LocalAddr is of no use to anybody.
func (l *letter) LocalAddr() net.Addr { return l.from }

// SetDeadline does nothing, like the two others: nothing waits.
func (l *letter) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (l *letter) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (l *letter) SetWriteDeadline(time.Time) error { return nil }
