package lossyrelay

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Link says what one direction does to datagrams. The zero value passes on all of them at once.
type Link struct {
	Loss      float64 // fraction that is dropped, 0 to 1
	Duplicate float64 // fraction that is sent twice, 0 to 1
	Reorder   float64 // fraction that is held back for Hold, so that what follows overtakes it, 0 to 1

	Delay  time.Duration // of every datagram
	Jitter time.Duration // at most as much more, evenly spread; it keeps the order
	Hold   time.Duration // 10 ms if it is 0

	Rate        int // bit/s of UDP payload; 0: no limit
	QueueBytes  int // what may wait for its turn when Rate is set; 64 KiB if it is 0
	MaxDatagram int // larger ones are dropped, as by a path of that MTU (less the headers); 0: no limit
}

const (
	defaultHold  = 10 * time.Millisecond
	defaultQueue = 64 << 10
)

// check says which value is none; name is the link's.
func (l Link) check(name string) error {
	for _, f := range []float64{l.Loss, l.Duplicate, l.Reorder} {
		if !(f >= 0 && f <= 1) { // also what isn't a number
			return fmt.Errorf("the link %s has a fraction of %v: they are 0 to 1", name, f)
		}
	}
	if min(l.Delay, l.Jitter, l.Hold) < 0 || min(l.Rate, l.QueueBytes, l.MaxDatagram) < 0 {
		return fmt.Errorf("the link %s has a value below 0", name)
	}
	return nil
}

// line decides about datagrams one after the other.
type line struct {
	link   Link
	random *rand.Rand
	clear  time.Time // when all that was taken so far has passed the rate limit
	last   time.Time // when the last datagram that keeps the order leaves
	stats  Statistics
}

// judge says when a datagram that comes now leaves, and how often: 0 times if it is dropped.
func (l *line) judge(now time.Time, size int) (due time.Time, times int) {
	l.stats.Received++
	switch {
	case l.link.MaxDatagram > 0 && size > l.link.MaxDatagram:
		l.stats.TooLarge++
		return now, 0
	case l.chance(l.link.Loss):
		l.stats.Lost++
		return now, 0
	}
	at, ok := l.queue(now, size)
	if !ok {
		l.stats.Overflowed++
		return now, 0
	}
	due, times = at.Add(l.link.Delay+l.jitter()), 1
	if l.chance(l.link.Duplicate) {
		l.stats.Duplicated++
		times = 2
	}
	if l.chance(l.link.Reorder) {
		l.stats.Reordered++
		return due.Add(l.hold()), times
	}
	if due.Before(l.last) {
		due = l.last
	}
	l.last = due
	return due, times
}

// queue says when the last bit of a datagram has passed the rate limit, false if the queue before it is full.
func (l *line) queue(now time.Time, size int) (time.Time, bool) {
	if l.link.Rate == 0 {
		return now, true
	}
	room := l.link.QueueBytes
	if room == 0 {
		room = defaultQueue
	}
	if l.clear.Before(now) {
		l.clear = now
	}
	if waiting := l.clear.Sub(now).Seconds() * float64(l.link.Rate) / 8; int(waiting)+size > room {
		return now, false
	}
	l.clear = l.clear.Add(time.Duration(float64(size) * 8 / float64(l.link.Rate) * float64(time.Second)))
	return l.clear, true
}

func (l *line) chance(fraction float64) bool { return fraction > 0 && l.random.Float64() < fraction }

func (l *line) jitter() time.Duration {
	if l.link.Jitter == 0 {
		return 0
	}
	return time.Duration(l.random.Int64N(int64(l.link.Jitter) + 1))
}

func (l *line) hold() time.Duration {
	if l.link.Hold == 0 {
		return defaultHold
	}
	return l.link.Hold
}
