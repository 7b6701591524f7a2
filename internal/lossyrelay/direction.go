package lossyrelay

import (
	"bytes"
	"container/heap"
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Counters are what a relay has done since it was made.
type Counters struct {
	Up, Down Statistics
	Clients  int    // addresses that have sent so far
	Refused  uint64 // datagrams of clients that got no socket
}

// Statistics count the datagrams of one direction. Each that was received is dropped for one reason, or sent, or waits.
type Statistics struct {
	Received, Sent             uint64
	Bytes                      uint64 // of those sent
	Lost, Overflowed, TooLarge uint64 // dropped by Loss, by the queue of Rate, by MaxDatagram
	Unsent                     uint64 // dropped since the system would not take them
	Duplicated, Reordered      uint64
	Waiting                    int // now
}

// direction passes datagrams on one way: whoever reads gives them to take, and run sends them when they are due.
type direction struct {
	send func(*client, []byte) error // fixed after newDirection
	wake chan struct{}               // one element, sent by take when there is an earlier datagram; never closed

	mu      sync.Mutex
	line    line   // guarded by mu
	waiting queue  // guarded by mu
	taken   uint64 // guarded by mu; datagrams so far
}

func newDirection(l Link, seed uint64, send func(*client, []byte) error) *direction {
	return &direction{
		send: send, wake: make(chan struct{}, 1),
		line: line{link: l, random: rand.New(rand.NewPCG(seed, seed))},
	}
}

func (d *direction) set(l Link) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.line.link = l
}

func (d *direction) count() Statistics {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.line.stats
	s.Waiting = len(d.waiting)
	return s
}

// take decides about a datagram, of which it keeps a copy.
func (d *direction) take(c *client, data []byte) {
	d.mu.Lock()
	due, times := d.line.judge(time.Now(), len(data))
	for range times {
		d.taken++
		heap.Push(&d.waiting, &datagram{due: due, number: d.taken, to: c, data: bytes.Clone(data)})
	}
	first := times > 0 && d.waiting[0].number > d.taken-uint64(times)
	d.mu.Unlock()
	if first {
		select {
		case d.wake <- struct{}{}:
		default: // run will look anyway
		}
	}
}

// run sends what is due until ctx ends.
func (d *direction) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		case <-d.wake:
		}
		next := d.flush()
		if next < 0 {
			timer.Stop()
			continue
		}
		timer.Reset(next)
	}
}

// flush sends all that is due, and says how long until there is more: negative if nothing waits.
func (d *direction) flush() time.Duration {
	for {
		one, wait := d.next(time.Now())
		if one == nil {
			return wait
		}
		d.sent(len(one.data), d.send(one.to, one.data))
	}
}

// next takes the first datagram out if it is due, and says otherwise how long until then.
func (d *direction) next(now time.Time) (*datagram, time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.waiting) == 0 {
		return nil, -1
	}
	if wait := d.waiting[0].due.Sub(now); wait > 0 {
		return nil, wait
	}
	return heap.Pop(&d.waiting).(*datagram), 0
}

func (d *direction) sent(size int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.line.stats.Unsent++
		return
	}
	d.line.stats.Sent++
	d.line.stats.Bytes += uint64(size)
}

// datagram waits to be sent.
type datagram struct {
	due    time.Time
	number uint64 // in the order of their coming
	to     *client
	data   []byte
}

// queue is a heap of datagrams, the first due on top (container/heap).
type queue []*datagram

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if q[i].due.Equal(q[j].due) {
		return q[i].number < q[j].number
	}
	return q[i].due.Before(q[j].due)
}

func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *queue) Push(x any) { *q = append(*q, x.(*datagram)) }

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	one := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return one
}
