package turn

import (
	"container/heap"
	"sync"
	"time"
)

// revoked holds the ids that get no new allocations and no refreshes, each until no credential of it can be valid.
type revoked struct {
	mu    sync.Mutex
	until map[string]int64 // Unix seconds
	ends  ends
}

// add has no id forgotten before its end. One that ends later than any credential may is taken for that late.
func (r *revoked) add(id string, until, now time.Time) {
	if farthest := now.Add(farthestExpiry); until.After(farthest) {
		until = farthest
	}
	second := until.Add(clockLeeway).Unix()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(now.Unix())
	if second <= max(now.Unix(), r.until[id]) {
		return
	}
	if r.until == nil {
		r.until = make(map[string]int64)
	}
	r.until[id] = second
	heap.Push(&r.ends, end{second, id})
}

// forget takes two at most, so that nobody waits while thousands go: more go than come.
func (r *revoked) forget(now int64) {
	for range 2 {
		if len(r.ends) == 0 || r.ends[0].at >= now {
			return
		}
		gone, _ := heap.Pop(&r.ends).(end)
		if r.until[gone.id] == gone.at {
			delete(r.until, gone.id)
		}
	}
}

func (r *revoked) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, has := r.until[id]
	return has
}

// end is when an id may be forgotten, unless it was added anew with a later one.
type end struct {
	at int64 // Unix seconds
	id string
}

// ends is a heap, the earliest first.
type ends []end

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i].at < e[j].at }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }

// Push is heap.Interface's.
func (e *ends) Push(x any) {
	next, _ := x.(end)
	*e = append(*e, next)
}

// Pop is heap.Interface's.
func (e *ends) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
