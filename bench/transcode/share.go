//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
)

const crowd = 10

// measureShare is what ten viewers of one transcoded stream cost, beside one.
func (b *bench) measureShare(ctx context.Context) error {
	if b.share == 0 {
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
	s, err := b.openScene(ctx, path{}, f)
	if err != nil {
		return err
	}
	defer s.close()
	loads := map[int][]load{}
	for range b.share {
		for _, n := range []int{1, crowd} {
			l, err := b.loadOf(ctx, s, n)
			if err != nil {
				return err
			}
			loads[n] = append(loads[n], l)
		}
	}
	printShare(loads, &b.targets)
	return nil
}

// loadOf has n watch, one of whom does already.
func (b *bench) loadOf(ctx context.Context, s *scene, n int) (load, error) {
	for range n - 1 {
		v, err := join(ctx, s.endpoint, path{}.offer())
		if err != nil {
			return load{}, err
		}
		defer v.leave(ctx)
		if _, err := v.video.playable(ctx, v.asked, firstWithin); err != nil {
			return load{}, err
		}
	}
	if err := wait(ctx, b.settle); err != nil {
		return load{}, err
	}
	return s.load(ctx, b.window)
}

func printShare(loads map[int][]load, t *targets) {
	fmt.Printf("\nOne H265 720p camera made into H264, median of %d rounds\n\n", len(loads[1]))
	fmt.Println("| viewers | worker, % of a core | × 1 viewer | gateway, % of a core |\n|---|---|---|---|")
	one := medianOf(loads[1], func(l load) float64 { return l.workers })
	for _, n := range []int{1, crowd} {
		worker := medianOf(loads[n], func(l load) float64 { return l.workers })
		fmt.Printf("| %d | %.1f | %.2f | %.1f |\n", n, 100*worker, worker/one, 100*medianOf(loads[n], func(l load) float64 { return l.gateway }))
		if n == crowd {
			t.addRatio("workers' CPU of 10 viewers, by that of 1", worker/one, 1.1)
		}
	}
}

func medianOf[T any](all []T, of func(T) float64) float64 {
	var values []float64
	for _, one := range all {
		values = append(values, of(one))
	}
	return median(values)
}

// median is the middle one; the zero value of nothing.
func median[T float64 | ~int64](all []T) T {
	return quantile(all, 0.5)
}

func quantile[T float64 | ~int64](all []T, q float64) T {
	if len(all) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(all))
	return s[min(int(q*float64(len(s))), len(s)-1)]
}
