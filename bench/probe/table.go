package main

import (
	"fmt"
	"io"
	"slices"
)

// each is one figure of all results.
func each(all []result, figure func(result) float64) []float64 {
	var values []float64
	for _, r := range all {
		values = append(values, figure(r))
	}
	return values
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

// both writes the median and the worst.
func both(values []float64) string {
	return fmt.Sprintf("%.0f (%.0f)", median(values), slices.Max(values))
}

// printJoins writes the table of joins: one row a server.
func printJoins(w io.Writer, servers []server, all [][]result) {
	fmt.Fprintln(w, "| server | joins | connected | first picture | live | glass to glass, p95 | freezes, Chromium's (source's) | fps | jitter buffer | PLI | NACK | lost |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|---|---|")
	for i, s := range servers {
		a := all[i]
		if len(a) == 0 {
			fmt.Fprintf(w, "| %s | 0 |\n", s.Name)
			continue
		}
		var ages []float64
		for _, r := range a {
			ages = append(ages, r.Ages...)
		}
		fmt.Fprintf(w, "| %s | %d | %s ms | %s ms | %s ms | %.0f, %.0f ms | %.0f, %.0f (%.0f) | %.1f | %.0f ms | %.0f | %.0f | %.0f |\n", s.Name, len(a),
			both(each(a, func(r result) float64 { return r.Connected })),
			both(each(a, func(r result) float64 { return r.First })),
			both(each(a, func(r result) float64 { return r.Live })),
			median(ages), percentile(ages, 95),
			sum(each(a, func(r result) float64 { return r.Freezes })), sum(each(a, func(r result) float64 { return r.Counted })),
			sum(each(a, func(r result) float64 { return r.Excused })),
			median(each(a, func(r result) float64 { return r.FPS })), median(each(a, func(r result) float64 { return r.Buffer })),
			sum(each(a, func(r result) float64 { return r.PLI })), sum(each(a, func(r result) float64 { return r.NACK })),
			sum(each(a, func(r result) float64 { return r.Lost })))
	}
}

// printLosses writes the table of runs with losses.
func printLosses(w io.Writer, servers []server, all [][]result, loss float64) {
	fmt.Fprintf(w, "\n| server, %.0f %% lost both ways | runs | fps (worst) | frozen, Chromium's | freezes, Chromium's (source's) | glass to glass, p95 | PLI | NACK | sent again | lost |\n", loss*100)
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|")
	for i, s := range servers {
		a := all[i]
		if len(a) == 0 {
			fmt.Fprintf(w, "| %s | 0 |\n", s.Name)
			continue
		}
		var ages []float64
		for _, r := range a {
			ages = append(ages, r.Ages...)
		}
		fps := each(a, func(r result) float64 { return r.FPS })
		fmt.Fprintf(w, "| %s | %d | %.1f (%.1f) | %.1f, %.1f s | %.0f, %.0f (%.0f) | %.0f, %.0f ms | %.0f | %.0f | %.0f | %.0f |\n", s.Name, len(a),
			median(fps), slices.Min(fps),
			sum(each(a, func(r result) float64 { return r.Frozen })), sum(each(a, func(r result) float64 { return r.CountedFrozen })),
			sum(each(a, func(r result) float64 { return r.Freezes })), sum(each(a, func(r result) float64 { return r.Counted })),
			sum(each(a, func(r result) float64 { return r.Excused })),
			median(ages), percentile(ages, 95),
			sum(each(a, func(r result) float64 { return r.PLI })), sum(each(a, func(r result) float64 { return r.NACK })),
			sum(each(a, func(r result) float64 { return r.Again })), sum(each(a, func(r result) float64 { return r.Lost })))
	}
}
