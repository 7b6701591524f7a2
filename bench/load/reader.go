//go:build linux

package load

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What one call reads: some datagrams, each with what the kernel says of it.
const (
	batchSize   = 32
	datagram    = 2048
	runSize     = 65536 // of datagrams that the kernel put together
	controlSize = 128
	pollEvents  = 256
	pollTimeout = 200 // milliseconds, after which a reader looks whether it is to end
)

// reader reads the sockets of its viewers.
type reader struct {
	epoll  int
	events [pollEvents]unix.EpollEvent
	batch  batch // owned by run

	mu      sync.Mutex
	viewers map[int32]*Viewer // guarded by mu; by socket
}

func newReader(gro bool) (*reader, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("wait for sockets: %w", err)
	}
	size := datagram
	if gro {
		size = runSize
	}
	return &reader{epoll: epoll, batch: newBatch(size), viewers: map[int32]*Viewer{}}, nil
}

func (r *reader) close() { _ = unix.Close(r.epoll) }

// watch begins to read a viewer's socket.
func (r *reader) watch(v *Viewer) error {
	r.mu.Lock()
	r.viewers[int32(v.fd)] = v // one that is closed leaves the epoll by itself, and its place to the next
	r.mu.Unlock()
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(v.fd)}
	if err := unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, v.fd, &event); err != nil {
		return fmt.Errorf("watch a viewer's socket: %w", err)
	}
	return nil
}

// run reads until ctx is done.
func (r *reader) run(ctx context.Context) error {
	for ctx.Err() == nil {
		n, err := unix.EpollWait(r.epoll, r.events[:], pollTimeout)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("wait for datagrams: %w", err)
		}
		for _, e := range r.events[:n] {
			r.mu.Lock()
			v := r.viewers[e.Fd]
			r.mu.Unlock()
			v.read(&r.batch)
		}
	}
	return nil
}

// read takes what waits in the viewer's socket.
func (v *Viewer) read(b *batch) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fd < 0 {
		return
	}
	for i := range b.receive(v.fd) {
		data, segment, at := b.at(i)
		for len(data) > segment {
			v.receive(data[:segment], at)
			data = data[segment:]
		}
		v.receive(data, at)
	}
}

// message is struct mmsghdr of recvmmsg(2).
type message struct {
	header unix.Msghdr
	length uint32
}

// batch is room for what one recvmmsg reads.
type batch struct {
	messages []message
	data     [][]byte
	control  [][controlSize]byte
}

func newBatch(size int) batch {
	b := batch{messages: make([]message, batchSize), data: make([][]byte, batchSize), control: make([][controlSize]byte, batchSize)}
	parts := make([]unix.Iovec, batchSize)
	for i := range b.messages {
		b.data[i] = make([]byte, size)
		parts[i].Base = &b.data[i][0]
		parts[i].SetLen(size)
		h := &b.messages[i].header
		h.Iov, h.Control = &parts[i], &b.control[i][0]
		h.SetIovlen(1)
	}
	return b
}

// receive reads datagrams and returns how many. An error is that of an earlier write, or that nothing is there.
func (b *batch) receive(fd int) int {
	for i := range b.messages {
		b.messages[i].header.SetControllen(controlSize)
	}
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.messages[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// at is the i-th datagram, or run of datagrams of segment bytes, and when it came, 0 if the kernel doesn't say.
func (b *batch) at(i int) (data []byte, segment int, at int64) {
	m := &b.messages[i]
	data = b.data[i][:m.length]
	segment = len(data)
	control := b.control[i][:m.header.Controllen]
	for len(control) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		if int(h.Len) < unix.SizeofCmsghdr || int(h.Len) > len(control) {
			break
		}
		value := control[unix.SizeofCmsghdr:h.Len]
		switch {
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SCM_TIMESTAMPNS && len(value) >= 16:
			at = int64(binary.NativeEndian.Uint64(value))*1e9 + int64(binary.NativeEndian.Uint64(value[8:]))
		case h.Level == unix.SOL_UDP && h.Type == unix.UDP_GRO && len(value) >= 4:
			segment = int(binary.NativeEndian.Uint32(value))
		}
		control = control[min(len(control), unix.CmsgSpace(len(value))):]
	}
	return data, segment, at
}
