package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// leaveLimit is for a gateway to give back what sessions held that are over, or will be once they have timed out.
const leaveLimit = 40 * time.Second

// holdings are what a gateway holds, as its metrics tell.
type holdings struct{ goroutines, descriptors int }

var (
	goroutines  = regexp.MustCompile(`(?m)^go_goroutines (\d+)$`)
	descriptors = regexp.MustCompile(`(?m)^process_open_fds (\d+)$`)
)

func (g *gatewayProcess) holdings(t testing.TB) holdings {
	t.Helper()
	_, text := g.get(t, "metrics")
	count := func(re *regexp.Regexp) int {
		m := re.FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("no %s in the metrics:\n%s", re, text)
		}
		n, _ := strconv.Atoi(m[1]) // digits
		return n
	}
	return holdings{count(goroutines), count(descriptors)}
}

// settled is what the gateway holds when nobody is there: all that it starts once is started.
func (g *gatewayProcess) settled(t testing.TB) holdings {
	t.Helper()
	client.CloseIdleConnections()
	var before holdings
	var since time.Time
	eventually(t, listenLimit, func() string {
		if now := g.holdings(t); now != before {
			before, since = now, time.Now()
		}
		if time.Since(since) < time.Second {
			return "the gateway still starts or ends something"
		}
		return ""
	})
	return before
}

// awaitHoldings waits until the gateway holds no more than before. A connection of the test's own may be open.
func (g *gatewayProcess) awaitHoldings(t testing.TB, before holdings, limit time.Duration) {
	t.Helper()
	eventually(t, limit, func() string {
		client.CloseIdleConnections()
		now := g.holdings(t)
		if now.goroutines > before.goroutines || now.descriptors > before.descriptors {
			return fmt.Sprintf("the gateway holds %+v, and held %+v before", now, before)
		}
		return ""
	})
}

// TestThousandOffers posts offers of which nothing comes: after the time-out the gateway holds what it held before.
//
// Proves A79 and J57.
func TestThousandOffers(t *testing.T) {
	t.Parallel()
	const offers, atATime = 1000, 16
	g := startGateway(t, "webrtc.ice_timeout = \"2s\"\nlimits.half_open = 0\nlimits.posts_per_second_per_ip = 0\n"+publishConfig("a", "b"))
	before, offer := g.settled(t), withoutCandidates(newOffer(t))
	statuses := postMany(t, offers, atATime, func(i int) string { return g.whip([]string{"a", "b"}[i%2]) }, offer)
	if statuses[http.StatusCreated] != offers {
		t.Errorf("the offers are answered with %v, want %d times 201", statuses, offers)
	}
	t.Logf("with all of them: %+v", g.holdings(t))
	g.awaitHoldings(t, before, leaveLimit)
}

// TestHalfOpenLimit posts more offers than may wait for their connection: the others are told when to come again.
//
// Proves A11 and J21.
func TestHalfOpenLimit(t *testing.T) {
	t.Parallel()
	const limit, more = 50, 30
	g := startGateway(t, fmt.Sprintf("webrtc.ice_timeout = \"10s\"\nlimits.half_open = %d\nlimits.posts_per_second_per_ip = 0\n%s", limit, publishConfig("a")))
	before, offer := g.settled(t), withoutCandidates(newOffer(t))
	statuses := postMany(t, limit+more, 8, func(int) string { return g.whip("a") }, offer)
	if statuses[http.StatusCreated] != limit || statuses[http.StatusServiceUnavailable] != more {
		t.Errorf("the offers are answered with %v, want %d times 201 and %d times 503", statuses, limit, more)
	}
	g.awaitHoldings(t, before, leaveLimit)
}

// postMany posts an offer many times and counts the statuses. Each 503 has to say when to come again.
func postMany(t *testing.T, n, atATime int, endpoint func(i int) string, offer string) map[int]int {
	t.Helper()
	var mu sync.Mutex
	statuses := make(map[int]int)
	var next atomic.Int64
	var posting sync.WaitGroup
	for range atATime {
		posting.Go(func() {
			for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
				r, err := client.Post(endpoint(i), "application/sdp", strings.NewReader(offer))
				if err != nil {
					t.Error(err)
					return
				}
				_ = r.Body.Close()
				if r.StatusCode == http.StatusServiceUnavailable && r.Header.Get("Retry-After") == "" {
					t.Error("a 503 does not say when to come again")
				}
				mu.Lock()
				statuses[r.StatusCode]++
				mu.Unlock()
			}
		})
	}
	posting.Wait()
	return statuses
}

// TestPublishersComeAndGo has 200 publishers start and stop in random order, with a DELETE, with DTLS's goodbye or
// before they are connected; in the end the gateway holds what it held before.
//
// Proves A7 and A79.
func TestPublishersComeAndGo(t *testing.T) {
	t.Parallel()
	const workers, each = 10, 20
	g := startGateway(t, "webrtc.ice_timeout = \"5s\"\nlimits.posts_per_second_per_ip = 0\n[streams.\"pub*\"]\nsource = \"publish\"\n")
	before := g.settled(t)
	var connected atomic.Int64
	t.Run("all", func(t *testing.T) {
		for worker := range workers {
			t.Run(fmt.Sprint(worker), func(t *testing.T) {
				t.Parallel()
				for range each {
					if g.comeAndGo(t) {
						connected.Add(1)
					}
				}
			})
		}
	})
	if n := connected.Load(); n < workers*each/4 {
		t.Errorf("%d publishers of %d were connected before they left, want a quarter at least", n, workers*each)
	}
	g.awaitHoldings(t, before, leaveLimit)
	eventually(t, leaveLimit, func() string {
		if sessions := slices.DeleteFunc(g.listed(t), sessionInfo.isOver); len(sessions) > 0 {
			return fmt.Sprintf("sessions are left: %+v", sessions)
		}
		return ""
	})
}

// comeAndGo publishes to one of a few streams for a moment, and tells whether it was connected. Publishers replace
// each other there, at times before they are connected.
func (g *gatewayProcess) comeAndGo(t *testing.T) (connected bool) {
	t.Helper()
	p := publishWithPion(t, g.whip(fmt.Sprint("pub", rand.IntN(8))), pionOptions{})
	if rand.IntN(4) > 0 {
		select {
		case <-p.connected:
			connected = true
		case <-p.closed:
		case <-time.After(5 * time.Second): // it has been replaced, or the machine is busy
		}
		time.Sleep(rand.N(200 * time.Millisecond))
	}
	if rand.IntN(2) > 0 {
		p.close()
	} else if status := p.stop(t); status != http.StatusOK {
		t.Errorf("DELETE is answered with %d, want 200", status)
	}
	return connected
}
