package transcode

import (
	"context"
	"sync"
	"time"
)

// keyframeInterval is the least time between two requests to one encoder.
const keyframeInterval = 500 * time.Millisecond

// keyframeMerger merges wishes for a keyframe to one each keyframeInterval. One that comes too soon is kept, unless a
// keyframe comes meanwhile.
type keyframeMerger struct {
	mu   sync.Mutex
	last time.Time     // guarded by mu; when the last wish was let through
	kept bool          // guarded by mu
	wake chan struct{} // guarded by mu; closed and renewed by each wish
}

func (k *keyframeMerger) ask() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = true
	if k.wake != nil {
		close(k.wake)
		k.wake = nil
	}
}

// came is told of each keyframe.
func (k *keyframeMerger) came() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = false
}

// run calls request for the wishes, until ctx is done.
func (k *keyframeMerger) run(ctx context.Context, request func()) error {
	for {
		wait, wake := k.next(request)
		var due <-chan time.Time
		if wait > 0 {
			due = time.After(wait)
		}
		select {
		case <-due:
		case <-wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// next lets a wish through that is due, or says how long one has to wait.
func (k *keyframeMerger) next(request func()) (wait time.Duration, wake <-chan struct{}) {
	k.mu.Lock()
	if k.wake == nil {
		k.wake = make(chan struct{})
	}
	wake = k.wake
	wait = keyframeInterval - time.Since(k.last)
	due := k.kept && (wait <= 0 || k.last.IsZero())
	if due {
		k.kept, k.last = false, time.Now()
	}
	if !k.kept {
		wait = 0
	}
	k.mu.Unlock()
	if due {
		request()
	}
	return wait, wake
}
