package lossyrelay

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// arrival is a datagram on the far side.
type arrival struct {
	number int
	after  time.Duration // of the start
}

// traffic runs one direction in a bubble: count datagrams of size bytes, one each gap.
func traffic(t *testing.T, l Link, count, size int, gap time.Duration) (got []arrival, s Statistics) {
	t.Helper()
	start := time.Now()
	d := newDirection(l, 1, func(_ *client, data []byte) error {
		got = append(got, arrival{int(data[0])<<8 | int(data[1]), time.Since(start)})
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx) }()
	data := make([]byte, size) // take keeps a copy
	for i := range count {
		data[0], data[1] = byte(i>>8), byte(i)
		d.take(nil, data)
		time.Sleep(gap)
	}
	time.Sleep(time.Minute)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("run returned %v", err)
	}
	return got, d.count()
}

func TestDirection(t *testing.T) {
	const count = 1000
	for name, c := range map[string]struct {
		link       Link
		size       int
		gap        time.Duration
		check      func(Statistics) bool
		soonest    time.Duration // after it was sent
		latest     time.Duration
		outOfOrder bool
	}{
		"nothing": {
			size: 100, gap: time.Millisecond,
			check: func(s Statistics) bool { return s.Sent == count && s.Bytes == 100*count },
		},
		"loss": {
			link: Link{Loss: 0.05}, size: 100, gap: time.Millisecond,
			check: func(s Statistics) bool { return s.Lost > 30 && s.Lost < 70 && s.Sent == count-s.Lost },
		},
		"all lost": {
			link: Link{Loss: 1}, size: 100, gap: time.Millisecond,
			check: func(s Statistics) bool { return s.Lost == count && s.Sent == 0 },
		},
		"duplicate": {
			link: Link{Duplicate: 0.1}, size: 100, gap: time.Millisecond,
			check: func(s Statistics) bool {
				return s.Duplicated > 70 && s.Duplicated < 130 && s.Sent == count+s.Duplicated
			},
		},
		"delay": {
			link: Link{Delay: 20 * time.Millisecond}, size: 100, gap: time.Millisecond,
			check:   func(s Statistics) bool { return s.Sent == count },
			soonest: 20 * time.Millisecond, latest: 20 * time.Millisecond,
		},
		"jitter": {
			link: Link{Delay: 20 * time.Millisecond, Jitter: 10 * time.Millisecond}, size: 100, gap: time.Millisecond,
			check:   func(s Statistics) bool { return s.Sent == count },
			soonest: 20 * time.Millisecond, latest: 30 * time.Millisecond,
		},
		"reorder": {
			link: Link{Reorder: 0.1, Hold: 5 * time.Millisecond}, size: 100, gap: time.Millisecond,
			check:  func(s Statistics) bool { return s.Sent == count && s.Reordered > 70 && s.Reordered < 130 },
			latest: 5 * time.Millisecond, outOfOrder: true,
		},
		"reorder for 10 ms by default": {
			link: Link{Reorder: 1}, size: 100, gap: time.Millisecond,
			check:   func(s Statistics) bool { return s.Sent == count && s.Reordered == count },
			soonest: 10 * time.Millisecond, latest: 10 * time.Millisecond,
		},
		"rate that suffices": {
			link: Link{Rate: 800_000}, size: 100, gap: time.Millisecond, // 1 ms for each
			check:   func(s Statistics) bool { return s.Sent == count },
			soonest: time.Millisecond, latest: time.Millisecond,
		},
		"rate of half, with a queue of 10": {
			link: Link{Rate: 400_000, QueueBytes: 1000}, size: 100, gap: time.Millisecond,
			check:   func(s Statistics) bool { return s.Sent > 500 && s.Sent < 520 && s.Overflowed == count-s.Sent },
			soonest: 2 * time.Millisecond, latest: 20 * time.Millisecond,
		},
		"datagrams of the MTU": {
			link: Link{MaxDatagram: 100}, size: 100, gap: time.Millisecond,
			check: func(s Statistics) bool { return s.Sent == count },
		},
		"datagrams above the MTU": {
			link: Link{MaxDatagram: 100}, size: 101, gap: time.Millisecond,
			check: func(s Statistics) bool { return s.TooLarge == count && s.Sent == 0 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, s := traffic(t, c.link, count, c.size, c.gap)
				if s.Received != count || s.Waiting != 0 || uint64(len(got)) != s.Sent || !c.check(s) {
					t.Errorf("%d arrive, counted are %+v", len(got), s)
				}
				inOrder := slices.IsSortedFunc(got, func(a, b arrival) int { return a.number - b.number })
				if inOrder == c.outOfOrder {
					t.Errorf("in order: %v", inOrder)
				}
				for _, a := range got {
					if took := a.after - time.Duration(a.number)*c.gap; took < c.soonest || took > c.latest {
						t.Fatalf("datagram %d takes %v, want %v to %v", a.number, took, c.soonest, c.latest)
					}
				}
			})
		})
	}
}

func TestSameSeedSameLosses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Link{Loss: 0.3}
		first, _ := traffic(t, l, 200, 10, 0)
		second, _ := traffic(t, l, 200, 10, 0)
		number := func(a arrival) int { return a.number }
		if !slices.EqualFunc(first, second, func(a, b arrival) bool { return number(a) == number(b) }) {
			t.Errorf("%d arrive, then %d others", len(first), len(second))
		}
	})
}

// What waits stays as it was; what comes later goes by the new values.
func TestSetWhileDatagramsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []arrival
		start := time.Now()
		d := newDirection(Link{Delay: time.Second}, 1, func(_ *client, data []byte) error {
			got = append(got, arrival{int(data[0]), time.Since(start)})
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.run(ctx) }()
		d.take(nil, []byte{1})
		d.set(Link{Delay: 2 * time.Second, Loss: 1})
		d.take(nil, []byte{2})
		d.set(Link{Delay: 3 * time.Second})
		d.take(nil, []byte{3})
		synctest.Wait()
		if s := d.count(); s.Waiting != 2 || s.Lost != 1 {
			t.Errorf("counted are %+v", s)
		}
		time.Sleep(time.Minute)
		cancel()
		<-ended
		if want := []arrival{{1, time.Second}, {3, 3 * time.Second}}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestUnsentIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirection(Link{}, 1, func(*client, []byte) error { return errors.New("no buffer space") })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.run(ctx) }()
		d.take(nil, []byte{1})
		synctest.Wait()
		cancel()
		<-ended
		if s := d.count(); s.Unsent != 1 || s.Sent != 0 || s.Bytes != 0 {
			t.Errorf("counted are %+v", s)
		}
	})
}
