package transcode

import (
	"testing"

	"sluice/hub"
	"sluice/media"
)

func TestPace(t *testing.T) {
	at := func(every int64, all ...int64) (pts []int64) {
		for _, n := range all {
			pts = append(pts, n*every)
		}
		return pts
	}
	long := make([]int64, 3*maxPace)
	for i := range long {
		long[i] = int64(i) * 6000
		if i >= maxPace {
			long[i] = int64(i) * 1500
		}
	}
	for _, c := range []struct {
		name string
		pts  []int64
		want int
	}{
		{"nothing", nil, 0},
		{"too few", at(3600, 0, 1, 2, 3), 0},
		{"25 a second", at(3600, 0, 1, 2, 3, 4), 25},
		{"59.94 a second", []int64{0, 1502, 3003, 4505, 6006, 7508}, 60},
		{"in milliseconds", []int64{0, 5940, 12060, 17910, 24120, 29970}, 15},
		{"B-frames", at(3000, 0, 3, 1, 2, 6, 4, 5, 9, 7, 8), 30},
		{"some lost", at(1500, 0, 1, 2, 5, 6, 7, 8, 11, 12), 60},
		{"again from the keyframe", at(3600, 0, 1, 2, 3, 0, 1, 2, 3, 4), 25},
		{"the same again and again", at(3600, 1, 1, 1, 1, 1, 1, 1), 0},
		{"no times at all", at(1, 1, 2, 3, 4, 5, 6, 7, 8), 0},
		{"one each two seconds", at(180000, 0, 1, 2, 3, 4, 5), 1},
		{"the newest count", long, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p pace
			for _, pts := range c.pts {
				p.add(&hub.Unit{Track: &media.Track{ClockRate: 90000}, AccessUnit: &media.AccessUnit{PTS: pts}})
			}
			equal(t, "rate", p.rate(), c.want)
		})
	}
}
