package session

import (
	"sync"
	"time"
)

const (
	historyLife = 10 * time.Minute // how long a session that never connected is remembered
	historySize = 200              // how many of them, the newest
)

// history remembers the sessions that ended without ever being connected.
type history struct {
	mu  sync.Mutex
	all []ended // guarded by mu; the oldest first
}

type ended struct {
	info Info
	at   time.Time
}

func (h *history) add(i Info, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forget(now)
	if len(h.all) == historySize {
		h.all = append(h.all[:0:0], h.all[1:]...)
	}
	h.all = append(h.all, ended{info: i, at: now})
}

// list is what is remembered, the oldest first.
func (h *history) list(now time.Time) []Info {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forget(now)
	infos := make([]Info, len(h.all))
	for i, e := range h.all {
		infos[i] = e.info
	}
	return infos
}

// forget needs the lock.
func (h *history) forget(now time.Time) {
	n := 0
	for n < len(h.all) && now.Sub(h.all[n].at) >= historyLife {
		n++
	}
	h.all = append(h.all[:0:0], h.all[n:]...)
}

// Ended lists the sessions that ended without ever being connected, for as long as they are remembered, the oldest first.
func (m *Manager) Ended() []Info { return m.history.list(time.Now()) }
