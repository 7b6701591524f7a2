//go:build gstreamer

package main

import (
	"bytes"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"sluice/worker/wire"
)

// counts are what any goroutine may count.
type counts struct {
	in, out, dropped atomic.Uint64
	pings            atomic.Int32
	pulling          sync.WaitGroup // the goroutines that pull
}

// report tells the gateway each second how the worker is.
func (w *worker) report() {
	for range time.Tick(time.Second) {
		w.send(wire.JSON(wire.TypeStats, w.stats()))
	}
}

func (w *worker) stats() wire.Stats {
	s := wire.Stats{
		In: w.counts.in.Load(), Out: w.counts.out.Load(), Dropped: w.counts.dropped.Load(),
		CPU: cpuTime(), RSS: residentBytes(),
	}
	if w.running.Load() != nil {
		for _, i := range w.inputs {
			frames, _ := i.src.Queued()
			s.Queue += frames
		}
	}
	return s
}

// cpuTime is the user and system time of the process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// residentBytes is the resident memory of the process: the second number of statm, which counts pages.
func residentBytes() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
