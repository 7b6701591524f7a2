//go:build linux

package main

import (
	"fmt"
	"slices"
)

// print writes the table that docs/benchmarks.md shows.
func (p plan) print(ours, coturn []figures) {
	fmt.Printf("| median of %d rounds | embedded | coturn | embedded / coturn |\n|---|---|---|---|\n", p.rounds)
	row := func(name, format string, of func(figures) float64) {
		a, b := median(ours, of), median(coturn, of)
		fmt.Printf("| %s | "+format+" | "+format+" | %.2f |\n", name, a, b, a/b)
	}
	row(fmt.Sprintf("%d allocations, one after the other, s", p.allocations), "%.3f", func(f figures) float64 { return f.allocate })
	row("memory idle, MB", "%.1f", func(f figures) float64 { return f.idle })
	row("memory with them, MB", "%.1f", func(f figures) float64 { return f.held })
	row(fmt.Sprintf("packets of %d bytes relayed a second, %d allocations", payload, pairs), "%.0f", func(f figures) float64 { return f.packets })
	row("Mbit/s", "%.0f", func(f figures) float64 { return f.packets * payload * 8 / 1e6 })
	row("processor time a packet, µs", "%.2f", func(f figures) float64 { return f.perPacket })
	row(fmt.Sprintf("%d Binding requests/s from 1 address, %% of a core", p.flood), "%.1f", func(f figures) float64 { return f.flooded })
	row(fmt.Sprintf("the same from %d addresses, %% of a core", sources), "%.1f", func(f figures) float64 { return f.many })
	row("of these answered, %", "%.1f", func(f figures) float64 { return f.answered })
}

func median(all []figures, of func(figures) float64) float64 {
	var values []float64
	for _, f := range all {
		values = append(values, of(f))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
