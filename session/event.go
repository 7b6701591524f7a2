package session

import (
	"errors"
	"fmt"
	"slices"
	"sync"
)

// EventKind is what a viewer may be told while it watches (draft-ietf-wish-whep, server-sent events).
type EventKind string

// The kinds of events.
const (
	EventActive      EventKind = "active"      // the stream has a source
	EventInactive    EventKind = "inactive"    // it has none now
	EventLayers      EventKind = "layers"      // other layers than before, or another one is sent
	EventViewerCount EventKind = "viewercount" // another number of viewers, at most once a second
	EventReconnect   EventKind = "reconnect"   // the session ends now; a new one would go on
)

// Event is one of them.
type Event struct {
	Kind    EventKind
	Layers  []Layer // of EventLayers
	Viewers int     // of EventViewerCount
}

// Layer is one rendition, as viewers see it.
type Layer struct {
	RID           string // the rendition's name
	Width, Height int    // 0 if unknown
	Bitrate       int    // bit/s; 0 if unknown
	Active        bool   // it is the one being sent
}

// maxListeners is how many listeners a session may have.
const maxListeners = 100

// board is a session's events: the present state, and who listens.
type board struct {
	mu        sync.Mutex
	state     []Event                // guarded by mu: the newest of each kind, by age; active or inactive, not both
	listeners map[*Listener]struct{} // guarded by mu
	over      bool                   // guarded by mu
}

// post tells all listeners, unless the event is the state already.
func (b *board) post(e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if slices.ContainsFunc(b.state, e.same) {
		return
	}
	b.state = slices.DeleteFunc(b.state, e.outdates)
	b.state = append(b.state, e)
	for l := range b.listeners {
		l.put(e)
	}
}

// outdates reports whether o is no longer so after e.
func (e Event) outdates(o Event) bool {
	source := func(k EventKind) bool { return k == EventActive || k == EventInactive }
	return e.Kind == o.Kind || source(e.Kind) && source(o.Kind)
}

// same reports whether o tells nothing that e did not. Bit rates change all the time and do not count.
func (e Event) same(o Event) bool {
	return e.Kind == o.Kind && e.Viewers == o.Viewers && slices.EqualFunc(e.Layers, o.Layers, func(a, b Layer) bool {
		a.Bitrate, b.Bitrate = 0, 0
		return a == b
	})
}

// listen adds a listener, to which the present state is news.
func (b *board) listen(kinds []EventKind) *Listener {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := newListener(b, kinds)
	if !b.over && len(b.listeners) >= maxListeners {
		l.end(&Refusal{
			Reason: ReasonTooMany, RetryAfter: retryLimit,
			Err: fmt.Errorf("the session already has %d listeners", maxListeners),
		})
		return l
	}
	for _, e := range b.state {
		l.put(e)
	}
	if b.over {
		l.end(ErrSessionOver)
		return l
	}
	if b.listeners == nil {
		b.listeners = make(map[*Listener]struct{})
	}
	b.listeners[l] = struct{}{}
	return l
}

// listenedTo reports whether anybody listens.
func (b *board) listenedTo() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.listeners) > 0
}

func (b *board) remove(l *Listener) {
	b.mu.Lock()
	delete(b.listeners, l)
	b.mu.Unlock()
}

// close ends all listeners once they have been told the rest.
func (b *board) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	for l := range b.listeners {
		l.end(ErrSessionOver)
	}
	b.listeners = nil
}

// ErrSessionOver tells that there will be no more events.
var ErrSessionOver = errors.New("the session is over")
