//go:build capture

package main

/*
#ifdef __linux__
#include <sys/prctl.h>

// Each thread has the flag for itself and gives it to those that it starts: Go has none yet.
__attribute__((constructor)) static void give_up_new_rights(void) { prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L); }
#endif
*/
import "C"

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"sluice/worker/wire"
)

// monotonic is CLOCK_MONOTONIC in ns.
func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // every Unix has it
	}
	return t.Nano()
}

const (
	files  = 256   // descriptors that a capture has use for
	victim = "500" // how much sooner than others the system is to kill us when memory runs out (proc(5))
)

// restrict gives up what a worker does not need, and has the system choose us before the gateway when memory runs out.
// What can't be given up is not worth failing for. That we gain no rights by what we run is settled before Go starts.
func restrict(l wire.Limits) {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	n := uint64(cmp.Or(l.Files, files))
	_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: n})
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte(victim), 0)
}

// report tells the gateway each second how the worker does.
func (l *link) report(seen, sent *atomic.Uint64) {
	for range time.Tick(time.Second) {
		s := wire.Stats{In: seen.Load(), Out: sent.Load(), CPU: cpuTime(), RSS: resident()}
		s.Dropped = s.In - min(s.In, s.Out)
		if l.send(wire.JSON(wire.TypeStats, s)) != nil {
			return
		}
	}
}

func cpuTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is the memory in use, in bytes; 0 where there is no /proc.
func resident() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages int64
	if _, err := fmt.Fscan(bytes.NewReader(b), &size, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
