//go:build gstreamer

package main

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"

	"sluice/worker/wire"
)

// confine sets the limits of the process that only it can set for itself. Its memory is for the gateway to watch: a
// limit of the address space would stop what maps more than it fills, an encoder of 1080p 2.3 GB for 0.3 GB, and a
// driver all of its graphics card. That it gains no rights by what it runs is settled before Go starts its threads (see
// the shim).
func confine(job *wire.Job) error {
	if !job.Sandboxed {
		return nil
	}
	err := limit(syscall.RLIMIT_CORE, 0)
	if n := job.Limits.Files; n > 0 {
		err = errors.Join(err, limit(syscall.RLIMIT_NOFILE, uint64(n)))
	}
	return err
}

// victim is how much sooner than others the system kills a worker when memory runs out (proc(5), oom_score_adj): it is
// started again, and the gateway goes on.
const victim = 500

// yield has the system choose us before the gateway. A system that does not let us is no worse than before.
func yield() {
	const file = "/proc/self/oom_score_adj"
	b, err := os.ReadFile(file)
	if err != nil {
		return
	}
	if now, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && now < victim {
		_ = os.WriteFile(file, []byte(strconv.Itoa(victim)), 0)
	}
}

// limit lowers a resource's limit for good; one that is lower already stays.
func limit(resource int, n uint64) error {
	var now syscall.Rlimit
	if err := syscall.Getrlimit(resource, &now); err != nil {
		return err
	}
	if now.Max < n {
		return nil
	}
	return syscall.Setrlimit(resource, &syscall.Rlimit{Cur: n, Max: n})
}
