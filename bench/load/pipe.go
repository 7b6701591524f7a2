//go:build linux

package load

import (
	"bytes"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/transport/v4/deadline"
)

// pipe is the net.PacketConn of a viewer's DTLS: what it reads comes from the viewer's reader.
type pipe struct {
	viewer *Viewer
	remote net.Addr
	conn   *dtls.Conn // set once by the goroutine that joins

	in     chan []byte   // 64; sent by the reader, never closed
	ended  chan struct{} // closed by end
	once   sync.Once
	mute   atomic.Bool
	unread *deadline.Deadline
}

func newPipe(v *Viewer) *pipe {
	return &pipe{
		viewer: v, remote: net.UDPAddrFromAddrPort(v.answer.remote),
		in: make(chan []byte, 64), ended: make(chan struct{}), unread: deadline.New(),
	}
}

// receive takes a copy of a datagram; what nobody reads in time is lost.
func (p *pipe) receive(data []byte) {
	select {
	case p.in <- bytes.Clone(data):
	default:
	}
}

// end closes DTLS without a word to the server.
func (p *pipe) end() {
	p.mute.Store(true)
	p.once.Do(func() { close(p.ended) })
	if p.conn != nil {
		_ = p.conn.Close() // nothing was to be sent
	}
}

// ReadFrom implements net.PacketConn.
func (p *pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case data := <-p.in:
		return copy(b, data), p.remote, nil
	case <-p.unread.Done():
		return 0, nil, os.ErrDeadlineExceeded
	case <-p.ended:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo implements net.PacketConn.
func (p *pipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	if !p.mute.Load() {
		p.viewer.send(b)
	}
	return len(b), nil
}

// Close implements net.PacketConn.
func (p *pipe) Close() error {
	p.once.Do(func() { close(p.ended) })
	return nil
}

// LocalAddr implements net.PacketConn.
func (p *pipe) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(p.viewer.local) }

// SetDeadline implements net.PacketConn. Writing never waits.
func (p *pipe) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (p *pipe) SetReadDeadline(t time.Time) error {
	p.unread.Set(t)
	return nil
}

// SetWriteDeadline implements net.PacketConn.
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }
