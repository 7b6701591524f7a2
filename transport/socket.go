package transport

import (
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"syscall"
)

// socketBuffer is what is asked of the kernel for each socket, in bytes each way.
const socketBuffer = 4 << 20

// keptSingles is how many goroutines may send single datagrams through a socket at a time without allocation.
const keptSingles = 16

// socket is one of those that share the port. Any goroutine may write to it; one reads.
type socket struct {
	conn     *net.UDPConn    // fixed
	raw      syscall.RawConn // fixed
	v6       bool            // fixed
	wildcard bool            // fixed: bound to all addresses of its family
	gro      bool            // fixed: the kernel may join datagrams that come in
	log      *slog.Logger    // fixed

	gso   atomic.Bool // the kernel cuts datagrams apart; never becomes true again
	count counters
	ones  chan *single // capacity keptSingles; those that nobody uses, never closed
}

func newSocket(c *net.UDPConn, v6, wildcard bool, o Options) (*socket, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("reach the socket: %w", err)
	}
	s := &socket{conn: c, raw: raw, v6: v6, wildcard: wildcard, log: o.Log, ones: make(chan *single, keptSingles)}
	_ = c.SetReadBuffer(socketBuffer)  // the kernel may give less
	_ = c.SetWriteBuffer(socketBuffer) // likewise
	s.prepare(o.GSO)
	return s, nil
}

// refuseGSO ends the use of UDP GSO on this socket for good.
func (s *socket) refuseGSO(err error) {
	if s.gso.CompareAndSwap(true, false) {
		s.log.Warn("the network can't cut UDP datagrams apart (GSO): they are sent one by one from now on", "err", err)
	}
}

// sent counts messages that are out.
func (s *socket) sent(messages []message) {
	datagrams, bytes := 0, 0
	for i := range messages {
		datagrams += messages[i].datagrams()
		bytes += len(messages[i].data)
	}
	s.count.out.add(datagrams, bytes, len(messages))
}

// lose counts a message that can't be sent.
func (s *socket) lose(m *message, r Reason, errno syscall.Errno) {
	n := m.datagrams()
	m.to.lose(n, r, errno)
	s.count.lost[r].Add(uint64(n))
}

// single sends one datagram, for whoever has no batch.
type single struct {
	to     Destination
	queue  [1]message
	sender *sender
}

func (s *socket) takeSingle() *single {
	select {
	case o := <-s.ones:
		return o
	default:
		return &single{sender: newSender(s, 1)}
	}
}

func (s *socket) keepSingle(o *single) {
	select {
	case s.ones <- o:
	default:
	}
}

func (o *single) send(data []byte, to Path) error {
	o.to = Destination{}
	o.to.set(to)
	o.queue[0] = message{to: &o.to, data: data, size: len(data)}
	o.sender.flush(o.queue[:])
	o.queue[0].data = nil
	return o.to.Fault()
}
