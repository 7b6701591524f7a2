package client

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	firstDelay    = time.Second
	maxDelay      = 60 * time.Second
	maxRetryAfter = 300 * time.Second
	jitter        = 0.2
	healthyPeriod = 60 * time.Second
)

// parseRetryAfter reads the seconds or the date of a Retry-After header, at most 300 s from now. It reports false if
// the value is neither.
//
// Specification: RFC 9110 10.2.3.
func parseRetryAfter(value string, now time.Time) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0, false
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.Atoi(value)
		if err != nil || seconds > int(maxRetryAfter/time.Second) {
			return maxRetryAfter, true
		}
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), maxRetryAfter), true
}

// Backoff says how long to wait between tries: from 1 s to 60 s, doubled each time, a fifth more or less. The zero
// value is ready.
type Backoff struct{ last time.Duration }

// Next is the delay before the next try. after is what the server asks for (RetryAfter) and wins; 0: nothing.
func (b *Backoff) Next(after time.Duration) time.Duration {
	b.last = min(max(2*b.last, firstDelay), maxDelay)
	if after > 0 {
		return after
	}
	return time.Duration(float64(b.last) * (1 + jitter*(2*rand.Float64()-1)))
}

// Worked says for how long a try has worked. After a minute the past is forgotten.
func (b *Backoff) Worked(d time.Duration) {
	if d >= healthyPeriod {
		b.last = 0
	}
}
