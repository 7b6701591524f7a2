package resource

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// J9: an address may do twice its rate at once, then its rate; others, and this machine, are not held up.
func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(20, 40)
		a := netip.MustParseAddr("192.0.2.1")
		count := func(from netip.Addr) (n int) {
			for n < 1000 && l.take(from) == 0 {
				n++
			}
			return n
		}
		if n := count(a); n != 40 {
			t.Errorf("%d at once", n)
		}
		if wait := l.take(a); wait != 50*time.Millisecond {
			t.Errorf("wait %v", wait)
		}
		for _, other := range []string{"192.0.2.2", "2001:db8::1", "2001:db8:0:1::1"} {
			if n := count(netip.MustParseAddr(other)); n != 40 {
				t.Errorf("%s: %d at once", other, n)
			}
		}
		if n := count(netip.MustParseAddr("2001:db8::ffff")); n != 0 {
			t.Errorf("another address of the same /64: %d", n)
		}
		for _, own := range []string{"127.0.0.1", "::1"} {
			if n := count(netip.MustParseAddr(own)); n != 1000 {
				t.Errorf("%s: %d at once", own, n)
			}
		}
		time.Sleep(time.Second)
		if n := count(a); n != 20 {
			t.Errorf("%d after a second", n)
		}
		time.Sleep(time.Hour)
		l.take(a)
		if len(l.hosts) != 1 {
			t.Errorf("%d hosts are remembered after an hour", len(l.hosts))
		}
	})
}

// J9: memory is bounded: hosts beyond the number that is told apart share an allowance.
func TestLimiterIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, 2)
		passed := 0
		a := netip.MustParseAddr("10.0.0.0")
		for range 2 * maxHosts {
			if l.take(a) == 0 {
				passed++
			}
			a = a.Next()
		}
		if len(l.hosts) > maxHosts+1 || passed != maxHosts+2 {
			t.Errorf("%d hosts, %d passed", len(l.hosts), passed)
		}
	})
}

func TestNoLimit(t *testing.T) {
	l := newLimiter(0, 0)
	for range 1000 {
		if l.take(netip.MustParseAddr("192.0.2.1")) != 0 {
			t.Fatal("limited")
		}
	}
}

// A11, J9: POSTs, and guesses of sessions, beyond the rate are 429 with Retry-After; J19: whoever forwards says nothing.
func TestRates(t *testing.T) {
	for _, c := range []struct {
		name, method, remote string
		passed               int // of 100
	}{
		{"POST", http.MethodPost, "192.0.2.1:1000", 6},
		{"POST from here", http.MethodPost, "127.0.0.1:1000", 100},
		{"POST below a session", "below", "192.0.2.1:1000", 6},
		{"J9: DELETE", http.MethodDelete, "192.0.2.1:1000", 40},
		{"J9: PATCH", http.MethodPatch, "192.0.2.1:1000", 40},
		{"J9: GET", http.MethodGet, "192.0.2.1:1000", 40},
		{"J9: DELETE from here", http.MethodDelete, "127.0.0.1:1000", 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(Options{Log: slog.New(slog.DiscardHandler), PostsPerSecond: 3})
				s.add("/cam/whip/0", Made{Below: func(http.ResponseWriter, *http.Request, []string) {}, Session: newFake("0")})
				passed := 0
				for i := range 100 {
					r := httptest.NewRequest(strings.Replace(c.method, "below", http.MethodPost, 1), "/", strings.NewReader("v=0"))
					r.RemoteAddr = c.remote
					r.Header.Set("X-Forwarded-For", netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}).String())
					w := httptest.NewRecorder()
					switch c.method {
					case http.MethodPost:
						s.ServeEndpoint(w, r, Endpoint{})
					case "below":
						s.ServeBelow(w, r, "/cam/whip", "0", nil)
					default:
						s.ServeSession(w, r, "/cam/whip", "AAAA")
					}
					if w.Code != http.StatusTooManyRequests {
						passed++
					} else if w.Header().Get("Retry-After") != "1" {
						t.Errorf("%v", w.Header())
					}
				}
				if passed != c.passed {
					t.Errorf("%d passed", passed)
				}
			})
		})
	}
}
