package worker

import "time"

// epoch is one instant on both clocks: Go's, whose reading is hidden, and the system's. Both run alike.
var (
	epoch          = time.Now()
	epochMonotonic = monotonic()
)

// Monotonic is CLOCK_MONOTONIC in ns, as workers stamp frames of live sources with. It makes no system call.
func Monotonic() int64 { return epochMonotonic + int64(time.Since(epoch)) }

// At is the instant at which Monotonic was m.
func At(m int64) time.Time { return epoch.Add(time.Duration(m - epochMonotonic)) }
