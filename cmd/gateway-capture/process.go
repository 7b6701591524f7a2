//go:build capture

package main

import (
	"bytes"
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

// restrict gives up what a worker does not need. What can't be given up is not worth failing for.
func restrict(l wire.Limits) {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	if l.Files > 0 {
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(l.Files), Max: uint64(l.Files)})
	}
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
