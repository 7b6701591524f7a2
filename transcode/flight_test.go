package transcode

import (
	"testing"
	"time"
)

func TestFlight(t *testing.T) {
	const frame = int64(40 * time.Millisecond)
	begin := time.Unix(1000, 0)
	at := func(n int) time.Time { return begin.Add(time.Duration(n) * 40 * time.Millisecond) }
	var f flight
	for i, pts := range []int64{0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11} { // two pictures are shown later than they come
		f.depart(flying{ns: pts * frame, at: at(i), ntp: at(int(pts))})
	}
	equal(t, "lag before anything has come out", f.lag(), 12*40*time.Millisecond)
	equal(t, "lag while nothing goes in", f.lag(), time.Duration(0))
	equal(t, "the first", f.land(0, at(1)).ntp, at(0))
	equal(t, "one whose time was rounded", f.land(frame+1, at(3)).ntp, at(1))
	equal(t, "one that never went in", f.land(frame*3/2, at(3)), flying{})
	equal(t, "one after some that were dropped", f.land(9*frame, at(9)).ntp, at(9))
	f.depart(flying{ns: 13 * frame, at: at(13)})
	equal(t, "those that may still come", f.lag(), 3*40*time.Millisecond)
	for i := range 2 * maxFlight {
		f.depart(flying{ns: int64(20+i) * frame, at: at(20 + i)})
	}
	equal(t, "remembered", len(f.all), maxFlight)
}

func TestOverloadSigns(t *testing.T) {
	for _, c := range []struct {
		name    string
		drops   string // x: the queue drops in that second, l: the output lags
		reduced int    // the second at whose end there is less to do; 0: none
	}{
		{"calm", "..........", 0},
		{"drops all the time", "xxxxxxxx", 6},
		{"a lag", "..llllllll", 8},
		{"from keyframe to keyframe", "x..x..x..", 6},
		{"once", "x.........", 0},
		{"now and then", "x...x...x...x", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var o overload
			var dropped uint64
			got := 0
			for i, sign := range c.drops {
				var lag time.Duration
				switch sign {
				case 'x':
					dropped += 10
				case 'l':
					lag = maxLag + 1
				}
				if o.look(time.Unix(int64(1000+i), 0), dropped, lag) && got == 0 {
					got = i + 1
				}
			}
			equal(t, "second", got, c.reduced)
		})
	}
}
