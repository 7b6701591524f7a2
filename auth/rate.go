package auth

import (
	"net/netip"
	"sync"
	"time"
)

// rate limits how often each host may cause a request to another server (I5).
type rate struct {
	mu    sync.Mutex
	hosts *recent[netip.Prefix, bucket] // guarded by mu
}

// bucket holds the requests that may be made now, as of a moment.
type bucket struct {
	tokens float64
	at     time.Time
}

const (
	ratePerSecond = 20
	rateBurst     = 40
	rateSize      = 4096 // hosts
)

func newRate() *rate { return &rate{hosts: newRecent[netip.Prefix, bucket](rateSize)} }

// take returns a *RateError if this is one too many.
func (l *rate) take(remote netip.Addr) error {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.hosts.get(host(remote))
	if b == nil {
		b = l.hosts.put(host(remote), bucket{tokens: rateBurst, at: now})
	}
	b.tokens = min(rateBurst, b.tokens+now.Sub(b.at).Seconds()*ratePerSecond)
	b.at = now
	if b.tokens < 1 {
		return &RateError{RetryAfter: time.Duration((1 - b.tokens) / ratePerSecond * float64(time.Second))}
	}
	b.tokens--
	return nil
}
