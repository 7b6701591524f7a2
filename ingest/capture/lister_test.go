package capture

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/worker/wire"
)

// looks counts how often somebody looked, which takes a second, and at how many times at once.
type looks struct {
	mu               sync.Mutex
	all, now, atOnce int
	err              error
}

func (l *looks) look(ctx context.Context) ([]wire.DeviceInfo, error) {
	l.mu.Lock()
	l.all, l.now = l.all+1, l.now+1
	l.atOnce = max(l.atOnce, l.now)
	err := l.err
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.now--
		l.mu.Unlock()
	}()
	select {
	case <-time.After(time.Second):
		return []wire.DeviceInfo{{Kind: camera, Label: "Webcam"}}, err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// However many ask, one list is made at a time, and again only when it is old.
func TestLister(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var counted looks
		l := newLister(counted.look)
		var all sync.WaitGroup
		ask := func(n int) {
			for range n {
				all.Go(func() {
					if list, err := l.List(t.Context()); err != nil || len(list) != 1 || list[0].Label != "Webcam" {
						t.Errorf("listed %v, %v", list, err)
					}
				})
			}
		}
		began := time.Now()
		ask(50)
		all.Wait()
		if took := time.Since(began); took != time.Second || counted.all != 1 {
			t.Errorf("50 lists took %v and %d looks, want 1s and 1", took, counted.all)
		}
		time.Sleep(listLife - time.Nanosecond)
		ask(5)
		all.Wait()
		if counted.all != 1 {
			t.Errorf("looked %d times within the life of a list", counted.all)
		}
		time.Sleep(time.Nanosecond)
		ask(5)
		all.Wait()
		if counted.all != 2 || counted.atOnce != 1 {
			t.Errorf("looked %d times, %d at once, want 2 and 1", counted.all, counted.atOnce)
		}
	})
}

// Who goes away while he looks leaves it to the next; who goes away while he waits just goes.
func TestListerCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var counted looks
		l := newLister(counted.look)
		gone, leave := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer leave()
		var all sync.WaitGroup
		for range 2 { // one looks, one waits
			all.Go(func() {
				if _, err := l.List(gone); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("the one who left got %v", err)
				}
			})
		}
		synctest.Wait()
		all.Go(func() {
			if list, err := l.List(t.Context()); err != nil || len(list) != 1 {
				t.Errorf("the one who stayed got %v, %v", list, err)
			}
		})
		all.Wait()
		if counted.all < 2 || counted.atOnce != 1 {
			t.Errorf("looked %d times, %d at once, want 2 or 3 and 1", counted.all, counted.atOnce)
		}
	})
}

// A failure is told to all who ask for it soon, with what was found in spite of it, and no longer.
func TestListerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counted := looks{err: errors.New("the worker crashed")}
		l := newLister(counted.look)
		for range 3 {
			if list, err := l.List(t.Context()); err == nil || len(list) != 1 {
				t.Errorf("listed %v, %v", list, err)
			}
		}
		counted.err = nil
		time.Sleep(listLife)
		if _, err := l.List(t.Context()); err != nil || counted.all != 2 {
			t.Errorf("looked %d times, the last failed with %v", counted.all, err)
		}
	})
}
