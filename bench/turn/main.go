//go:build linux

// Command turn measures the embedded TURN server beside coturn, on the same machine in the same run: what a thousand
// allocations take, how fast packets are relayed and at what cost of processor time, and what a flood of Binding
// requests costs. Both relay over loopback, each in a process of its own; the process that drives them shares the
// machine with them. What is printed are medians.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// plan is what the command line asks for.
type plan struct {
	rounds      int           // how often each server is measured
	window      time.Duration // how long one measurement of rate lasts
	allocations int
	flood       int // Binding requests a second
}

func main() {
	var p plan
	flag.IntVar(&p.rounds, "rounds", 5, "how often each server is measured; the medians count")
	flag.DurationVar(&p.window, "window", 3*time.Second, "how long packets and requests are sent in one round")
	flag.IntVar(&p.allocations, "allocations", 1000, "how many are held at once")
	flag.IntVar(&p.flood, "flood", 50_000, "Binding requests a second")
	quick := flag.Bool("quick", false, "try everything for a moment; the figures say nothing")
	serve := flag.Bool("serve", false, "be the server that is measured, until standard input ends")
	flag.Parse()
	if *quick {
		p = plan{rounds: 1, window: 300 * time.Millisecond, allocations: 50, flood: 5000}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if *serve {
		err = beServer(ctx, flag.Args())
	} else {
		err = p.run(ctx)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "turn:", err)
		os.Exit(1)
	}
}

// run measures both servers in turns and prints the table.
func (p plan) run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "sluice-turn")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var ours, coturn []figures
	for range p.rounds {
		f, err := p.measure(ctx, startOurs)
		if err != nil {
			return fmt.Errorf("measure ours: %w", err)
		}
		ours = append(ours, f)
		f, err = p.measure(ctx, func(ctx context.Context, _ []string) (*server, error) { return startCoturn(ctx, dir) })
		if err != nil {
			return fmt.Errorf("measure coturn: %w", err)
		}
		coturn = append(coturn, f)
	}
	p.print(ours, coturn)
	return nil
}

// figures are those of one round.
type figures struct {
	idle, held    float64 // resident memory in MB, without and with the allocations
	allocate      float64 // seconds for all of them
	packets       float64 // relayed a second
	perPacket     float64 // processor time of the server in µs
	flooded, many float64 // processor time in percent of one core, under a flood from one address and from many
	answered      float64 // of the requests from many addresses, in percent
}

func (p plan) measure(ctx context.Context, start func(context.Context, []string) (*server, error)) (f figures, err error) {
	ports, err := openMedia(pairs)
	if err != nil {
		return f, err
	}
	defer ports.close()
	s, err := start(ctx, ports.addresses())
	if err != nil {
		return f, err
	}
	defer s.stop()
	for _, part := range []func(context.Context, *server, media, *figures) error{p.hold, p.relay, p.floods} {
		if err := part(ctx, s, ports, &f); err != nil {
			return f, err
		}
	}
	return f, nil
}
