//go:build linux

// Command fanout measures what it costs to send one camera to many WebRTC viewers, for the gateway, for a floor and a
// reference beside it, and for any other WHEP server that a file describes. All servers of a run take turns on the
// same machine, in the same minutes; what is printed are medians. docs/benchmarks.md says how to read the tables.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// plan is what the command line asks for.
type plan struct {
	viewers  []int         // how many, one measurement each
	rounds   int           // how often each measurement is made
	window   time.Duration // how long it lasts
	ramp     time.Duration // within which the viewers join, each at a moment of its own
	settle   time.Duration // from the last one's first keyframe to the measurement
	transit  int           // how many viewers watch when transit is measured; 0: it is not
	joins    int           // viewers that are timed with a GOP of 10 s; 0: none
	churn    time.Duration // how long others join and leave; 0: not at all
	flood    int           // viewers that ask within 2 s; 0: none
	floodFor int           // of those who watch meanwhile
	gop      int           // seconds, of the source that is watched
	readers  int
	gro      bool
	only     []string // names of servers; none: all
	peers    string   // a file of more servers
}

func main() {
	p := plan{}
	viewers := flag.String("viewers", "1,25,50,100,200", "numbers of viewers")
	only := flag.String("servers", "", "names of the servers to measure; none: all")
	flag.StringVar(&p.peers, "peers", "", "file that describes other servers (JSON, see docs/benchmarks.md)")
	flag.IntVar(&p.rounds, "rounds", 3, "how often everything is measured")
	flag.DurationVar(&p.window, "window", 4*time.Second, "how long one measurement lasts")
	flag.DurationVar(&p.ramp, "ramp", 4*time.Second, "time within which viewers join")
	flag.DurationVar(&p.settle, "settle", 2*time.Second, "time between the last viewer's first keyframe and the measurement")
	flag.IntVar(&p.gop, "gop", 4, "seconds from one keyframe of the source to the next: 1, 2, 4, 5 or 10")
	flag.IntVar(&p.transit, "transit", 100, "viewers with whom transit is measured; 0: none")
	flag.IntVar(&p.joins, "joins", 20, "viewers that are timed with a GOP of 10 s; 0: none")
	flag.DurationVar(&p.churn, "churn", 25*time.Second, "how long viewers join and leave while 10 watch; 0: not at all")
	flag.IntVar(&p.flood, "flood", 1000, "viewers that ask within 2 s; 0: none")
	flag.IntVar(&p.floodFor, "flood-watchers", 100, "viewers that watch meanwhile")
	flag.IntVar(&p.readers, "readers", 1, "goroutines that read the viewers' sockets")
	flag.BoolVar(&p.gro, "gro", false, "let viewers take runs of packets as one (UDP_GRO)")
	flag.Parse()
	p.only = fields(*only)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := p.parseViewers(*viewers)
	if err == nil {
		err = p.run(ctx)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fanout:", err)
		os.Exit(1)
	}
}

func fields(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

func (p *plan) parseViewers(list string) error {
	for _, f := range fields(list) {
		n, err := strconv.Atoi(f)
		if err != nil || n < 1 {
			return fmt.Errorf("-viewers is a list of numbers from 1 on, not %q", list)
		}
		p.viewers = append(p.viewers, n)
	}
	return nil
}

// run builds, measures and prints.
func (p *plan) run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "sluice-fanout")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w, err := newWorkshop(ctx, dir)
	if err != nil {
		return err
	}
	servers, err := p.choose(w)
	if err != nil {
		return err
	}
	printHeader(ctx)
	for _, part := range []func(context.Context, *workshop, []server) error{p.measureLoad, p.measureJoins, p.measureChurn, p.measureFlood} {
		if err := part(ctx, w, servers); err != nil {
			return err
		}
	}
	return nil
}
