//go:build linux

// Command transcode measures what it costs to make a stream anew: the latency that it adds, the processor time of the
// workers, the first picture of a viewer who comes first, what more viewers cost, and how long the picture is away when
// a worker fails; and beside it, in the same run, what one ffmpeg process for each stream takes for the same. What is
// printed are medians. docs/benchmarks.md says how to read the tables.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// plan is what the command line asks for.
type plan struct {
	rounds int           // how often each path is measured
	window time.Duration // how long that lasts
	settle time.Duration // from a viewer's first picture to the window
	holds  int           // pauses of the camera, after which frames that are held show; 0: none
	joins  int           // of a kind; 0: none
	share  int           // rounds of one viewer and of ten; 0: none
	faults int           // of a kind; 0: none
	hangs  int           // workers that are stopped, of those
	parts  string        // names of the parts that are measured; "": all
}

func main() {
	p := plan{}
	flag.IntVar(&p.rounds, "rounds", 3, "how often each path is measured")
	flag.DurationVar(&p.window, "window", 3*time.Second, "how long one measurement lasts")
	flag.DurationVar(&p.settle, "settle", time.Second, "time from a viewer's first picture to the measurement")
	flag.IntVar(&p.holds, "holds", 6, "pauses of each path's camera in the first round, to see how many pictures are held back")
	flag.IntVar(&p.joins, "joins", 10, "first viewers of a kind that are timed; 0: none")
	flag.IntVar(&p.share, "share", 3, "rounds of 1 and of 10 viewers; 0: none")
	flag.IntVar(&p.faults, "faults", 5, "faults of a kind; 0: none")
	flag.StringVar(&p.parts, "parts", "", "what is measured: paths, joins, preroll, share, faults, with commas between; none: all")
	quick := flag.Bool("quick", false, "try everything for a moment; the figures say nothing")
	flag.Parse()
	p.hangs = min(p.faults, 3)
	if *quick {
		p.rounds, p.window, p.settle, p.holds, p.joins, p.share, p.faults, p.hangs = 1, time.Second, 300*time.Millisecond, 1, 2, 1, 1, 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := p.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "transcode:", err)
		os.Exit(1)
	}
}

// run builds, measures and prints.
func (p *plan) run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "sluice-transcode")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err = os.Chmod(dir, 0o755); err != nil { // workers without rights read their registry here
		return err
	}
	printHeader(ctx)
	w, err := newWorkshop(ctx, dir)
	if err != nil {
		return err
	}
	b := &bench{plan: p, workshop: w}
	for name, part := range b.parts() {
		if !p.asksFor(name) {
			continue
		}
		if err := part(ctx); err != nil {
			return fmt.Errorf("measure %s: %w", name, err)
		}
	}
	b.targets.print()
	return nil
}

// asksFor reports whether a part is to be measured.
func (p *plan) asksFor(part string) bool {
	return p.parts == "" || slices.Contains(strings.Split(p.parts, ","), part)
}

// bench is one run.
type bench struct {
	*plan
	*workshop
	targets targets
}

// parts are the parts of a run by name, in their order.
func (b *bench) parts() func(yield func(string, func(context.Context) error) bool) {
	return func(yield func(string, func(context.Context) error) bool) {
		_ = yield("paths", b.measurePaths) && yield("joins", b.measureJoins) && yield("preroll", b.measurePreroll) &&
			yield("share", b.measureShare) && yield("faults", b.measureFaults)
	}
}
