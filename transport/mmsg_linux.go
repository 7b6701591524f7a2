package transport

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is the system's struct mmsghdr: a message, and how many bytes of it went or came.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// sendmmsg sends messages, at least one, and returns how many went; errno is about the first.
func sendmmsg(fd uintptr, messages []mmsghdr) (int, syscall.Errno) {
	return mmsg(unix.SYS_SENDMMSG, fd, messages)
}

// recvmmsg receives at least one message.
func recvmmsg(fd uintptr, messages []mmsghdr) (int, syscall.Errno) {
	return mmsg(unix.SYS_RECVMMSG, fd, messages)
}

// mmsg never blocks, so it is made without telling Go's scheduler: that would give the processor away in the middle of a
// batch, and have to get it back, at the price of some context switches.
func mmsg(call, fd uintptr, messages []mmsghdr) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(call, fd, uintptr(unsafe.Pointer(&messages[0])), uintptr(len(messages)), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// putHeader writes the head of a control message with so many bytes of data and returns the room for them, and the size
// of all.
func putHeader(b []byte, level, kind int32, data int) ([]byte, int) {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(data))
	return b[unix.CmsgLen(0):unix.CmsgLen(data)], unix.CmsgSpace(data)
}
