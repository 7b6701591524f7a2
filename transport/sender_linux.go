package transport

import (
	"encoding/binary"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	vectorLen = 16                   // messages in one call of the system, which the garbage collector may have to wait for
	patience  = 5 * time.Millisecond // how long one flush waits for room in the socket's buffer
)

// sender sends messages through one socket. It belongs to one goroutine.
type sender struct {
	socket   *socket
	messages []mmsghdr
	iovecs   []unix.Iovec
	control  [][controlSize]byte
	singly   []message // what a message is made of that the kernel can't cut apart

	run   func(fd uintptr)                              // of the socket; made once
	call  func(uintptr, []mmsghdr) (int, syscall.Errno) // sendmmsg, or a test's
	await func(fd uintptr, limit time.Duration) bool    // for room in the buffer; false: it took too long

	queue []message // of this flush
	fd    uintptr   // likewise
	until time.Time // likewise: when patience ends; zero: it was not needed yet
}

func newSender(s *socket, n int) *sender {
	o := &sender{
		socket: s, messages: make([]mmsghdr, n), iovecs: make([]unix.Iovec, n), control: make([][controlSize]byte, n),
		call: sendmmsg, await: awaitWritable,
	}
	o.run = func(fd uintptr) {
		o.fd, o.until = fd, time.Time{}
		o.deliver(o.queue)
	}
	return o
}

// flush sends messages in their order. What can't be sent is counted.
func (o *sender) flush(queue []message) {
	o.queue = queue
	if err := o.socket.raw.Control(o.run); err != nil {
		for i := range queue {
			o.socket.lose(&queue[i], Closed, 0)
		}
	}
	o.queue = nil
}

func (o *sender) deliver(queue []message) {
	for len(queue) > 0 {
		m := &queue[0]
		if !o.whole(m) {
			o.deliverSingly(m)
			queue = queue[1:]
			continue
		}
		n, errno := o.call(o.fd, o.fill(queue))
		switch {
		case errno == 0:
			o.socket.sent(queue[:n])
			queue = queue[n:]
		case o.isDone(m, errno):
			queue = queue[1:]
		}
	}
}

// whole reports whether the kernel may be given a message as it is.
func (o *sender) whole(m *message) bool {
	return len(m.data) <= m.size || o.socket.gso.Load() && !m.to.plain.Load()
}

// deliverSingly sends the datagrams of a message one by one.
func (o *sender) deliverSingly(m *message) {
	if o.singly == nil {
		o.singly = make([]message, 0, maxSegments)
	}
	o.singly = o.singly[:0]
	for at := 0; at < len(m.data); at += m.size {
		d := m.datagram(at)
		o.singly = append(o.singly, message{to: m.to, data: d, size: len(d)})
	}
	o.deliver(o.singly)
	clear(o.singly)
}

// isDone says what becomes of a message that the system has refused: true if it was sent after all or is lost, false
// if it is to be tried again, for which something has changed then.
func (o *sender) isDone(m *message, errno syscall.Errno) bool {
	joined := len(m.data) > m.size
	switch errno {
	case syscall.EINTR:
		return false
	case syscall.EAGAIN:
		if o.wait() {
			return false
		}
	case syscall.EIO:
		if joined {
			o.socket.refuseGSO(errno)
			return false
		}
	case syscall.ENETUNREACH, syscall.EADDRNOTAVAIL:
		if o.sendAdrift(m) {
			return true
		}
	case syscall.EINVAL, syscall.EMSGSIZE:
		if errno == syscall.EINVAL && o.sendAdrift(m) {
			return true
		}
		if joined {
			m.to.plain.Store(true)
			return false
		}
	}
	o.socket.lose(m, reasonOf(errno), errno)
	return true
}

// sendAdrift tries a message without its source address, which may be ours no more.
func (o *sender) sendAdrift(m *message) bool {
	if m.to.name.sourceLen == 0 || m.to.adrift.Swap(true) {
		return false
	}
	if n, _ := o.call(o.fd, o.fillOne(m)); n == 1 {
		o.socket.sent([]message{*m})
		return true
	}
	m.to.adrift.Store(false) // that was not the reason
	return false
}

// wait waits for room in the socket's buffer, in all at most patience for one flush.
func (o *sender) wait() bool {
	now := time.Now()
	if o.until.IsZero() {
		o.until = now.Add(patience)
	}
	left := o.until.Sub(now)
	return left > 0 && o.await(o.fd, left)
}

func awaitWritable(fd uintptr, limit time.Duration) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	ms := int((limit + time.Millisecond - 1) / time.Millisecond)
	n, err := unix.Poll(p, ms)
	return n > 0 || err == unix.EINTR
}

// fill prepares as many messages as one call takes, up to one that must be cut apart first.
func (o *sender) fill(queue []message) []mmsghdr {
	n := min(len(queue), len(o.messages))
	for i := range n {
		if i > 0 && !o.whole(&queue[i]) {
			return o.messages[:i]
		}
		o.prepare(i, &queue[i])
	}
	return o.messages[:n]
}

func (o *sender) fillOne(m *message) []mmsghdr {
	o.prepare(0, m)
	return o.messages[:1]
}

func (o *sender) prepare(i int, m *message) {
	o.iovecs[i].Base = &m.data[0]
	o.iovecs[i].SetLen(len(m.data))
	h := &o.messages[i].hdr
	h.Name, h.Namelen = &m.to.name.name[0], m.to.name.nameLen
	h.Iov = &o.iovecs[i]
	h.SetIovlen(1)
	control := o.controlOf(o.control[i][:], m)
	h.Control = nil
	if control > 0 {
		h.Control = &o.control[i][0]
	}
	h.SetControllen(control)
}

// controlOf writes where a message comes from and how it is cut apart, and returns the size of that.
func (o *sender) controlOf(b []byte, m *message) int {
	n := 0
	if a := &m.to.name; a.sourceLen > 0 && !m.to.adrift.Load() {
		n = copy(b, a.source[:a.sourceLen])
	}
	if len(m.data) > m.size {
		data, size := putHeader(b[n:], unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2)
		binary.NativeEndian.PutUint16(data, uint16(m.size))
		n += size
	}
	return n
}
