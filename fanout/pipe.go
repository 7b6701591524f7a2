package fanout

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

const (
	// pipeQueue and pipeDatagram bound what waits for a handshake: the largest flight is a few packets.
	pipeQueue    = 16
	pipeDatagram = 2048
	// pipeBudget is how many datagrams a handshake takes in all. One on a bad network needs less than fifty.
	pipeBudget = 256
)

// pipe is the net.PacketConn of one session's DTLS: what deliver is given can be read, and what is written goes to a
// function. All methods may be called from any goroutine.
type pipe struct {
	remote net.Addr
	queue  chan []byte   // of pipeQueue; deliver sends, nobody closes
	closed chan struct{} // close closes it, once

	mu       sync.Mutex
	write    func([]byte) error // guarded by mu; nil: what is written is dropped
	secure   bool               // guarded by mu; only encrypted records are taken
	left     int                // guarded by mu; of pipeBudget
	deadline time.Time          // guarded by mu; of reading; zero: none
	timer    *time.Timer        // guarded by mu; wakes readers at the deadline
	changed  chan struct{}      // guarded by mu; closed and replaced when readers are to look at the deadline
}

func newPipe(remote netip.AddrPort, write func([]byte) error) *pipe {
	return &pipe{
		remote: net.UDPAddrFromAddrPort(remote), write: write, left: pipeBudget,
		queue: make(chan []byte, pipeQueue), closed: make(chan struct{}), changed: make(chan struct{}),
	}
}

// deliver copies a datagram into the queue, unless that is full or the session has had its share.
func (p *pipe) deliver(data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.secure {
		data = encrypted(data)
	}
	if len(data) == 0 || len(data) > pipeDatagram || len(p.queue) == cap(p.queue) || p.left == 0 {
		return
	}
	p.left--
	select {
	case p.queue <- append([]byte(nil), data...):
	default:
	}
}

// secureOnly makes deliver drop the plain records of anybody who writes from the viewer's address: they could end
// the connection (an alert) or have it send again what is not needed.
func (p *pipe) secureOnly() {
	p.mu.Lock()
	p.secure = true
	p.mu.Unlock()
}

// redirect changes where writes go; nil drops them.
func (p *pipe) redirect(write func([]byte) error) {
	p.mu.Lock()
	p.write = write
	p.mu.Unlock()
}

// close ends reading and writing. It may be called twice.
func (p *pipe) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isClosed() {
		return
	}
	close(p.closed)
	if p.timer != nil {
		p.timer.Stop()
	}
}

func (p *pipe) isClosed() bool {
	select {
	case <-p.closed:
		return true
	default:
		return false
	}
}

// ReadFrom returns the next datagram, net.ErrClosed, or os.ErrDeadlineExceeded.
func (p *pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		changed, late := p.lateness()
		if late {
			return 0, nil, os.ErrDeadlineExceeded
		}
		select {
		case <-p.closed:
			return 0, nil, net.ErrClosed
		case data := <-p.queue:
			return copy(b, data), p.remote, nil
		case <-changed:
		}
	}
}

// lateness reports whether the deadline has passed, and else which channel tells of a change.
func (p *pipe) lateness() (<-chan struct{}, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed, !p.deadline.IsZero() && !time.Now().Before(p.deadline)
}

// WriteTo hands a datagram over; whoever it is for is known.
func (p *pipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	p.mu.Lock()
	write := p.write
	p.mu.Unlock()
	switch {
	case p.isClosed():
		return 0, net.ErrClosed
	case write == nil:
		return len(b), nil
	}
	if err := write(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// SetReadDeadline applies to a reader that waits already, too.
func (p *pipe) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = t
	p.wake()
	if p.timer != nil {
		p.timer.Stop()
	}
	if !t.IsZero() && !p.isClosed() {
		p.timer = time.AfterFunc(time.Until(t), func() {
			p.mu.Lock()
			p.wake()
			p.mu.Unlock()
		})
	}
	return nil
}

// wake is called with mu held.
func (p *pipe) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// SetWriteDeadline does nothing: a write never waits.
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline is SetReadDeadline.
func (p *pipe) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// LocalAddr is of no use to anybody: the port has many.
func (p *pipe) LocalAddr() net.Addr { return &net.UDPAddr{} }

// Close is close, as net.PacketConn has it.
func (p *pipe) Close() error {
	p.close()
	return nil
}
