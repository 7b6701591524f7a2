package transport

import (
	"fmt"
	"syscall"
)

// Reason is why a datagram could not be sent.
type Reason uint8

// The reasons. Their text is a metric's label.
const (
	Full        Reason = iota // the socket's buffer was full, and stayed so for some milliseconds
	Unreachable               // no route, no such address of ours, no socket of that address family
	Forbidden                 // by the system's packet filter
	TooLarge                  // for the path, and must not be fragmented
	NoMemory                  // the system's queues are full
	Closed                    // the port
	Other
	reasons
)

func (r Reason) String() string {
	return [reasons]string{"buffer_full", "unreachable", "forbidden", "too_large", "no_memory", "closed", "other"}[r]
}

// SendError tells that a datagram could not be sent.
type SendError struct {
	Reason Reason
	Err    error // of the system; nil if it was not asked
}

func (e *SendError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("the datagram could not be sent: %v", e.Reason)
	}
	return fmt.Sprintf("the datagram could not be sent: %v: %v", e.Reason, e.Err)
}

func (e *SendError) Unwrap() error { return e.Err }

// reasonOf sorts what the system says.
func reasonOf(errno syscall.Errno) Reason {
	switch errno {
	case syscall.EAGAIN:
		return Full
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT, syscall.ENETDOWN, syscall.EINVAL:
		return Unreachable
	case syscall.EPERM, syscall.EACCES:
		return Forbidden
	case syscall.EMSGSIZE:
		return TooLarge
	case syscall.ENOBUFS, syscall.ENOMEM:
		return NoMemory
	}
	return Other
}
