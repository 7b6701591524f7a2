// Command bench measures the gateway as a whole process: how long until it listens, how long until somebody publishes
// or watches, and how much memory it holds idle, with one camera, and with one viewer besides. The parts are measured by Go benchmarks beside them;
// `make bench` runs both.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"sluice/internal/testviewer"
)

func main() {
	starts := flag.Int("starts", 15, "how often the start is timed")
	sessions := flag.Int("sessions", 200, "how often publishing and watching are timed")
	settle := flag.Duration("settle", 15*time.Second, "how long media flow before memory is read")
	flag.Parse()
	if err := run(context.Background(), *starts, *sessions, *settle); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, starts, sessions int, settle time.Duration) error {
	dir, err := os.MkdirTemp("", "sluice-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	gateway := filepath.Join(dir, "gateway")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", gateway, "./cmd/gateway")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the gateway: %w", err)
	}
	b := bench{gateway: gateway, dir: dir}
	fmt.Println("| figure | value |\n|---|---|")
	if err := b.timeStarts(ctx, starts); err != nil {
		return err
	}
	if err := b.timeSessions(ctx, sessions); err != nil {
		return err
	}
	return b.weigh(ctx, settle)
}

// bench runs one build of the gateway.
type bench struct{ gateway, dir string }

// ports makes the kernel choose all ports.
const ports = "[http]\nlisten = \"127.0.0.1:0\"\n[webrtc]\nlisten_udp = \"0\"\n[log]\nlevel = \"warn\"\n"

// timeStarts times from the start of the process to the line that says that it listens.
func (b bench) timeStarts(ctx context.Context, n int) error {
	var took []time.Duration
	for range n {
		p, err := b.start(ctx, ports+"[streams.demo]\nsource = \"demo:\"\n")
		if err != nil {
			return err
		}
		took = append(took, p.took)
		if err := p.stop(); err != nil {
			return err
		}
	}
	slices.Sort(took)
	fmt.Printf("| start to listening, median of %d (slowest) | %.1f ms (%.1f ms) |\n",
		n, milliseconds(took[n/2]), milliseconds(took[n-1]))
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// weigh reads resident memory with nothing to do, with one camera, and with one viewer besides. The camera is a
// process of its own, as a real one is.
func (b bench) weigh(ctx context.Context, settle time.Duration) error {
	idle, err := b.start(ctx, ports)
	if err != nil {
		return err
	}
	defer func() { _ = idle.stop() }()
	camera, err := b.startCamera(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = camera.stop() }()
	busy, err := b.start(ctx, ports+"[streams.cam]\nsource = \""+camera.url+"\"\n")
	if err != nil {
		return err
	}
	defer func() { _ = busy.stop() }()
	time.Sleep(settle)
	fmt.Printf("| resident, idle | %.1f MiB |\n", idle.resident())
	fmt.Printf("| resident, one 720p camera | %.1f MiB |\n", busy.resident())

	watch, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	v, err := testviewer.Watch(watch, busy.url+"cam/whep", testviewer.Browser())
	if err != nil {
		return err
	}
	defer v.Close()
	packets := 0
	for end := time.After(settle); ; {
		select {
		case <-v.Video:
			packets++
			continue
		case <-v.Audio:
			continue
		case <-end:
		}
		break
	}
	if packets == 0 {
		return fmt.Errorf("the viewer got no picture")
	}
	fmt.Printf("| resident, one 720p camera and one viewer | %.1f MiB (peak %.1f MiB) |\n", busy.resident(), busy.peak())
	return nil
}
