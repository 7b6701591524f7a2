package resource

import (
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sluice/signalling/problem"
)

const (
	maxHosts  = 4096        // that a limiter tells apart
	sweepTime = time.Second // between two looks for hosts to forget
)

// limiter lets each host do so many things a second, and more for a moment. Whoever did nothing for a while is
// forgotten; hosts beyond maxHosts share one allowance.
type limiter struct {
	refused atomic.Uint64

	mu          sync.Mutex
	rate, burst float64                 // guarded by mu: things a second, and at once; 0: no limit
	hosts       map[netip.Prefix]bucket // guarded by mu
	swept       time.Time               // guarded by mu
}

// bucket holds what a host may still do at once, as it was at a time.
type bucket struct {
	left float64
	at   time.Time
}

func newLimiter(rate, burst int) *limiter {
	return &limiter{rate: float64(rate), burst: float64(burst), hosts: make(map[netip.Prefix]bucket)}
}

// set has another rate hold from now on.
func (l *limiter) set(rate, burst int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rate, l.burst = float64(rate), float64(burst)
}

// take counts one thing that a host does, or says how long it has to wait. This machine has no limit.
func (l *limiter) take(host netip.Addr) (wait time.Duration) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rate == 0 || host.IsLoopback() {
		return 0
	}
	l.sweep(now)
	p := prefix(host)
	b, ok := l.hosts[p]
	if !ok && len(l.hosts) >= maxHosts {
		p = netip.Prefix{}
		b, ok = l.hosts[p]
	}
	left := l.burst
	if ok {
		left = l.refilled(b, now)
	}
	if left < 1 {
		return time.Duration((1 - left) / l.rate * float64(time.Second))
	}
	l.hosts[p] = bucket{left: left - 1, at: now}
	return 0
}

func (l *limiter) refilled(b bucket, now time.Time) float64 {
	return min(l.burst, b.left+now.Sub(b.at).Seconds()*l.rate)
}

// sweep forgets those that may do all again. It needs mu.
func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < sweepTime {
		return
	}
	l.swept = now
	for p, b := range l.hosts {
		if l.refilled(b, now) >= l.burst {
			delete(l.hosts, p)
		}
	}
}

// prefix is what counts as one host: an IPv4 address, or an IPv6 /64, of which anybody has one to himself. What is no
// address is the invalid prefix.
func prefix(a netip.Addr) netip.Prefix {
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, _ := a.WithZone("").Prefix(bits) // fails only for what is no address

	return p
}

// allow counts a request, or answers that it is one too many.
func allow(w http.ResponseWriter, l *limiter, r *http.Request) bool {
	wait := l.take(Client(r))
	if wait == 0 {
		return true
	}
	l.refused.Add(1)
	p := problem.New(http.StatusTooManyRequests, "rate", "There were too many requests from this address: wait a moment.")
	p.RetryAfter = wait
	problem.Write(w, p)
	return false
}
