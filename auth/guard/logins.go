package guard

import (
	"crypto/rand"
	"sync"
	"time"

	"sluice/auth"
)

const (
	maxLogins = 10_000
	loginTTL  = 12 * time.Hour
)

// login is one of a page.
type login struct {
	principal   *auth.Principal
	credentials auth.Credentials // empty where the principal is enough
	until       time.Time
}

// logins are those that go on, by the id in the cookie. They all last equally long, so the oldest ends first.
type logins struct {
	mu    sync.Mutex
	known map[string]*login // guarded by mu
	order []string          // guarded by mu; by age, with those that are dropped already
}

func newLogins() *logins { return &logins{known: map[string]*login{}} }

// add returns the id of 128 random bits.
func (l *logins) add(p *auth.Principal, c auth.Credentials) string {
	if p.Kind == auth.ModeInternal {
		c = auth.Credentials{} // no password stays in memory for nothing
	}
	id, now := rand.Text(), time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.order) > 0 {
		oldest := l.known[l.order[0]]
		if oldest != nil && now.Before(oldest.until) && len(l.order) < maxLogins {
			break
		}
		delete(l.known, l.order[0])
		l.order = l.order[1:]
	}
	l.known[id] = &login{principal: p, credentials: c, until: now.Add(loginTTL)}
	l.order = append(l.order, id)
	return id
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
	delete(l.known, id)
}
