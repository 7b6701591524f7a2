package auth

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

const (
	passwordTTL  = time.Minute // of a password that was looked at
	passwordJobs = 2           // verified at a time: each may cost 256 MiB
	passwordLine = 64          // waiting for it
)

// errBusy says that many others log in just now.
var errBusy = errors.New("too many logins at once")

// passwords verifies passwords, few at a time, and remembers the outcome for a while.
type passwords struct {
	right   *memory[struct{}]
	wrong   *memory[struct{}] // so that what is shown again and again costs its work once
	nobody  *argon            // what an unknown user is compared with, for the same time; nil: nobody has a password
	jobs    chan struct{}     // capacity: passwordJobs; who verifies puts one in and takes it out
	waiting atomic.Int32
}

// login is a user name with a password.
type login struct{ user, password string }

// newPasswords takes the hash whose cost an unknown user has; nil: nobody has a password.
func newPasswords(like *argon) *passwords {
	p := &passwords{right: newMemory[struct{}](passwordTTL), wrong: newMemory[struct{}](passwordTTL), jobs: make(chan struct{}, passwordJobs)}
	if like != nil {
		p.nobody = newArgon()
		p.nobody.memory, p.nobody.time, p.nobody.threads = like.memory, like.time, like.threads
	}
	return p
}

// verify compares a password with a hash; nil is that of nobody. again is asked before the work begins, which may be a
// while after the call: its error is returned.
func (p *passwords) verify(ctx context.Context, l login, hash *argon, again func() error) (bool, error) {
	if p.nobody == nil {
		return false, nil
	}
	d := p.right.digest(l.user, l.password)
	if right, known := p.recall(d); known {
		return right, nil
	}
	if err := p.wait(ctx); err != nil {
		return false, &UnavailableError{Err: err}
	}
	defer func() { <-p.jobs }()
	if err := again(); err != nil {
		return false, err
	}
	if right, known := p.recall(d); known { // several tiles of a page come with the same login
		return right, nil
	}
	if !p.compare(l.password, hash) {
		p.wrong.remember(d, struct{}{})
		return false, nil
	}
	p.right.remember(d, struct{}{})
	return true, nil
}

// recall is what is known of a login.
func (p *passwords) recall(d digest) (right, known bool) {
	if _, right = p.right.recall(d); right {
		return true, true
	}
	_, known = p.wrong.recall(d)
	return false, known
}

// compare costs the same where there is no hash.
func (p *passwords) compare(password string, hash *argon) bool {
	if hash == nil {
		p.nobody.matches(password)
		return false
	}
	return hash.matches(password)
}

// wait returns when there is a place among those who verify.
func (p *passwords) wait(ctx context.Context) error {
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > passwordLine {
		return errBusy
	}
	select {
	case p.jobs <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
