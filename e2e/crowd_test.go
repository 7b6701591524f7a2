package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"sluice/bench/load"
	"sluice/media"
)

// noLimits lets all come at once.
const noLimits = `
limits.sessions = 0
limits.sessions_per_stream = 0
limits.sessions_per_ip = 0
limits.half_open = 0
limits.half_open_per_ip = 0
limits.posts_per_second_per_ip = 0
`

// crowd is light viewers of a stream.
type crowd struct {
	t        *testing.T
	load     *load.Load
	endpoint string
}

// startCrowd makes a crowd without viewers, which goes at the end of the test.
func startCrowd(t *testing.T, endpoint string) *crowd {
	t.Helper()
	l, err := load.New(load.Options{Readers: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := l.Run(ctx); err != nil {
			t.Errorf("the crowd: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return &crowd{t: t, load: l, endpoint: endpoint}
}

const joinLimit = 40 * time.Second // for a viewer among many to be connected, on a busy machine

// join waits for a keyframe too, which comes after the stream is ready.
func (c *crowd) join() (*load.Viewer, error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), joinLimit)
	defer cancel()
	for {
		v, err := c.load.Join(ctx, c.endpoint)
		var refused *load.RefusedError
		if !errors.As(err, &refused) || refused.Status != http.StatusConflict {
			return v, err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// watch has n viewers join, and waits until all of them see a picture.
func (c *crowd) watch(n int) []*load.Viewer {
	c.t.Helper()
	var all []*load.Viewer
	for range n {
		v, err := c.join()
		if err != nil {
			c.t.Fatalf("viewer %d: %v", len(all), err)
		}
		all = append(all, v)
	}
	eventually(c.t, packetLimit, func() string {
		for _, v := range all {
			if _, ok := v.Keyframe(); !ok {
				return "a viewer has no picture"
			}
		}
		return ""
	})
	return all
}

// checkWhole wants viewers to have all sequence numbers, but for what their own sockets had no room for.
func (c *crowd) checkWhole(all []*load.Viewer, atLeast uint64) {
	c.t.Helper()
	missing, fewest := uint64(0), ^uint64(0)
	for _, v := range all {
		n := v.Count()
		missing += n.Missing
		fewest = min(fewest, n.Packets)
	}
	dropped, err := load.Drops(all) // after what is missed, which is dropped before it is missed
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Logf("%d watchers miss %d packets, of which %d came to full sockets; each got %d at least", len(all), missing, dropped, fewest)
	if missing > dropped || fewest < atLeast {
		c.t.Errorf("%d watchers miss %d packets, %d came to full sockets, and each got %d at least, want %d", len(all), missing, dropped, fewest, atLeast)
	}
}

// TestComingAndGoing has ten watch while others join and leave all the time, with a word and without: the ten lose no
// packet.
//
// Proves B14.
func TestComingAndGoing(t *testing.T) {
	t.Parallel()
	const watchers, churners, length = 10, 4, 10 * time.Second
	g := startGateway(t, noLimits+fmt.Sprintf("streams.door.source = %q\n", startCameraOf(t, media.H264, media.Opus)))
	g.awaitState(t, "door", "ready", cameraLimit)
	c := startCrowd(t, g.whep("door"))
	all := c.watch(watchers)
	end := time.Now().Add(length)
	var coming sync.WaitGroup
	var mu sync.Mutex
	joined := 0
	for range churners {
		coming.Go(func() {
			for time.Now().Before(end) {
				if err := c.comeAndGo(); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				joined++
				mu.Unlock()
			}
		})
	}
	coming.Wait()
	t.Logf("%d viewers came and went", joined)
	if joined < churners {
		t.Errorf("%d viewers came and went, want %d at least", joined, churners)
	}
	c.checkWhole(all, uint64(length/time.Second)*25)
}

// comeAndGo watches for a moment, and ends with DELETE, or without a word.
func (c *crowd) comeAndGo() error {
	v, err := c.join()
	if err != nil {
		return err
	}
	time.Sleep(rand.N(200 * time.Millisecond)) // the moment for which it watches
	if rand.IntN(2) == 0 {
		v.Vanish()
		return nil
	}
	return v.Leave(c.t.Context())
}

// TestRush has a crowd ask at once while some watch: those lose nothing, and each that asks is served in its turn, or
// told when to come again. SLUICE_E2E_CROWD=full runs it at full size: 100 watch, 1000 ask within two seconds.
//
// Proves B14 and A11 under load.
func TestRush(t *testing.T) {
	t.Parallel()
	watchers, asking, within := 20, 200, time.Second
	if os.Getenv("SLUICE_E2E_CROWD") == "full" {
		watchers, asking, within = 100, 1000, 2*time.Second
	}
	g := startGateway(t, noLimits+fmt.Sprintf("webrtc.ice_timeout = %q\nstreams.door.source = %q\n", joinLimit, startCameraOf(t, media.H264, media.Opus)))
	g.awaitState(t, "door", "ready", cameraLimit)
	c := startCrowd(t, g.whep("door"))
	all := c.watch(watchers)
	served, told := c.rush(asking, within)
	t.Logf("of %d that asked %d were served and %d told to come again", asking, served, told)
	if served+told != asking || served < asking/2 {
		t.Errorf("of %d that asked %d were served and %d told to come again", asking, served, told)
	}
	c.checkWhole(all, 25)
}

// rush has n viewers ask within a time, and counts those who were connected, and those who were told to come again.
func (c *crowd) rush(n int, within time.Duration) (served, told int) {
	var mu sync.Mutex
	var asking sync.WaitGroup
	for range n {
		at := rand.N(within)
		asking.Go(func() {
			time.Sleep(at) // they come one after the other
			_, err := c.join()
			var refused *load.RefusedError
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				served++
			case errors.As(err, &refused) && refused.Status == http.StatusServiceUnavailable && refused.RetryAfter != "":
				told++
			default:
				c.t.Errorf("a viewer is neither served nor told to come again: %v", err)
			}
		})
	}
	asking.Wait()
	return served, told
}
