package auth

import (
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"
)

// Ten wrong logins within a minute, from one host or with one user name, and the next minute none is looked at (I6).
const (
	maxFailures   = 10
	failureWindow = time.Minute
	backoffTime   = time.Minute
	backoffSize   = 4096 // hosts, and as many user names
)

// backoff counts wrong logins. Success clears nothing: who guesses may have one right login of his own.
type backoff struct {
	log   *slog.Logger
	wrong *memory[struct{}] // what each host has shown that was wrong

	mu    sync.Mutex
	hosts *recent[netip.Prefix, failures] // guarded by mu
	users *recent[string, failures]       // guarded by mu
}

// failures are the times of the last ones, in a ring.
type failures struct {
	at    [maxFailures]time.Time
	next  int
	until time.Time // refused until then
}

func newBackoff(log *slog.Logger) *backoff {
	return &backoff{
		log: log, wrong: newMemory[struct{}](failureWindow),
		hosts: newRecent[netip.Prefix, failures](backoffSize), users: newRecent[string, failures](backoffSize),
	}
}

// admit returns why the credentials of r are not looked at: there are none, they can't be right, or it is too early.
func (b *backoff) admit(r Request) error {
	switch {
	case r.Credentials.None():
		return ErrNoCredentials
	case !r.Credentials.valid():
		return ErrInvalid
	default:
		return b.check(r)
	}
}

// check returns a *BackoffError while the host or the user name of r has to wait.
func (b *backoff) check(r Request) error {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	wait := max(b.hosts.get(host(r.Remote)).wait(now), b.users.get(r.Credentials.user()).wait(now))
	if wait > 0 {
		return &BackoffError{RetryAfter: wait}
	}
	return nil
}

// note counts the outcome of a try.
func (b *backoff) note(r Request, err error) {
	if !isGuess(err) {
		return
	}
	c := r.Credentials
	first := b.wrong.note(b.wrong.digest(host(r.Remote).String(), c.Token, c.User, c.Password))
	if r.Repeated && !first {
		return
	}
	if b.count(r) {
		b.log.Warn("too many wrong logins: the next minute none is looked at", "remote", r.Remote)
	}
}

// isGuess tells whether somebody showed what was never right.
func isGuess(err error) bool {
	return errors.Is(err, ErrInvalid) && !errors.As(err, new(*expiredError)) && !errors.As(err, new(*DeniedError))
}

// count tells whether this one was too many.
func (b *backoff) count(r Request) bool {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	over := count(b.hosts, host(r.Remote), now)
	if user := r.Credentials.user(); user != "" {
		over = count(b.users, user, now) || over
	}
	return over
}

func count[K comparable](in *recent[K, failures], k K, now time.Time) bool {
	f := in.get(k)
	if f == nil {
		f = in.put(k, failures{})
	}
	f.at[f.next] = now
	f.next = (f.next + 1) % maxFailures
	first := f.at[f.next]
	if first.IsZero() || now.Sub(first) > failureWindow {
		return false
	}
	*f = failures{until: now.Add(backoffTime)}
	return true
}

func (f *failures) wait(now time.Time) time.Duration {
	if f == nil {
		return 0
	}
	return f.until.Sub(now)
}

// host is what one customer of a provider has: an IPv4 address, or 64 bits of an IPv6 one.
func host(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // fails for no address only, and those are one
	return p
}
