package worker

import (
	"sync"
	"time"
)

// watchdog remembers what a process did when, and tells when it is to be given up. It has no clock of its own.
type watchdog struct {
	worker string // fixed

	mu sync.Mutex
	watched
}

// watched is what is remembered of one job.
type watched struct {
	spec       Spec
	started    time.Time // or handed over
	ready      time.Time
	firstIn    time.Time
	unanswered time.Time // the oldest input after the last output
	lastIn     time.Time
	lastOut    time.Time
	pong       time.Time
	checked    time.Time
	offering   bool // an input waits for the process to take it
	blocked    bool // nobody takes what the process says: it can't be heard
}

// begin starts to count for a job.
func (w *watchdog) begin(s Spec, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched = watched{spec: s, started: now}
}

// isReady reports false if the process has said so before.
func (w *watchdog) isReady(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ready.IsZero() {
		return false
	}
	w.ready, w.pong = now, now
	return true
}

// offer tells whether an input waits to be taken: then input goes on, though what connects us is full. It holds a second
// of video, or less.
func (w *watchdog) offer(waits bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offering = waits
}

// input tells that the process has what was offered.
func (w *watchdog) input(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offering = false
	if w.firstIn.IsZero() {
		w.firstIn = now
	}
	if w.unanswered.IsZero() {
		w.unanswered = now
	}
	w.lastIn = now
}

func (w *watchdog) output(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastOut, w.unanswered = now, time.Time{}
	if w.offering { // what connects us is full: there is input in it that waits for an answer
		w.unanswered = now
	}
}

func (w *watchdog) answered(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pong = now
}

// block tells that the process can't be heard, and later that it can be again.
func (w *watchdog) block(blocked bool, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.blocked = blocked
	w.forgive(now)
}

// forgive begins to count anew what we may have missed ourselves.
func (w *watchdog) forgive(now time.Time) {
	w.pong = now
	if !w.unanswered.IsZero() {
		w.unanswered = now
	}
	if !w.lastOut.IsZero() {
		w.lastOut = now
	}
}

// check returns a *HungError when a deadline has passed.
func (w *watchdog) check(now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if late := now.Sub(w.checked); !w.checked.IsZero() && late > w.spec.Heartbeat/2 {
		w.forgive(now) // it was us who slept
	}
	w.checked = now
	if w.blocked {
		return nil
	}
	if w.ready.IsZero() {
		return w.hung("was not ready", w.spec.Start, w.started, now)
	}
	if err := w.hung("answered no ping", w.spec.Heartbeat, w.pong, now); err != nil {
		return err
	}
	return w.checkOutput(now)
}

func (w *watchdog) checkOutput(now time.Time) error {
	source := len(w.spec.Job.Inputs) == 0
	switch {
	case w.lastOut.IsZero() && source:
		return w.hung("gave no output", w.spec.FirstOutput, w.ready, now)
	case w.lastOut.IsZero():
		return w.hung("gave no output", w.spec.FirstOutput, w.firstIn, now)
	case source:
		return w.hung("fell silent", w.spec.Silence, w.lastOut, now)
	}
	last := w.lastIn
	if w.offering {
		last = now
	}
	return w.hung("fell silent", w.spec.Silence, w.unanswered, last)
}

// hung returns an error if the time from since, unless that is zero, to now has reached limit, unless that is zero.
func (w *watchdog) hung(what string, limit time.Duration, since, now time.Time) error {
	if limit <= 0 || since.IsZero() || now.Sub(since) < limit {
		return nil
	}
	return &HungError{Worker: w.worker, What: what, After: limit}
}

func (w *watchdog) heartbeat() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.spec.Heartbeat
}

// interval is how often check is to be called for deadlines to be kept well.
func (w *watchdog) interval() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.spec.Heartbeat
	for _, limit := range []time.Duration{w.spec.Start, w.spec.FirstOutput, w.spec.Silence} {
		if limit > 0 {
			d = min(d, limit)
		}
	}
	return min(max(d/20, 5*time.Millisecond), 100*time.Millisecond)
}
