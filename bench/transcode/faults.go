//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"
)

// watchdog is how long a worker may give nothing for what it gets: worker.SilenceDeadline.
const watchdog = 2 * time.Second

// steady is how long a worker runs before it fails.
const steady = 1500 * time.Millisecond

// fault is one way in which a worker fails.
type fault struct {
	name   string
	signal syscall.Signal // 0: the element named by stream does it
	stream string         // lines of the configuration
	target time.Duration
}

// breaksAfter is how many pictures the element takes that fails: more than a GOP, which it gets at once.
const breaksAfter = 150

func faults() []fault {
	const crash = 150 * time.Millisecond
	return []fault{
		{name: "SIGKILL", signal: syscall.SIGKILL, target: crash},
		{name: "SIGSEGV", signal: syscall.SIGSEGV, target: crash},
		{name: "error of an element", stream: fmt.Sprintf(`process = "identity error-after=%d"`, breaksAfter), target: crash},
		{name: "SIGSTOP", signal: syscall.SIGSTOP, target: watchdog + crash},
	}
}

// measureFaults times how long the picture is away.
func (b *bench) measureFaults(ctx context.Context) error {
	if b.plan.faults == 0 {
		return nil
	}
	clip, err := b.clip(ctx, "h265", "")
	if err != nil {
		return err
	}
	f, err := startFilm(ctx, clip)
	if err != nil {
		return err
	}
	defer f.stop()
	fmt.Printf("\nFrom the fault to the next picture at the viewer, median (worst); H265 720p → H264, %d faults of a kind, %d of SIGSTOP\n\n", b.plan.faults, b.hangs)
	fmt.Println("| fault | `warm = 1` | `warm = 0` | aimed at |\n|---|---|---|---|")
	for _, one := range faults() {
		var gaps [2][]time.Duration
		for _, warm := range []int{1, 0} {
			if gaps[warm], err = b.breakOften(ctx, f, one, warm); err != nil {
				return err
			}
		}
		fmt.Printf("| %s | %s | %s | %s |\n", one.name, spread(gaps[1]), spread(gaps[0]), milliseconds(one.target))
		b.targets.add(one.name+" to the next picture", median(gaps[1]), one.target)
	}
	return b.breakPeer(ctx, f)
}

// breakOften gives each fault an encoder of its own, for one that fails often is started again ever later.
func (b *bench) breakOften(ctx context.Context, f *film, one fault, warm int) ([]time.Duration, error) {
	g, err := b.startGateway(ctx, options{source: f.url, warm: warm, linger: briefly, stream: one.stream})
	if err != nil {
		return nil, err
	}
	defer g.stop()
	n := b.plan.faults
	if one.signal == syscall.SIGSTOP {
		n = b.hangs
	}
	var gaps []time.Duration
	for range n {
		gap, err := b.breakOnce(ctx, g, f, one)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", one.name, err)
		} else {
			gaps = append(gaps, gap)
		}
		if err := g.idle(ctx); err != nil {
			return nil, err
		}
		if err := wait(ctx, aside); err != nil {
			return nil, err
		}
	}
	return gaps, nil
}

func (b *bench) breakOnce(ctx context.Context, g *gateway, f *film, one fault) (time.Duration, error) {
	v, err := join(ctx, g.whep(""), path{}.offer())
	if err != nil {
		return 0, err
	}
	defer v.leave(ctx)
	first, err := v.video.playable(ctx, v.asked, firstWithin)
	if err != nil {
		return 0, err
	}
	if one.signal == 0 {
		return b.awaitBreak(ctx, v, f, first)
	}
	if err = wait(ctx, steady); err != nil {
		return 0, err
	}
	pids, err := g.workers(ctx, false)
	if err != nil {
		return 0, err
	}
	struck := time.Now()
	if err = syscall.Kill(pids[0], one.signal); err != nil {
		return 0, err
	}
	// What was made before is on its way still, but a new process begins with a keyframe.
	next, err := v.video.playable(ctx, struck, firstWithin)
	return next.at.Sub(struck), err
}

// awaitBreak waits for an element that fails by itself. The next process begins with a keyframe at a time at which none
// is due; the fault was when the picture was sent that came first of those that never came.
func (b *bench) awaitBreak(ctx context.Context, v *viewer, f *film, last came) (time.Duration, error) {
	next := last
	for early := false; !early; {
		var err error
		if next, err = v.video.playable(ctx, last.at, firstWithin); err != nil {
			return 0, err
		}
		early = next.timestamp-last.timestamp < (gop*30-5)*3000
		if !early {
			last = next
		}
	}
	seen := v.video.seen()
	s, err := newScript(f.sentOf("video"), seen)
	if err != nil {
		return 0, err
	}
	for i := len(seen) - 1; i > 0; i-- {
		if !seen[i].at.Equal(next.at) {
			continue
		}
		if missed, ok := s.after(seen[i-1]); ok {
			return next.at.Sub(missed.at), nil
		}
	}
	return 0, errNoMatch
}

// breakPeer kills ffmpeg and starts it again at once.
func (b *bench) breakPeer(ctx context.Context, f *film) error {
	for _, probing := range []string{usualProbing, shortProbing} {
		p, err := newPeer(f.url, probing)
		if err != nil {
			return err
		}
		defer p.close()
		var gaps []time.Duration
		if err := p.start(ctx); err != nil {
			return err
		}
		for range b.plan.faults {
			gap, err := p.breakOnce(ctx)
			if err != nil {
				p.kill()
				return fmt.Errorf("ffmpeg: %w", err)
			}
			gaps = append(gaps, gap)
		}
		p.kill()
		fmt.Printf("| SIGKILL of ffmpeg%s, started again at once | | %s | |\n", described(probing), spread(gaps))
	}
	return nil
}

func (p *peer) breakOnce(ctx context.Context) (time.Duration, error) {
	if _, err := p.video.playable(ctx, p.started, firstWithin); err != nil {
		return 0, err
	}
	if err := wait(ctx, steady); err != nil {
		return 0, err
	}
	struck := time.Now()
	p.kill()
	if err := p.start(ctx); err != nil {
		return 0, err
	}
	next, err := p.video.playable(ctx, p.started, firstWithin)
	return next.at.Sub(struck), err
}
