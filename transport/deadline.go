package transport

import (
	"sync"
	"time"
)

// deadline is a time that others wait for, and that may be moved meanwhile.
type deadline struct {
	mu    sync.Mutex
	timer *time.Timer   // guarded by mu; nil if none runs
	late  chan struct{} // guarded by mu; closed when the time has come
}

func newDeadline() deadline { return deadline{late: make(chan struct{})} }

// passed is closed when the time has come.
func (d *deadline) passed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.late
}

// set moves the deadline. Whoever waits for the old one goes on waiting for that channel if the time is put off once
// it has come.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.late // the timer's function is running, and closes it
	}
	d.timer = nil
	if d.came() {
		d.late = make(chan struct{})
	}
	if t.IsZero() {
		return
	}
	late := d.late
	if wait := time.Until(t); wait > 0 {
		d.timer = time.AfterFunc(wait, func() { close(late) })
		return
	}
	close(late)
}

func (d *deadline) came() bool {
	select {
	case <-d.late:
		return true
	default:
		return false
	}
}
