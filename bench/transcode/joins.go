//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"time"
)

// briefly is how long an encoder stays where a new one is wanted for each measurement.
const briefly = 50 * time.Millisecond

// aside is the least time from one first viewer to the next: workers are started twice a second at most.
const aside = time.Second

// measureJoins times those who come first, at random moments of the GOP.
func (b *bench) measureJoins(ctx context.Context) error {
	if b.joins == 0 {
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
	fmt.Printf("\nFirst viewers of an H265 720p camera with a keyframe each %d s, %d of a kind\n\n", gop, b.joins)
	fmt.Println("| | POST to the first whole keyframe, median (worst) | of it: start of the encoder to its first frame | age of that keyframe |\n|---|---|---|---|")
	for _, warm := range []int{0, 1} {
		if err := b.timeFirst(ctx, f, warm); err != nil {
			return err
		}
	}
	for _, probing := range []string{usualProbing, shortProbing} {
		if err := b.timePeer(ctx, f, probing); err != nil {
			return err
		}
	}
	return nil
}

// firsts are the times of first viewers.
type firsts struct{ playable, frame, age []time.Duration }

func (b *bench) timeFirst(ctx context.Context, f *film, warm int) error {
	g, err := b.startGateway(ctx, options{source: f.url, warm: warm, linger: briefly})
	if err != nil {
		return err
	}
	defer g.stop()
	var t firsts
	for n := range b.joins + 1 {
		one, err := b.firstOf(ctx, g, f, warm)
		if err != nil {
			return err
		}
		if n > 0 { // the first has to wait for the camera as well
			t.playable, t.frame, t.age = append(t.playable, one.playable...), append(t.frame, one.frame...), append(t.age, one.age...)
		}
	}
	name := map[int]string{0: "cold: the worker is started (`warm = 0`)", 1: "warm: a worker waits (`warm = 1`)"}[warm]
	fmt.Printf("| %s | %s | %s | %s |\n", name, spread(t.playable), spread(t.frame), spread(t.age))
	if warm == 0 {
		b.targets.add("first picture of a cold transcode", median(t.playable), 300*time.Millisecond)
	}
	return nil
}

// firstOf has one viewer come, and go again.
func (b *bench) firstOf(ctx context.Context, g *gateway, f *film, warm int) (firsts, error) {
	v, err := join(ctx, g.whep(""), path{}.offer())
	if err != nil {
		return firsts{}, err
	}
	c, err := v.video.playable(ctx, v.asked, firstWithin)
	var all []transcode
	if err == nil {
		err = wait(ctx, time.Second) // for enough pictures to tell which one it was
	}
	if err == nil {
		all, err = g.transcodes(ctx)
	}
	v.leave(ctx)
	if err != nil {
		return firsts{}, err
	}
	t := firsts{playable: []time.Duration{c.at.Sub(v.asked)}}
	for _, one := range all {
		t.frame = append(t.frame, time.Duration(one.FirstFrameMs*float64(time.Millisecond)))
	}
	if s, err := newScript(f.sentOf("video"), v.video.seen()); err == nil {
		t.age = s.took([]came{c})
	}
	if err := g.idle(ctx); err != nil {
		return t, err
	}
	if err := g.ready(ctx, warm); err != nil {
		return t, err
	}
	return t, wait(ctx, aside+rand.N(time.Second))
}

// timePeer times ffmpeg.
func (b *bench) timePeer(ctx context.Context, f *film, probing string) error {
	p, err := newPeer(f.url, probing)
	if err != nil {
		return err
	}
	defer p.close()
	var took []time.Duration
	for range b.joins {
		if err := p.start(ctx); err != nil {
			return err
		}
		c, err := p.video.playable(ctx, p.started, firstWithin)
		p.kill()
		if err != nil {
			return fmt.Errorf("ffmpeg: %w", err)
		}
		took = append(took, c.at.Sub(p.started))
		if err := wait(ctx, rand.N(time.Second)); err != nil {
			return err
		}
	}
	fmt.Printf("| ffmpeg%s, from the start of its process to its output | %s | | |\n", described(probing), spread(took))
	return nil
}

func described(probing string) string {
	if probing == "" {
		return ""
	}
	return " with `" + probing + "`"
}

var joinLine = regexp.MustCompile(`BenchmarkJoin/preroll=(true|false)\S*\s+\d+.*?([\d.]+) ms-old\s+([\d.]+) ms-to-picture`)

// measurePreroll runs the package's own benchmark, for only there a worker can be made to encode all that is cached.
func (b *bench) measurePreroll(ctx context.Context) error {
	if b.joins == 0 {
		return nil
	}
	file, err := b.clipFile(ctx, "h265")
	if err != nil {
		return err
	}
	test := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkJoin$", "-benchtime", fmt.Sprintf("%dx", b.joins),
		"./transcode", "-args", "-clip", file)
	test.Env = append(os.Environ(), "CI=1") // a worker that is missing is a fault
	out, err := test.CombinedOutput()
	found := joinLine.FindAllStringSubmatch(string(out), -1)
	if err != nil || len(found) == 0 {
		return fmt.Errorf("the benchmark of joins: %w: %s", err, out)
	}
	fmt.Printf("\nThe same camera, inside the process: mean of %d joins of a warm worker\n\n", b.joins)
	fmt.Println("| the cached GOP is | wait for the first picture | its age |\n|---|---|---|")
	for _, f := range found {
		how := map[string]string{"true": "decoded only", "false": "encoded as well"}[f[1]]
		fmt.Printf("| %s | %s ms | %s ms |\n", how, f[3], f[2])
	}
	return nil
}
