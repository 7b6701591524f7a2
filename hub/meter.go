package hub

import (
	"sync/atomic"
	"time"
)

// meterWindow is the time over which a bitrate is measured.
const meterWindow = 2 * time.Second

// meter measures a bitrate over one window after the other, by the arrival of the units. One goroutine at a time
// adds; any reads rate.
type meter struct {
	since time.Time    // owned by who adds; start of the window
	bytes int64        // owned by who adds; of the window
	rate  atomic.Int64 // bit/s of the window before; 0 in the first
}

func (m *meter) add(bytes int, arrived time.Time) {
	elapsed := arrived.Sub(m.since)
	switch {
	case m.since.IsZero() || elapsed < 0:
		m.since, m.bytes = arrived, 0
	case elapsed >= meterWindow:
		m.rate.Store(int64(float64(m.bytes*8) / elapsed.Seconds()))
		m.since, m.bytes = arrived, 0
	}
	m.bytes += int64(bytes)
}
