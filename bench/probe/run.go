package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// run is what the page notes of one join. All times are in milliseconds; those of the page count from the click.
type run struct {
	Pictures   [][2]*float64      `json:"pictures"` // when each was shown, and how old it was when it was decoded, null if it bore no time
	Clicked    int64              `json:"clicked"`  // ms since 1970
	Marks      map[string]float64 `json:"marks"`
	Statistics []statistics       `json:"statistics"`
	Error      string             `json:"error"`
}

// statistics are Chromium's of the video, and a little of the sound.
type statistics struct {
	At                           float64 `json:"at"`
	FramesDecoded                float64 `json:"framesDecoded"`
	FreezeCount                  float64 `json:"freezeCount"`
	TotalFreezesDuration         float64 `json:"totalFreezesDuration"` // s
	JitterBufferDelay            float64 `json:"jitterBufferDelay"`    // s, of all pictures together
	JitterBufferEmittedCount     float64 `json:"jitterBufferEmittedCount"`
	PLICount                     float64 `json:"pliCount"`
	NACKCount                    float64 `json:"nackCount"`
	PacketsLost                  float64 `json:"packetsLost"`
	RetransmittedPacketsReceived float64 `json:"retransmittedPacketsReceived"`
}

const (
	settled    = 2000.0 // ms after the first picture: from here on is steady
	nearSteady = 70.0   // ms: so near to the steady age is live
	freeze     = 150.0  // ms between two pictures
)

// result is what a join comes to.
type result struct {
	Connected, First, Live float64   // ms from the click
	Ages                   []float64 // ms, of the pictures of the steady time
	Age                    float64   // ms, their median
	Freezes, Frozen        float64   // our own count, and their sum in s
	Excused                float64   // freezes that were the source's
	Counted, CountedFrozen float64   // Chromium's, the same
	FPS, Buffer            float64   // decoded a second, and ms in the jitter buffer, in the steady time
	PLI, NACK, Lost, Again float64   // packets: lost for good or for a while, and those that were sent again
}

var errNoPictures = errors.New("no picture with a time in it was shown")

// judge works out a run's result; paused says whether the source stood still between two moments.
func (r run) judge(paused func(from, to time.Time) bool) (result, error) {
	var out result
	if r.Error != "" {
		return out, errors.New(r.Error)
	}
	if len(r.Pictures) == 0 || len(r.Statistics) < 2 {
		return out, errNoPictures
	}
	out.Connected, out.First = r.Marks["connected"], *r.Pictures[0][0]
	for _, p := range r.Pictures {
		if p[1] != nil && *p[0] >= out.First+settled {
			out.Ages = append(out.Ages, *p[1])
		}
	}
	if len(out.Ages) == 0 {
		return out, errNoPictures
	}
	out.Age = median(out.Ages)
	live := slices.IndexFunc(r.Pictures, func(p [2]*float64) bool { return p[1] != nil && math.Abs(*p[1]-out.Age) <= nearSteady })
	out.Live = *r.Pictures[max(live, 0)][0] // the median is among them
	r.freezes(&out, paused)
	out.count(r.Statistics[0], r.Statistics[len(r.Statistics)-1])
	return out, nil
}

// freezes counts where one picture stood for too long.
func (r run) freezes(out *result, paused func(from, to time.Time) bool) {
	moment := func(at float64) time.Time {
		return time.UnixMilli(r.Clicked).Add(time.Duration(at * float64(time.Millisecond)))
	}
	for i, p := range r.Pictures[1:] {
		from, to := *r.Pictures[i][0], *p[0]
		switch {
		case to-from <= freeze:
		case paused(moment(from), moment(to)):
			out.Excused++
		default:
			out.Freezes++
			out.Frozen += (to - from) / 1000
		}
	}
}

// count takes the figures out of statistics of the steady time's begin and its end. What was decoded before, to catch
// up with what is live, is no measure.
func (out *result) count(steady, last statistics) {
	out.Counted, out.CountedFrozen = last.FreezeCount, last.TotalFreezesDuration
	out.PLI, out.NACK, out.Lost, out.Again = last.PLICount, last.NACKCount, last.PacketsLost, last.RetransmittedPacketsReceived
	if span := last.At - steady.At; span > 0 {
		out.FPS = (last.FramesDecoded - steady.FramesDecoded) * 1000 / span
	}
	if n := last.JitterBufferEmittedCount - steady.JitterBufferEmittedCount; n > 0 {
		out.Buffer = (last.JitterBufferDelay - steady.JitterBufferDelay) * 1000 / n
	}
}

// percentile is that of values, 0 if there are none.
func percentile[T cmp.Ordered](values []T, percent int) T {
	var none T
	if len(values) == 0 {
		return none
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)]
}

func median(values []float64) float64 { return percentile(values, 50) }

// firstPicture is how long a join may wait for its first picture beside the GOP.
const firstPicture = 15 * time.Second

// join watches one server from a click on, and for so long from the first picture.
func (b *browser) join(ctx context.Context, server int, loss float64, patience, long time.Duration) (run, error) {
	var r run
	if err := b.evaluate(nil, "probe.join(%d, %g)", server, loss); err != nil {
		return r, err
	}
	var s struct {
		First float64
		Error string
	}
	for began := time.Now(); s.First == 0 && s.Error == "" && time.Since(began) < patience; {
		if err := wait(ctx, time.Now().Add(100*time.Millisecond)); err != nil {
			return r, err
		}
		if err := b.evaluate(&s, "probe.state()"); err != nil {
			return r, err
		}
	}
	if s.First > 0 {
		if err := b.watch(ctx, time.Now(), long); err != nil {
			return r, err
		}
	}
	err := b.evaluate(&r, "probe.leave()")
	return r, err
}

// watch has the page take its statistics when it is steady, and at the end.
func (b *browser) watch(ctx context.Context, began time.Time, long time.Duration) error {
	for _, after := range []time.Duration{settled * time.Millisecond, long} {
		if err := wait(ctx, began.Add(after)); err != nil {
			return err
		}
		if err := b.evaluate(nil, "probe.measure()"); err != nil {
			return fmt.Errorf("take statistics: %w", err)
		}
	}
	return nil
}
