package session

import (
	"fmt"
	"slices"
	"sync"

	"sluice/auth"
)

// desk is where publishers claim their stream: one publishes, and each that comes later takes over once it is
// connected.
type desk struct {
	mu     sync.Mutex
	claims map[string][]*claim // guarded by mu; by stream, in the order in which they came
}

// claim is one publisher's, from before its connection is made until it has let go of the stream.
type claim struct {
	stream    string
	principal *auth.Principal

	replaced  chan struct{} // closed when a newer one takes over
	cut       bool          // guarded by desk.mu: replaced is closed
	left      chan struct{} // closed when nothing is published under the claim any more
	leaveOnce sync.Once
}

func newDesk() *desk { return &desk{claims: make(map[string][]*claim)} }

// BusyError tells that somebody publishes to the stream already.
type BusyError struct {
	Stream string
	Own    bool // it is the same principal, whom the stream's policy does not let take over
}

func (e *BusyError) Error() string {
	if e.Own {
		return fmt.Sprintf("you already publish to stream %q, which does not let a new session take over (on_conflict = \"reject\")", e.Stream)
	}
	return fmt.Sprintf("somebody else already publishes to stream %q", e.Stream)
}

// enter claims a stream, or returns *BusyError.
func (d *desk) enter(stream string, principal *auth.Principal, policy Conflict) (*claim, error) {
	c := &claim{stream: stream, principal: principal, replaced: make(chan struct{}), left: make(chan struct{})}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, other := range d.claims[stream] {
		own := samePrincipal(other.principal, principal)
		if !own || policy == ConflictReject {
			return nil, &BusyError{Stream: stream, Own: own}
		}
	}
	d.claims[stream] = append(d.claims[stream], c)
	return c, nil
}

// samePrincipal reports whether two claims are of one publisher. Anonymous is nobody, so never the one who was there before (A14).
func samePrincipal(a, b *auth.Principal) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Name == b.Name && !a.Anonymous
}

// take ends all claims that are older, and returns what is to be waited for: they have let go of the stream.
func (d *desk) take(c *claim) []<-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	var waits []<-chan struct{}
	for _, older := range d.claims[c.stream] {
		if older == c {
			break
		}
		if !older.cut {
			older.cut = true
			close(older.replaced)
		}
		waits = append(waits, older.left)
	}
	return waits
}

// leave gives a claim up. It may be called twice.
func (d *desk) leave(c *claim) {
	c.leaveOnce.Do(func() {
		d.mu.Lock()
		d.claims[c.stream] = slices.DeleteFunc(d.claims[c.stream], func(o *claim) bool { return o == c })
		if len(d.claims[c.stream]) == 0 {
			delete(d.claims, c.stream)
		}
		d.mu.Unlock()
		close(c.left)
	})
}

// taken reports whether somebody publishes to the stream, or is about to.
func (d *desk) taken(stream string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.claims[stream]) > 0
}
