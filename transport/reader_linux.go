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
)

// reader reads one socket in batches. It belongs to one goroutine.
type reader struct {
	socket   *socket
	messages []mmsghdr
	iovecs   []unix.Iovec
	names    [][unix.SizeofSockaddrInet6]byte
	control  [][controlSize]byte
	data     []byte

	run   func(fd uintptr) bool // reads once; made once
	n     int                   // what it has read
	errno syscall.Errno         // or why not
}

func newReader(s *socket) *reader {
	r := &reader{
		socket: s, messages: make([]mmsghdr, readLen), iovecs: make([]unix.Iovec, readLen),
		names: make([][unix.SizeofSockaddrInet6]byte, readLen), control: make([][controlSize]byte, readLen),
		data: make([]byte, readLen*readBuffer),
	}
	for i := range r.messages {
		r.iovecs[i].Base = &r.data[i*readBuffer]
		r.iovecs[i].SetLen(readBuffer)
		h := &r.messages[i].hdr
		h.Name, h.Iov, h.Control = &r.names[i][0], &r.iovecs[i], &r.control[i][0]
		h.SetIovlen(1)
	}
	r.run = func(fd uintptr) bool {
		for i := range r.messages {
			r.messages[i].hdr.Namelen = unix.SizeofSockaddrInet6
			r.messages[i].hdr.SetControllen(controlSize)
		}
		r.n, r.errno = recvmmsg(fd, r.messages)
		return r.errno != syscall.EAGAIN
	}
	return r
}

// read reads the socket until ctx is done or it is closed.
func (s *socket) read(ctx context.Context, to Receiver, others *Others) error {
	r := newReader(s)
	var failed failures
	for {
		err := s.raw.Read(r.run)
		if err == nil && r.errno != 0 {
			err = r.errno
		}
		if err != nil {
			if err = failed.judge(ctx, err); err != nil || failed.over {
				return err
			}
			continue
		}
		failed.forget()
		for i := range r.n {
			r.pass(i, to, others)
		}
	}
}

// pass gives the datagrams of one message on.
func (r *reader) pass(i int, to Receiver, others *Others) {
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
		if !to.Receive(d, from) {
			others.put(d, from.Remote)
		}
	}
}
