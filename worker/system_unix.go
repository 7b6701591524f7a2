//go:build unix

package worker

import (
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// connect makes a connection of one descriptor and a file of the other.
func connect(fds [2]int) (ours net.Conn, theirs *os.File, err error) {
	f := os.NewFile(uintptr(fds[0]), "worker")
	defer f.Close() // net.FileConn has its own
	theirs = os.NewFile(uintptr(fds[1]), "gateway")
	if ours, err = net.FileConn(f); err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return ours, theirs, nil
}

// exitStatus says in words how a process ended, with the cause that it printed itself.
func exitStatus(state *os.ProcessState, cause string) string {
	if state == nil {
		return "can't be killed"
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok {
		return "ended: " + state.String()
	}
	if status.Signaled() {
		return "was killed by " + signalName(status.Signal())
	}
	text := fmt.Sprintf("exited with status %d", status.ExitStatus())
	if cause != "" {
		text += " (" + cause + ")"
	}
	return text
}

func signalName(s syscall.Signal) string {
	if name := unix.SignalName(s); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", int(s))
}
