package transport

import (
	"context"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	readLen    = 16       // messages in one call of the system
	readBuffer = 64 << 10 // bytes of each: many datagrams, if the kernel has joined them
	readRounds = 16       // calls before it is looked at again whether reading is over
)

// reader reads one socket in batches. It belongs to one goroutine.
type reader struct {
	socket   *socket
	messages []mmsghdr
	iovecs   []unix.Iovec
	names    [][unix.SizeofSockaddrInet6]byte
	control  [][controlSize]byte
	data     []byte

	to     Receiver
	others *Others
	failed failures
	run    func(fd uintptr) bool                         // drain, made once
	call   func(uintptr, []mmsghdr) (int, syscall.Errno) // recvmmsg, or a test's
	errno  syscall.Errno                                 // why it has ended
}

func newReader(s *socket, to Receiver, others *Others) *reader {
	r := &reader{
		socket: s, messages: make([]mmsghdr, readLen), iovecs: make([]unix.Iovec, readLen),
		names: make([][unix.SizeofSockaddrInet6]byte, readLen), control: make([][controlSize]byte, readLen),
		data: make([]byte, readLen*readBuffer), to: to, others: others, call: recvmmsg,
	}
	for i := range r.messages {
		r.iovecs[i].Base = &r.data[i*readBuffer]
		r.iovecs[i].SetLen(readBuffer)
		h := &r.messages[i].hdr
		h.Name, h.Iov, h.Control = &r.names[i][0], &r.iovecs[i], &r.control[i][0]
		h.SetIovlen(1)
	}
	r.run = r.drain
	return r
}

// drain passes on what has come, and reports true if that failed, or if more comes all the time. With less than a full
// batch the socket was empty, and the poller tells of what comes since: asking for that too would be one more call for
// each datagram of a viewer's.
func (r *reader) drain(fd uintptr) bool {
	r.errno = 0
	for range readRounds {
		for i := range r.messages {
			r.messages[i].hdr.Namelen = unix.SizeofSockaddrInet6
			r.messages[i].hdr.SetControllen(controlSize)
		}
		n, errno := r.call(fd, r.messages)
		if errno != 0 {
			r.errno = errno
			return errno != syscall.EAGAIN
		}
		r.failed.forget()
		for i := range n {
			r.pass(i)
		}
		if n < readLen {
			return false
		}
	}
	return true
}

// read reads the socket until ctx is done or it is closed.
func (s *socket) read(ctx context.Context, to Receiver, others *Others) error {
	return newReader(s, to, others).read(ctx)
}

func (r *reader) read(ctx context.Context) error {
	for {
		err := r.socket.raw.Read(r.run) // sees deadlines and the end of the socket first
		switch {
		case err == nil && r.errno == 0:
			continue
		case err == nil:
			err = r.errno
		}
		if err = r.failed.judge(ctx, err); err != nil || r.failed.over {
			return err
		}
	}
}

// pass gives the datagrams of one message on.
func (r *reader) pass(i int) {
	m := &r.messages[i]
	if m.hdr.Flags&unix.MSG_TRUNC != 0 {
		r.socket.count.cut.Add(1)
		return
	}
	control := min(int(m.hdr.Controllen), controlSize)
	about := parseControl(r.control[i][:control])
	from := Path{Remote: remoteOf(r.names[i][:min(int(m.hdr.Namelen), unix.SizeofSockaddrInet6)]), Local: about.local}
	if !r.socket.wildcard {
		from.Local = netip.Addr{}
	}
	data := r.data[i*readBuffer:][:m.n]
	r.socket.count.in.add(parts(len(data), about.size), len(data), 1)
	for d := range split(data, about.size) {
		if !r.to.Receive(d, from) {
			r.others.put(d, from.Remote)
		}
	}
}
