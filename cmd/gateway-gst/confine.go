//go:build gstreamer

package main

import (
	"errors"
	"syscall"

	"sluice/worker/wire"
)

// spareAddresses is address space beyond the job's memory: threads reserve stacks and heaps that they never fill.
const spareAddresses = 2 << 30

// confine sets the limits of the process that only it can set for itself. That it gains no rights by what it runs is
// settled before Go starts its threads (see the shim).
func confine(job *wire.Job) error {
	if !job.Sandboxed {
		return nil
	}
	err := limit(syscall.RLIMIT_CORE, 0)
	if n := job.Limits.Files; n > 0 {
		err = errors.Join(err, limit(syscall.RLIMIT_NOFILE, uint64(n)))
	}
	if n := job.Limits.MemoryBytes; n > 0 {
		err = errors.Join(err, limit(syscall.RLIMIT_AS, uint64(mappedBytes()+n+spareAddresses)))
	}
	return err
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
