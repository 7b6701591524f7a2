package transport

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// What waits for the reader of Others.
const (
	othersQueue = 2048 // datagrams
	othersSize  = 8192 // bytes of one; larger ones are dropped
)

// Others is a net.PacketConn of what the port's receiver did not take, for pion's UDP mux (ice.AddrPortReaderWriter).
// It takes and gives addresses without allocation, IPv4 ones never in their IPv6 form. Write deadlines do nothing:
// pion/ice sets one on the whole socket when a single connection ends, at which packets of all others would be lost.
// All methods may be called from any goroutine.
type Others struct {
	port      *Port         // fixed
	ready     chan struct{} // capacity 1; sent to while something waits, never closed
	closed    chan struct{} // closed by Close
	once      sync.Once
	deadline  deadline
	overflows atomic.Uint64

	mu          sync.Mutex
	ring        [othersQueue]waiting // guarded by mu
	head, count int                  // guarded by mu
}

// waiting is a place for one datagram. Its memory is used again.
type waiting struct {
	data []byte
	from netip.AddrPort
}

func newOthers(p *Port) *Others {
	return &Others{port: p, ready: make(chan struct{}, 1), closed: make(chan struct{}), deadline: newDeadline()}
}

// put keeps a copy of a datagram, unless too many wait already.
func (o *Others) put(data []byte, from netip.AddrPort) {
	if len(data) > othersSize || !o.keep(data, from) {
		o.overflows.Add(1)
		return
	}
	o.signal()
}

func (o *Others) keep(data []byte, from netip.AddrPort) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.count == othersQueue {
		return false
	}
	w := &o.ring[(o.head+o.count)%othersQueue]
	w.data = append(w.data[:0], data...)
	w.from = from
	o.count++
	return true
}

func (o *Others) signal() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// take copies the oldest datagram; more tells that it was not the last.
func (o *Others) take(b []byte) (n int, from netip.AddrPort, ok, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.count == 0 {
		return 0, netip.AddrPort{}, false, false
	}
	w := &o.ring[o.head]
	o.head = (o.head + 1) % othersQueue
	o.count--
	return copy(b, w.data), w.from, true, o.count > 0
}

// ReadFromAddrPort reads one datagram; what is longer than b is lost. Errors are net.ErrClosed and
// os.ErrDeadlineExceeded.
func (o *Others) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		late := o.deadline.passed()
		select {
		case <-o.closed:
			return 0, netip.AddrPort{}, net.ErrClosed
		case <-late:
			return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
		default:
		}
		if n, from, ok, more := o.take(b); ok {
			if more {
				o.signal()
			}
			return n, from, nil
		}
		select {
		case <-o.ready:
		case <-o.closed:
		case <-late:
		}
	}
}

// ReadFrom is ReadFromAddrPort with a *net.UDPAddr.
func (o *Others) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := o.ReadFromAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// WriteToAddrPort sends one datagram at once.
func (o *Others) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	select {
	case <-o.closed:
		return 0, net.ErrClosed
	default:
	}
	if err := o.port.WriteTo(b, Path{Remote: to}); err != nil {
		return 0, err
	}
	return len(b), nil
}

// WriteTo is WriteToAddrPort for a *net.UDPAddr.
func (o *Others) WriteTo(b []byte, to net.Addr) (int, error) {
	a, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, net.InvalidAddrError("it is no UDP address")
	}
	return o.WriteToAddrPort(b, a.AddrPort())
}

// LocalAddr is the port's, a *net.UDPAddr.
func (o *Others) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(o.port.addr) }

// Close ends reads with net.ErrClosed. The port stays open. It may be called twice.
func (o *Others) Close() error {
	o.once.Do(func() {
		o.deadline.set(time.Time{}) // leaves no timer behind
		close(o.closed)
	})
	return nil
}

// SetReadDeadline says until when reads wait; the zero time: for ever.
func (o *Others) SetReadDeadline(t time.Time) error {
	o.deadline.set(t)
	return nil
}

// SetDeadline sets the deadline of reads only.
func (o *Others) SetDeadline(t time.Time) error { return o.SetReadDeadline(t) }

// SetWriteDeadline does nothing.
func (o *Others) SetWriteDeadline(time.Time) error { return nil }
