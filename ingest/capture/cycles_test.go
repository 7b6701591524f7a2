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

	"sluice/hub"
	"sluice/media"
)

// burst is how many processes a pool starts without a pause.
const burst = 8

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
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors are open, %d were after the first %d cycles", after, before, burst)
	}
	if after := runtime.NumGoroutine(); after > goroutines {
		t.Errorf("%d goroutines run, %d did after the first %d cycles", after, goroutines, burst)
	}
	if all := children(t); len(all) > 0 {
		t.Errorf("processes %v are left", all)
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
