package hub

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Waker is told when there may be something to read. Wake is called on the writer's goroutine and must not block.
// Wakers are compared with ==, so they are pointers.
type Waker interface{ Wake() }

// wakeChannel is the waker of one subscriber alone; its capacity is 1.
type wakeChannel chan struct{}

// Wake implements Waker.
func (c wakeChannel) Wake() {
	select {
	case c <- struct{}{}:
	default:
	}
}

// waiters is who waits for the next unit of a rendition.
type waiters struct {
	wakers atomic.Pointer[[]Waker] // each one once; replaced as a whole under mu, read by wake without it

	mu          sync.Mutex
	subscribers map[*Subscriber]struct{} // guarded by mu; nil before the first
	shared      map[Waker]int            // guarded by mu: how many of the subscribers each waker serves
}

// wake lets every waiter look again; it never blocks.
func (w *waiters) wake() {
	all := w.wakers.Load()
	if all == nil {
		return
	}
	for _, one := range *all {
		one.Wake()
	}
}

func (w *waiters) add(sub *Subscriber) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.subscribers == nil {
		w.subscribers, w.shared = make(map[*Subscriber]struct{}), make(map[Waker]int)
		w.wakers.Store(new([]Waker))
	}
	w.subscribers[sub] = struct{}{}
	w.shared[sub.waker]++
	if w.shared[sub.waker] == 1 {
		all := append(slices.Clone(*w.wakers.Load()), sub.waker)
		w.wakers.Store(&all)
	}
}

// remove may be called for a subscriber that does not wait.
func (w *waiters) remove(sub *Subscriber) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.subscribers[sub]; !ok {
		return
	}
	delete(w.subscribers, sub)
	w.shared[sub.waker]--
	if w.shared[sub.waker] > 0 {
		return
	}
	delete(w.shared, sub.waker)
	all := slices.DeleteFunc(slices.Clone(*w.wakers.Load()), func(one Waker) bool { return one == sub.waker })
	w.wakers.Store(&all)
}
