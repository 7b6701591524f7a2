package session

import "time"

// idleTimer runs while the stream has no source.
type idleTimer struct {
	limit time.Duration
	timer *time.Timer // nil while there is a source
}

func (t *idleTimer) update(hasSource bool) {
	switch {
	case hasSource && t.timer != nil:
		t.timer.Stop()
		t.timer = nil
	case !hasSource && t.timer == nil:
		t.timer = time.NewTimer(t.limit)
	}
}

func (t *idleTimer) expired() <-chan time.Time {
	if t.timer == nil {
		return nil
	}
	return t.timer.C
}
