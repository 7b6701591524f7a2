//go:build linux

package main

import (
	"fmt"
	"slices"
	"time"
)

// pathTable is the figures of all paths.
type pathTable struct{ rounds map[string][]figures }

func newPathTable() *pathTable { return &pathTable{rounds: map[string][]figures{}} }

func (t *pathTable) add(name string, f figures) { t.rounds[name] = append(t.rounds[name], f) }

// latency is of all rounds.
func (t *pathTable) latency(name string) []time.Duration {
	var all []time.Duration
	for _, f := range t.rounds[name] {
		all = append(all, f.latency...)
	}
	return all
}

// base is the latency of what is passed on; sound has one of its own.
func (t *pathTable) base(p path) time.Duration {
	if p.sound != "" {
		return median(t.latency("PCMU, passed on"))
	}
	return median(t.latency(passedOn))
}

// added is what making anew adds to it: the median, and the 95th percentile.
func (t *pathTable) added(p path) (half, most time.Duration) {
	all, base := t.latency(p.name), t.base(p)
	return median(all) - base, quantile(all, 0.95) - base
}

func (t *pathTable) worker(name string) float64 {
	return medianOf(t.rounds[name], func(f figures) float64 { return f.worker })
}

func (t *pathTable) gateway(name string) float64 {
	return medianOf(t.rounds[name], func(f figures) float64 { return f.gateway })
}

func (t *pathTable) held(name string) int {
	return slices.MaxFunc(t.rounds[name], func(a, b figures) int { return a.held - b.held }).held
}

func (t *pathTable) print() {
	fmt.Printf("\nFrom the camera to a viewer, %d rounds\n\n", len(t.rounds[passedOn]))
	fmt.Println("| path | latency, median (p95) | added, median (p95) | pictures held | worker, % of a core | worker, MiB | gateway, % of a core |\n|---|---|---|---|---|---|---|")
	for _, p := range paths() {
		if len(t.rounds[p.name]) == 0 {
			fmt.Printf("| %s | failed |\n", p.name)
			continue
		}
		all := t.latency(p.name)
		half, most := t.added(p)
		added, held, worker, memory := "", "", "", ""
		if !p.passed {
			added = fmt.Sprintf("%s (%s)", milliseconds(half), milliseconds(most))
			worker, memory = fmt.Sprintf("%.1f", 100*t.worker(p.name)), fmt.Sprintf("%.0f", medianOf(t.rounds[p.name], func(f figures) float64 { return f.memory }))
		}
		if p.sound == "" {
			held = fmt.Sprint(t.held(p.name))
		}
		fmt.Printf("| %s | %s (%s) | %s | %s | %s | %s | %.1f |\n", p.name, milliseconds(median(all)), milliseconds(quantile(all, 0.95)),
			added, held, worker, memory, 100*t.gateway(p.name))
	}
}

// judge compares with ffmpeg, and with what was aimed at.
func (t *pathTable) judge(g *targets) {
	if len(t.rounds[h265Name]) == 0 {
		return
	}
	own := path{name: h265Name}
	half, _ := t.added(own)
	g.add("added latency at 720p", half, 6*time.Millisecond)
	g.addRatio("pictures held back at 720p", float64(t.held(h265Name)), 0)
	if len(t.rounds[peerName]) == 0 {
		return
	}
	other, _ := t.added(path{name: peerName})
	fmt.Printf("\nBeside ffmpeg, H265 720p → H264: worker's CPU × %.2f, worker's and gateway's × %.2f, added latency × %.2f\n",
		t.worker(h265Name)/t.worker(peerName), (t.worker(h265Name)+t.gateway(h265Name))/t.worker(peerName),
		float64(half)/float64(other))
}

// targets are what was aimed at.
type targets struct{ lines []string }

func (t *targets) add(what string, is, most time.Duration) {
	t.lines = append(t.lines, fmt.Sprintf("| %s | %s | %s | %s |", what, milliseconds(is), milliseconds(most), verdict(is <= most)))
}

func (t *targets) addRatio(what string, is, most float64) {
	t.lines = append(t.lines, fmt.Sprintf("| %s | %.2f | %.2f | %s |", what, is, most, verdict(is <= most)))
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "missed"
}

func (t *targets) print() {
	if len(t.lines) == 0 {
		return
	}
	fmt.Println("\n| target | is | at most | |\n|---|---|---|---|")
	for _, l := range t.lines {
		fmt.Println(l)
	}
}

// milliseconds is a duration as tables tell it.
func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms >= 20 || ms <= -20 {
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f ms", ms)
}

// spread is the median with the worst.
func spread(all []time.Duration) string {
	if len(all) == 0 {
		return "failed"
	}
	return fmt.Sprintf("%s (%s)", milliseconds(median(all)), milliseconds(slices.Max(all)))
}
