package worker

import (
	"errors"
	"fmt"
	"time"

	"sluice/worker/wire"
)

// ErrClosed is what Next returns after Close, and Start after the end of Run.
var ErrClosed = errors.New("the worker was closed")

// NotInstalledError tells that the worker's program is not there.
type NotInstalledError struct {
	Name    string
	Path    string // where it should be; "" if it was looked for
	Install string
}

func (e *NotInstalledError) Error() string {
	where := "is not installed"
	if e.Path != "" {
		where = "is not at " + e.Path
	}
	if e.Install == "" {
		return e.Name + " " + where
	}
	return fmt.Sprintf("%s %s: %s", e.Name, where, e.Install)
}

// OffError tells that the configuration wants no such worker.
type OffError struct{ Name, Key string }

func (e *OffError) Error() string {
	if e.Key == "" {
		return e.Name + " is switched off"
	}
	return fmt.Sprintf("%s is switched off by %s", e.Name, e.Key)
}

// ExitError tells that the process ended by itself or was killed by somebody else.
type ExitError struct {
	Worker string
	Status string // "exited with status 2", "was killed by SIGSEGV"
	Stderr string // the last 4 kB of what it printed, without secrets
}

func (e *ExitError) Error() string { return e.Worker + " " + e.Status }

// Stderr is what the process printed last before an end that an error tells of; "" if nothing is known.
func Stderr(err error) string {
	var exit *ExitError
	var hung *HungError
	switch {
	case errors.As(err, &exit):
		return exit.Stderr
	case errors.As(err, &hung):
		return hung.Stderr
	}
	return ""
}

// HungError tells that the process was killed because it did not do something in time.
type HungError struct {
	Worker string
	What   string // "answered no ping"
	After  time.Duration
	Stderr string // as of ExitError
}

func (e *HungError) Error() string {
	return fmt.Sprintf("%s %s for %v and was killed", e.Worker, e.What, e.After)
}

// MemoryError tells that the process was killed because it took too much memory.
type MemoryError struct {
	Worker     string
	RSS, Limit int64 // bytes
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("%s used %d MB of memory, more than the %d MB that it may, and was killed", e.Worker, e.RSS>>20, e.Limit>>20)
}

// ProtocolError tells that the process was killed because it sent what is no message.
type ProtocolError struct {
	Worker string
	Err    error
}

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("%s does not speak as a worker does: %v", e.Worker, e.Err)
}

func (e *ProtocolError) Unwrap() error { return e.Err }

// VersionError tells that gateway and worker are of different releases.
type VersionError struct {
	Worker, Release string
	Version         int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%s of release %q speaks version %d of the protocol and the gateway version %d: install both of one release",
		e.Worker, e.Release, e.Version, wire.Version)
}
