//go:build unix && !linux

package worker

import (
	"net"
	"os"
	"syscall"
)

// killGroup kills a worker; what it has started is left.
func killGroup(p *os.Process) error { return p.Kill() }

func endGroup(int) {}

func socketpair() (ours net.Conn, theirs *os.File, err error) {
	syscall.ForkLock.RLock() // no process may be started before the descriptors are closed on exec
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return connect(fds)
}
