package session

import (
	"context"
	"slices"
	"sync"
)

// Listener hands out the events of a session. Next belongs to one goroutine; Close may be called from any.
type Listener struct {
	board *board      // fixed
	kinds []EventKind // fixed; empty: all

	news chan struct{} // capacity 1; sent to by put and end, never closed

	mu    sync.Mutex // taken after board.mu
	queue []Event    // guarded by mu: at most one of each kind, by age
	err   error      // guarded by mu: what Next returns after the rest of the queue; nil: it waits
}

func newListener(b *board, kinds []EventKind) *Listener {
	return &Listener{board: b, kinds: kinds, news: make(chan struct{}, 1)}
}

// put keeps an event for Next, in place of an older one of its kind.
func (l *Listener) put(e Event) {
	if len(l.kinds) > 0 && !slices.Contains(l.kinds, e.Kind) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = slices.DeleteFunc(l.queue, func(o Event) bool { return o.Kind == e.Kind })
	l.queue = append(l.queue, e)
	l.wake()
}

func (l *Listener) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
	l.wake()
}

func (l *Listener) wake() {
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// Next waits for the next event. The first ones are the present state. A slow listener gets the newest event of
// each kind. It returns ErrSessionOver after the last event of the session, or after Close; a *Refusal with
// ReasonTooMany if the session has too many listeners; or ctx's error.
func (l *Listener) Next(ctx context.Context) (Event, error) {
	for {
		if e, ok, err := l.take(); ok {
			return e, err
		}
		select {
		case <-l.news:
		case <-ctx.Done():
			return Event{}, ctx.Err()
		}
	}
}

// take reports whether there is anything to return.
func (l *Listener) take() (e Event, ok bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) > 0 {
		e = l.queue[0]
		l.queue = l.queue[1:]
		return e, true, nil
	}
	return Event{}, l.err != nil, l.err
}

// Close ends the listening. It may be called twice.
func (l *Listener) Close() {
	l.board.remove(l)
	l.end(ErrSessionOver)
}
