package turn

import (
	"sync"
	"time"
)

// revoked holds the ids that get no new allocations and no refreshes, each until no credential of it can be valid.
type revoked struct {
	mu    sync.Mutex
	until map[string]time.Time
	prune int // how many ids there may be before the old ones are looked for
}

const pruneFrom = 1024

func (r *revoked) add(id string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil {
		r.until, r.prune = make(map[string]time.Time), pruneFrom
	}
	if len(r.until) >= r.prune {
		r.forget(now)
		r.prune = max(pruneFrom, 2*len(r.until))
	}
	r.until[id] = now.Add(farthestExpiry + clockLeeway)
}

func (r *revoked) forget(now time.Time) {
	for id, until := range r.until {
		if now.After(until) {
			delete(r.until, id)
		}
	}
}

func (r *revoked) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, has := r.until[id]
	return has
}
