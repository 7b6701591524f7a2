package worker

import (
	"bytes"
	"errors"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// socketpair makes a connection. Both descriptors are closed on exec, so that no worker inherits our end and never
// sees it closed.
func socketpair() (ours net.Conn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return connect(fds)
}

// residentMemory is what a process has in memory, in bytes; 0 if that can't be known.
func residentMemory(pid int) int64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	fields := bytes.Fields(b)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// machineMemory is what the machine has, in bytes; 0 if that can't be known.
func machineMemory() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	return int64(info.Totalram) * int64(info.Unit)
}

// killGroup kills a worker with all that it has started: each is a group of its own.
func killGroup(p *os.Process) error { return unix.Kill(-p.Pid, unix.SIGKILL) }

// endGroup waits for a worker to exit, and kills what it has started and left. Until it is reaped, its ID and that of
// its group are nobody else's.
func endGroup(pid int) {
	err := error(unix.EINTR)
	for errors.Is(err, unix.EINTR) {
		err = unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
	}
	if err == nil {
		_ = unix.Kill(-pid, unix.SIGKILL)
	}
}

// niceness of a process that gives way to others, and how often its threads are looked for: a thread that one already
// lowered makes is as low, so there are soon no others.
const (
	niceness = 5
	rounds   = 5
)

// lower makes all threads of a process give way to others. Linux counts niceness by thread.
func lower(pid int) {
	for range rounds {
		threads, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
		if err != nil {
			return
		}
		changed := false
		for _, t := range threads {
			tid, _ := strconv.Atoi(t.Name())
			// The system call gives 20 minus the niceness.
			if now, err := unix.Getpriority(unix.PRIO_PROCESS, tid); err == nil && 20-now < niceness {
				changed = unix.Setpriority(unix.PRIO_PROCESS, tid, niceness) == nil || changed
			}
		}
		if !changed {
			return
		}
	}
}
