package session

import "time"

// rate lets so many things through in a span of time.
type rate struct {
	most int
	span time.Duration
	past []time.Time // of the last span, at most most
}

// allow counts one thing now, or says how long to wait for the next that may be.
func (r *rate) allow(now time.Time) (wait time.Duration, ok bool) {
	for len(r.past) > 0 && now.Sub(r.past[0]) >= r.span {
		r.past = r.past[1:]
	}
	if len(r.past) >= r.most {
		return r.span - now.Sub(r.past[0]), false
	}
	r.past = append(r.past, now)
	return 0, true
}
