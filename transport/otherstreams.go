package transport

import (
	"net"
	"sync"
	"sync/atomic"
)

// OtherStreams is a net.Listener of the TCP connections whose first packet the port's receiver did not take, for
// pion's TCP mux; nil if there is no TCP port. What was read of a connection is read from it again.
func (p *Port) OtherStreams() net.Listener {
	if p.streams == nil {
		return nil
	}
	return p.streams.others
}

// otherStreams is a listener that is given its connections.
type otherStreams struct {
	addr   net.Addr      // fixed
	queue  chan net.Conn // capacity 16; sent to by hand, never closed
	closed chan struct{} // closed by Close
	once   sync.Once
	open   atomic.Int32 // connections handed out that are not closed
}

func newOtherStreams(a net.Addr) *otherStreams {
	return &otherStreams{addr: a, queue: make(chan net.Conn, 16), closed: make(chan struct{})}
}

// hand gives a connection to who accepts it, or closes it.
func (o *otherStreams) hand(c *replayed) {
	if o.open.Add(1) > maxHandedOut || !o.offer(c) {
		_ = c.Close() // nobody has used it
	}
}

func (o *otherStreams) offer(c net.Conn) bool {
	select {
	case <-o.closed:
		return false
	default:
	}
	select {
	case o.queue <- c:
		return true
	default:
		return false
	}
}

// Accept waits for a connection. After Close it returns net.ErrClosed.
func (o *otherStreams) Accept() (net.Conn, error) {
	select {
	case c := <-o.queue:
		return c, nil
	case <-o.closed:
		return nil, net.ErrClosed
	}
}

// Addr is the address of the TCP port.
func (o *otherStreams) Addr() net.Addr { return o.addr }

// Close ends Accept and closes what nobody has accepted. The port stays open. It may be called twice.
func (o *otherStreams) Close() error {
	o.once.Do(func() { close(o.closed) })
	for {
		select {
		case c := <-o.queue:
			_ = c.Close() // nobody has used it
		default:
			return nil
		}
	}
}

// replayed is a connection whose beginning was read already.
type replayed struct {
	net.Conn
	from *otherStreams
	head []byte // owned by the reader
	once sync.Once
}

// Read reads the beginning first.
func (r *replayed) Read(b []byte) (int, error) {
	if len(r.head) == 0 {
		return r.Conn.Read(b)
	}
	n := copy(b, r.head)
	r.head = r.head[n:]
	return n, nil
}

// Close closes the connection.
func (r *replayed) Close() error {
	r.once.Do(func() { r.from.open.Add(-1) })
	return r.Conn.Close()
}
