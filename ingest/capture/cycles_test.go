//go:build linux

package capture

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"sluice/hub"
	"sluice/media"
)

// burst is how many processes a pool starts without a pause.
const burst = 8

// patience is far more than what ends takes to be gone.
const patience = 20 * time.Second

// 300 starts and stops of a source, of the kind that on_demand makes, leave nothing behind: no process, no descriptor
// and, as TestMain sees, no goroutine.
func TestCyclesLeaveNothing(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cycles := 300
	if testing.Short() {
		cycles = 3 * burst
	}
	before, goroutines := 0, 0
	for done := 0; done < cycles; done += burst {
		t.Run(fmt.Sprintf("from %d", done), func(t *testing.T) {
			capture, gst := pools(t, program, "off", "GORACE=atexit_sleep_ms=0")
			for range min(burst, cycles-done) {
				cycle(t, source(t, "videotest", capture, gst))
			}
		})
		if done == 0 {
			before, goroutines = descriptors(t), runtime.NumGoroutine()
		}
	}
	end := time.Now().Add(patience)
	for {
		open, run, left := descriptors(t), runtime.NumGoroutine(), children(t)
		if open <= before && run <= goroutines && len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d descriptors are open and %d goroutines run, %d and %d did after the first %d cycles; processes %v are left",
				open, run, before, goroutines, burst, left)
		}
		// A goroutine that told its end may not have returned yet.
		time.Sleep(time.Millisecond)
	}
}

// cycle runs a source until it publishes.
func cycle(t *testing.T, s *Source) {
	t.Helper()
	stream, err := hub.New(hub.Options{RingMaxAge: 1, RingMaxBytes: 1 << 10}).Create("stream")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	published := false
	err = s.Run(ctx, func(tracks []media.Track) (*hub.Publisher, error) {
		published = true
		cancel()
		p, err := stream.Publish(media.MainRendition, tracks)
		if err == nil {
			t.Cleanup(p.Close)
		}
		return p, err
	})
	if !published {
		t.Fatalf("the source ended with %v before it published", err)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// children are our processes, zombies among them.
func children(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range files {
		b, _ := os.ReadFile(f)
		all = append(all, strings.Fields(string(b))...)
	}
	return all
}
