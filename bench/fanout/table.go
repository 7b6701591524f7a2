//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// table gathers the figures of all rounds.
type table struct {
	figures map[key][]figures
	failed  map[key]int
}

type key struct {
	server  string
	viewers int
}

func newTable() *table { return &table{figures: map[key][]figures{}, failed: map[key]int{}} }

// add takes one measurement, or its failure, and says how the run goes on.
func (t *table) add(k key, f figures, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%d viewers: %v\n", k.viewers, err)
		t.failed[k]++
		return
	}
	fmt.Fprintf(os.Stderr, "%d viewers: %s used %v for %d packets\n", k.viewers, k.server, f.cpu, f.counted.Packets)
	t.figures[k] = append(t.figures[k], f)
}

// printHeader says what a run's figures were made with.
func printHeader(ctx context.Context) {
	var kernel unix.Utsname
	_ = unix.Uname(&kernel) // then it has no name
	fmt.Printf("commit %s; %s, %d cores; Linux %s; %s\n`bench/fanout %s`\n", commit(ctx), processor(), runtime.NumCPU(),
		unix.ByteSliceToString(kernel.Release[:]), runtime.Version(), strings.Join(os.Args[1:], " "))
}

func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // then it has no name
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// print writes medians over the rounds; losses and drops are sums.
func (t *table) print(p *plan, servers []server) {
	fmt.Printf("\nMedians of %d rounds of %v; GOP %d s\n\n", p.rounds, p.window, p.gop)
	fmt.Println("| viewers | server | SRTP | µs of CPU a packet | × floor | KiB a viewer | goroutines a viewer | lost | of them dropped by viewers' sockets |" +
		" POST to first keyframe, median (worst) | packets/s a viewer (bytes each) | CPU of the viewers |\n|---|---|---|---|---|---|---|---|---|---|---|---|")
	for _, n := range p.viewers {
		for _, s := range servers {
			t.row(s, n)
		}
	}
	t.printRatios(p, servers)
	t.printTransit(p, servers)
}

func (t *table) row(s server, n int) {
	all := t.figures[key{s.Name, n}]
	if len(all) == 0 {
		fmt.Printf("| %d | %s | failed |\n", n, s.Name)
		return
	}
	name := s.Name
	if bad := t.failed[key{s.Name, n}]; bad > 0 {
		name += fmt.Sprintf(" (%d rounds failed)", bad)
	}
	var sum counted
	var keyframes []time.Duration
	window := time.Duration(0)
	for _, f := range all {
		window += f.window
		sum.Packets += f.counted.Packets
		sum.Bytes += f.counted.Bytes
		sum.Missing += f.counted.Missing
		sum.drops += f.counted.drops
		keyframes = append(keyframes, f.keyframes...)
	}
	of := func(get func(figures) float64) float64 { return medianOf(all, get) }
	ratio, goroutines, profile := "-", "-", all[0].profile
	if r, ok := t.ratio(key{s.Name, n}, key{floorName, n}); ok {
		ratio = fmt.Sprintf("%.2f", r)
	}
	if all[0].told {
		goroutines = fmt.Sprintf("%.1f", t.perViewer(s.Name, n, func(f figures) float64 { return f.goroutines }))
	}
	if profile == "" {
		profile = "-"
	}
	packets := max(float64(sum.Packets), 1)
	fmt.Printf("| %d | %s | %s | %.2f | %s | %.0f | %s | %s | %d | %s | %.0f (%.0f) | %.0f %% |\n", n, name, profile,
		of(figures.perPacket), ratio, t.perViewer(s.Name, n, func(f figures) float64 { return f.memory }), goroutines,
		share(sum), sum.drops, spread(keyframes), packets/window.Seconds()/float64(n), float64(sum.Bytes)/packets,
		100*of(func(f figures) float64 { return f.generator }))
}

// perViewer is the median of a figure for each of n viewers, over what the server has without any.
func (t *table) perViewer(server string, n int, get func(figures) float64) float64 {
	empty := t.figures[key{server, 0}]
	if len(empty) == 0 {
		return 0
	}
	return (medianOf(t.figures[key{server, n}], get) - medianOf(empty, get)) / float64(n)
}

// ratio of the time for a packet; false if one of them has not been measured.
func (t *table) ratio(a, b key) (float64, bool) {
	over, under := t.figures[a], t.figures[b]
	if len(over) == 0 || len(under) == 0 {
		return 0, false
	}
	return medianOf(over, figures.perPacket) / medianOf(under, figures.perPacket), true
}

// printRatios says how the gateway stands beside each other server.
func (t *table) printRatios(p *plan, servers []server) {
	for _, n := range p.viewers {
		var all []string
		for _, s := range servers {
			if r, ok := t.ratio(key{gatewayName, n}, key{s.Name, n}); ok && s.Name != gatewayName {
				all = append(all, fmt.Sprintf("%.2f × %s", r, s.Name))
			}
		}
		if len(all) > 0 {
			fmt.Printf("\nAt %d viewers a packet costs the gateway %s.\n", n, strings.Join(all, ", "))
		}
	}
}

func (t *table) printTransit(p *plan, servers []server) {
	if !slices.Contains(p.viewers, p.transit) {
		return
	}
	fmt.Printf("\nFrom the source's write of a picture to its last packet at a viewer's socket, %d viewers\n\n", p.transit)
	fmt.Println("| server | p50 | p99 | pictures |\n|---|---|---|---|")
	for _, s := range servers {
		var all []time.Duration
		for _, f := range t.figures[key{s.Name, p.transit}] {
			all = append(all, f.transit...)
		}
		if len(all) > 0 {
			slices.Sort(all)
			fmt.Printf("| %s | %.1f ms | %.1f ms | %d |\n", s.Name, milliseconds(all[len(all)/2]), milliseconds(all[len(all)*99/100]), len(all))
		}
	}
}

// share is how many packets are missing, and of how many.
func share(c counted) string {
	if c.Missing == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%.3f %%)", c.Missing, 100*float64(c.Missing)/float64(c.Packets+c.Missing))
}

func spread(all []time.Duration) string {
	if len(all) == 0 {
		return "-"
	}
	slices.Sort(all)
	return fmt.Sprintf("%.0f ms (%.0f ms)", milliseconds(all[len(all)/2]), milliseconds(all[len(all)-1]))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func medianOf(all []figures, get func(figures) float64) float64 {
	values := make([]float64, len(all))
	for i, f := range all {
		values[i] = get(f)
	}
	return median(values)
}

// median is the upper one of the two in the middle where there are two; there is at least one value.
func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}
