package transport

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// nameServer answers as a test wants.
type nameServer struct {
	mu     sync.Mutex
	knows  map[string][]string // guarded by mu
	silent bool                // guarded by mu: answers nothing at all
	asked  map[string]int      // guarded by mu
}

func (s *nameServer) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	s.mu.Lock()
	s.asked[host]++
	silent, found := s.silent, s.knows[host]
	s.mu.Unlock()
	if silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if found == nil {
		return nil, errors.New("no such host")
	}
	var all []netip.Addr
	for _, a := range found {
		all = append(all, netip.MustParseAddr(a))
	}
	return all, nil
}

func (s *nameServer) set(silent bool, host string, addrs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent, s.knows[host] = silent, addrs
}

func (s *nameServer) count(host string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[host]
}

// following runs names in a bubble, until its end.
func following(t *testing.T, hosts ...string) (*names, *nameServer, *transcript) {
	t.Helper()
	log := &transcript{}
	s := &nameServer{knows: map[string][]string{}, asked: map[string]int{}}
	n := newNames("webrtc.additional_hosts", hosts, slog.New(slog.NewTextHandler(log, nil)))
	n.lookup = s.lookup
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); <-done })
	go func() { defer close(done); n.run(ctx) }()
	return n, s, log
}

// transcript is a log.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

func (l *transcript) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func checkAddrs(t *testing.T, n *names, want ...string) {
	t.Helper()
	var got []string
	for _, a := range n.addresses() {
		got = append(got, a.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v are known, want %v", got, want)
	}
}

// A55: a name's addresses are those of today, and stay when the name server fails.
func TestNamesAreResolvedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, s, log := following(t, "192.0.2.9", "home.example")
		checkAddrs(t, n, "192.0.2.9")
		s.set(false, "home.example", "192.0.2.2", "2001:db8::1", "192.0.2.1", "fe80::1")
		time.Sleep(refreshInterval + time.Millisecond)
		checkAddrs(t, n, "192.0.2.9", "192.0.2.1", "192.0.2.2", "2001:db8::1")
		s.set(false, "home.example", "192.0.2.1", "2001:db8::1", "192.0.2.2")
		time.Sleep(refreshInterval)
		if log.String() != "" {
			t.Errorf("another order is told:\n%s", log)
		}
		s.set(false, "home.example", "192.0.2.3")
		time.Sleep(10 * refreshInterval)
		checkAddrs(t, n, "192.0.2.9", "192.0.2.3")
		s.set(true, "home.example")
		time.Sleep(10 * refreshInterval)
		checkAddrs(t, n, "192.0.2.9", "192.0.2.3")
		s.set(false, "home.example", "192.0.2.4")
		time.Sleep(2 * refreshInterval)
		checkAddrs(t, n, "192.0.2.9", "192.0.2.4")
		checkTold(t, log, "the addresses of a name have changed", "its last addresses stay in use", "the addresses of a name have changed")
		if s.count("192.0.2.9") != 0 {
			t.Error("an address is looked up")
		}
	})
}

// checkTold wants one line for each of the words, in their order.
func checkTold(t *testing.T, log *transcript, words ...string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	for i, w := range words {
		if i >= len(lines) || !strings.Contains(lines[i], w) {
			t.Fatalf("told is not %q in\n%s", w, log)
		}
	}
	if len(lines) != len(words) {
		t.Errorf("%d lines are told, want %d:\n%s", len(lines), len(words), log)
	}
}

// A name that fails is asked for soon, then less and less often, and holds up no other.
func TestNamesBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, s, log := following(t, "good.example", "bad.example")
		s.set(false, "good.example", "192.0.2.1")
		time.Sleep(refreshInterval + time.Millisecond) // the first failure
		for _, seconds := range []int{1, 2, 4, 8, 16, 30, 30} {
			before, after := s.count("bad.example"), time.Duration(seconds)*time.Second
			time.Sleep(after - 2*time.Millisecond)
			if got := s.count("bad.example") - before; got != 0 {
				t.Errorf("%d more look-ups before %v", got, after)
			}
			time.Sleep(2 * time.Millisecond)
			if got := s.count("bad.example") - before; got != 1 {
				t.Errorf("%d look-ups after %v, want 1", got, after)
			}
		}
		checkAddrs(t, n, "192.0.2.1")
		s.set(false, "bad.example", "192.0.2.2")
		time.Sleep(refreshInterval)
		checkAddrs(t, n, "192.0.2.1", "192.0.2.2")
		checkTold(t, log, "left out until then", "a name is resolved again")
	})
}

// A name server that is silent holds up the start for two seconds, whatever the number of names, and nobody after that.
func TestSilentNameServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, s, _ := following(t, "a.example", "b.example", "c.example")
		s.set(true, "a.example")
		began := time.Now()
		n.resolve(t.Context())
		if took := time.Since(began); took != resolveTimeout {
			t.Errorf("took %v", took)
		}
		checkAddrs(t, n)
	})
}
