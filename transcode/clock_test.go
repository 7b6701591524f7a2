package transcode

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestTicksComeBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, rate := range []int{90000, 48000, 44100, 22050, 16000, 11025, 8000} {
		for range 20000 {
			want := random.Int64N(int64(rate) * 86400 * 365)
			if got := ticks(nanoseconds(want, rate), rate); got != want {
				t.Fatalf("%d ticks of %d Hz come back as %d", want, rate, got)
			}
		}
	}
}

func TestNanoseconds(t *testing.T) {
	for _, c := range []struct {
		name  string
		ticks int64
		rate  int
		want  int64
	}{
		{"one", 1, 90000, 11111},
		{"rounded up", 5, 90000, 55556},
		{"exact", 3600, 90000, int64(40 * time.Millisecond)},
		{"after ten years", 90000 * 315360000, 90000, 315360000 * int64(time.Second)},
		{"before zero", -1, 90000, -11111},
		{"sound", 1, 48000, 20833},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := nanoseconds(c.ticks, c.rate); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestSoundClock(t *testing.T) {
	ms := func(n float64) int64 { return int64(n * float64(time.Millisecond)) }
	for _, c := range []struct {
		name string
		told []int64 // by the worker, for packets of 20 ms
		want []int64
	}{
		{"exact", []int64{ms(1000), ms(1020), ms(1040)}, []int64{48000, 48960, 49920}},
		{"roughly", []int64{ms(1000), ms(1013.5), ms(1046)}, []int64{48000, 48960, 49920}},
		{"40 ms are not much", []int64{ms(1000), ms(1060), ms(1080)}, []int64{48000, 48960, 49920}},
		{"a gap", []int64{ms(1000), ms(1061), ms(1081)}, []int64{48000, 50928, 51888}},
		{"a step back", []int64{ms(1000), ms(900), ms(920)}, []int64{48000, 43200, 44160}},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := soundClock{rate: 48000}
			for i, ns := range c.told {
				if got := clock.stamp(ns, 960); got != c.want[i] {
					t.Errorf("packet %d: got %d, want %d", i, got, c.want[i])
				}
			}
		})
	}
}
