package worker

import (
	"context"
	"sync"
	"time"

	"sluice/worker/wire"
)

// Starts beyond a burst are spread out, so that many streams on one dead device don't bring the machine down.
const (
	startBurst = 8
	startRate  = 2 // each second
)

// starts limits how often processes are started. Sources that fail again and again use up their own turns, and so do
// snapshots of a page full of streams, not those of what viewers wait for.
type starts struct{ viewers, streams, low *limiter }

func newStarts() starts {
	return starts{
		viewers: newLimiter(startRate, startBurst), streams: newLimiter(startRate, startBurst), low: newLimiter(startRate, startBurst),
	}
}

// of is the limit for a process. Warm ones, which have no role yet, are viewers' too.
func (s starts) of(spec *Spec) *limiter {
	if spec.Low {
		return s.low
	}
	switch spec.Job.Role {
	case wire.RoleSource, wire.RoleSink, wire.RoleDevice:
		return s.streams
	case wire.RoleTranscode, wire.RoleProbe, wire.RoleList:
	}
	return s.viewers
}

// limiter lets burst things happen at once and rate more of them each second.
type limiter struct {
	rate, burst float64 // fixed

	mu     sync.Mutex
	tokens float64
	last   time.Time
}

func newLimiter(rate, burst float64) *limiter {
	return &limiter{rate: rate, burst: burst, tokens: burst}
}

// take takes a token, also one that is not there yet, and tells how long to wait for it.
func (l *limiter) take(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refill(now)
	l.tokens--
	return time.Duration(max(-l.tokens, 0) / l.rate * float64(time.Second))
}

// try takes a token if one is there.
func (l *limiter) try(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refill(now)
	if l.tokens < 1 {
		return false
	}
	l.tokens--
	return true
}

func (l *limiter) refill(now time.Time) {
	if !l.last.IsZero() {
		l.tokens = min(l.burst, l.tokens+l.rate*now.Sub(l.last).Seconds())
	}
	l.last = now
}

// wait takes a token as soon as there is one.
func (l *limiter) wait(ctx context.Context) error {
	d := l.take(time.Now())
	if d == 0 {
		return nil
	}
	if err := sleep(ctx, d); err != nil {
		l.mu.Lock()
		l.tokens++
		l.mu.Unlock()
		return err
	}
	return nil
}

// sleep waits for d, or for the end of ctx, whose error it returns.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
