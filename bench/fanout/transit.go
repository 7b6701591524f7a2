//go:build linux

package main

import (
	"context"
	"math"
	"sort"
	"time"

	"sluice/bench/load"
)

const (
	transitWindow = 4 * time.Second
	maxHeld       = 90   // pictures that a server may be behind
	sameTime      = 1500 // ticks by which timestamps may differ: half a picture at 30 a second
)

// transit is the time from the source's write of each picture to the arrival of its last packet at each viewer's
// socket.
func (r *running) transit(ctx context.Context, src *source) ([]time.Duration, error) {
	for _, v := range r.crowd.all {
		if err := v.Stamp(); err != nil {
			return nil, err
		}
	}
	if err := wait(ctx, transitWindow); err != nil {
		return nil, err
	}
	var all []time.Duration
	pictures := src.pictures()
	for _, v := range r.crowd.all {
		came, err := v.Pictures()
		if err != nil {
			return nil, err
		}
		all = append(all, match(pictures, came)...)
	}
	return all, nil
}

// match finds which pictures of the source came to a viewer, and how long each took. Servers count time from another
// moment, so the offset is searched for with which the pictures' sizes agree best; no picture comes before it is sent.
func match(source []sent, came []load.Picture) []time.Duration {
	if len(came) == 0 {
		return nil
	}
	last := sort.Search(len(source), func(i int) bool { return source[i].at > came[0].At })
	var best []time.Duration
	least := math.Inf(1)
	for at := max(0, last-maxHeld); at < last; at++ {
		if took, cost := compare(source[at:], came); cost < least {
			best, least = took, cost
		}
	}
	return best
}

// compare takes the first of both lists for the same picture. It says how long each took, and how much what packets
// add to the pictures' sizes differs from one to the next.
func compare(source []sent, came []load.Picture) ([]time.Duration, float64) {
	var took []time.Duration
	var added []float64
	i, sum := 0, 0.0
	for _, p := range came {
		after := int32(p.Timestamp - came[0].Timestamp)
		for i < len(source) && int32(source[i].timestamp-source[0].timestamp)-after < -sameTime {
			i++
		}
		if i == len(source) {
			break
		}
		if int32(source[i].timestamp-source[0].timestamp)-after < sameTime {
			if p.At < source[i].at {
				return nil, math.Inf(1)
			}
			took = append(took, time.Duration(p.At-source[i].at))
			added = append(added, float64(p.Bytes-source[i].bytes))
			sum += added[len(added)-1]
		}
	}
	if 2*len(took) < len(came) {
		return nil, math.Inf(1)
	}
	differ := 0.0
	for _, n := range added {
		differ += math.Abs(n - sum/float64(len(added)))
	}
	return took, differ / float64(len(added))
}
