package peer

import (
	"sync"
	"time"
)

// wishInterval is the least time between two keyframe requests for one layer, whoever wants them.
const wishInterval = 500 * time.Millisecond

// wish merges the wishes for a keyframe of one layer: those of viewers, which the hub has merged already, and our own
// after a loss. One that comes too soon is kept, and is due after the interval unless a keyframe has come meanwhile.
type wish struct {
	mu   sync.Mutex
	last time.Time // guarded by mu: when one was let through
	kept bool      // guarded by mu
}

// ask reports whether the peer is to be asked now.
func (w *wish) ask(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept = !w.last.IsZero() && now.Sub(w.last) < wishInterval
	if !w.kept {
		w.last = now
	}
	return !w.kept
}

// due reports whether a kept wish is to be passed on now.
func (w *wish) due(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.kept || now.Sub(w.last) < wishInterval {
		return false
	}
	w.kept, w.last = false, now
	return true
}

// fulfilled is told of each keyframe.
func (w *wish) fulfilled() {
	w.mu.Lock()
	w.kept = false
	w.mu.Unlock()
}
