package worker

import "golang.org/x/sys/unix"

func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0 // no Linux is without it
	}
	return t.Nano()
}
