package transport

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestOthersKeepTheOldest(t *testing.T) {
	o := newOthers(&Port{})
	for i := range othersQueue + 10 {
		o.put(fmt.Append(nil, i), alice)
	}
	o.put(make([]byte, othersSize+1), alice)
	b := make([]byte, 4)
	for i := range othersQueue {
		n, from, err := o.ReadFromAddrPort(b)
		if err != nil || string(b[:n]) != fmt.Sprint(i) || from != alice {
			t.Fatalf("datagram %d is %q from %v: %v", i, b[:n], from, err)
		}
	}
	if got := o.overflows.Load(); got != 11 {
		t.Errorf("%d were too many, want 11", got)
	}
}

func TestOthersDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		set   []time.Duration // from now, each a second after the one before; 0: none
		after time.Duration   // the read ends; 0: never
	}{
		"in the future":       {[]time.Duration{5 * time.Second}, 5 * time.Second},
		"in the past":         {[]time.Duration{-time.Second}, 0},
		"put off":             {[]time.Duration{2 * time.Second, 5 * time.Second}, 6 * time.Second},
		"brought forward":     {[]time.Duration{time.Hour, -1}, time.Second},
		"taken back, and set": {[]time.Duration{3 * time.Second, 0, time.Second}, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, began, done := newOthers(&Port{}), time.Now(), make(chan error, 1)
				for i, d := range c.set {
					if i == 1 {
						go func() { _, _, err := o.ReadFromAddrPort(nil); done <- err }()
					}
					if i > 0 {
						time.Sleep(time.Second)
					}
					at := time.Now().Add(d)
					if d == 0 {
						at = time.Time{}
					}
					_ = o.SetReadDeadline(at)
				}
				if len(c.set) == 1 {
					go func() { _, _, err := o.ReadFromAddrPort(nil); done <- err }()
				}
				err := <-done
				var timeout net.Error
				if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
					t.Errorf("the error is %v", err)
				}
				if took := time.Since(began); took != c.after {
					t.Errorf("the read ended after %v, want %v", took, c.after)
				}
			})
		})
	}
}

// TestOthersAfterTheDeadline reads on once a deadline that has come is taken back.
func TestOthersAfterTheDeadline(t *testing.T) {
	o := newOthers(&Port{})
	o.put([]byte("x"), alice)
	_ = o.SetReadDeadline(time.Unix(1, 0))
	if _, _, err := o.ReadFromAddrPort(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
	_ = o.SetReadDeadline(time.Time{})
	if n, _, err := o.ReadFromAddrPort(make([]byte, 9)); n != 1 || err != nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
}

func TestOthersClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, done := newOthers(&Port{}), make(chan error, 3)
		_ = o.SetReadDeadline(time.Now().Add(time.Hour))
		for range cap(done) {
			go func() { _, _, err := o.ReadFromAddrPort(nil); done <- err }()
		}
		synctest.Wait()
		for range 2 {
			_ = o.Close()
		}
		for range cap(done) {
			if err := <-done; !errors.Is(err, net.ErrClosed) {
				t.Errorf("a read ends with %v", err)
			}
		}
		if _, err := o.WriteToAddrPort(nil, alice); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a write ends with %v", err)
		}
	})
}

// TestOthersHaveManyReaders lets no datagram lie while somebody waits.
func TestOthersHaveManyReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, got := newOthers(&Port{}), make(chan string, 3)
		for range cap(got) {
			go func() {
				b := make([]byte, 9)
				n, _, _ := o.ReadFromAddrPort(b)
				got <- string(b[:n])
			}()
		}
		synctest.Wait()
		o.put([]byte("a"), alice)
		o.put([]byte("b"), alice)
		o.put([]byte("c"), alice)
		if all := <-got + <-got + <-got; len(all) != 3 || !strings.Contains(all, "b") {
			t.Errorf("read %q", all)
		}
	})
}

func TestOthersDoNotAllocate(t *testing.T) {
	o, b := newOthers(&Port{}), make([]byte, 1500)
	for range othersQueue { // each place gets its memory
		o.put(b, alice)
		_, _, _ = o.ReadFromAddrPort(b)
	}
	if n := testing.AllocsPerRun(1000, func() {
		o.put(b, alice)
		_, _, _ = o.ReadFromAddrPort(b)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
