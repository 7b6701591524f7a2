package guard

import (
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"sluice/auth"
)

const (
	maxLogins    = 10_000
	maxOwnLogins = 100 // of one principal
	loginTTL     = 12 * time.Hour
)

// login is one of a page.
type login struct {
	id          string
	principal   *auth.Principal
	credentials auth.Credentials // empty where the principal is enough
	until       time.Time
}

// logins are those that go on, by the id in the cookie. They all last equally long, so the oldest ends first.
type logins struct {
	size int // the most there may be

	mu    sync.Mutex
	known map[string]*login // guarded by mu
	order []*login          // guarded by mu; those of known by age
}

func newLogins(size int) *logins { return &logins{size: size, known: map[string]*login{}} }

// add returns the id of 128 random bits. Where there are too many, of all or of this principal, the oldest ends: nobody
// puts others out by logging in again and again.
func (l *logins) add(p *auth.Principal, c auth.Credentials) string {
	if p.Kind == auth.ModeInternal {
		c = auth.Credentials{} // no password stays in memory for nothing
	}
	now := time.Now()
	added := &login{id: rand.Text(), principal: p, credentials: c, until: now.Add(loginTTL)}
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.order) > 0 && (len(l.order) >= l.size || now.After(l.order[0].until)) {
		l.remove(l.order[0])
	}
	if own := l.of(p.Name); len(own) >= maxOwnLogins {
		l.remove(own[0])
	}
	l.known[added.id] = added
	l.order = append(l.order, added)
	return added.id
}

// of lists those of a principal by age. mu is held.
func (l *logins) of(name string) []*login {
	var own []*login
	for _, one := range l.order {
		if one.principal.Name == name {
			own = append(own, one)
		}
	}
	return own
}

// remove is for one that is there. mu is held.
func (l *logins) remove(one *login) {
	delete(l.known, one.id)
	i := slices.Index(l.order, one)
	l.order = slices.Delete(l.order, i, i+1)
}

// find returns nil for an id of no login, or of one that is over.
func (l *logins) find(id string) *login {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := l.known[id]
	if found == nil || time.Now().After(found.until) {
		return nil
	}
	return found
}

func (l *logins) drop(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one := l.known[id]; one != nil {
		l.remove(one)
	}
}
