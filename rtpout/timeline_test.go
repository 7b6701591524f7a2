package rtpout

import "testing"

// F24, F26: however many pictures come late, and however little room there is, timestamps rise up to those that come
// next, by a millisecond at most.
func TestCatchingUp(t *testing.T) {
	for name, c := range map[string]struct {
		sent   []int64 // PTS before
		n      int
		newest int64
		want   []int64 // of the first and last late picture, and two that come each 3000 ticks after the newest
	}{
		"a join":                          {nil, 50, 90_000, []int64{90_000 - 49*90, 90_000, 93_000, 96_000}},
		"the newest only":                 {nil, 1, 90_000, []int64{90_000, 90_000, 93_000, 96_000}},
		"a gap":                           {[]int64{0}, 50, 90_000, []int64{90_000 - 49*90, 90_000, 93_000, 96_000}},
		"a gap with little room":          {[]int64{87_000}, 50, 90_000, []int64{87_060, 90_000, 93_000, 96_000}},
		"all were sent":                   {[]int64{87_000, 90_000}, 300, 90_000, []int64{90_001, 90_300, 93_000, 96_000}},
		"all but the newest were sent":    {[]int64{87_000}, 300, 90_000, []int64{87_010, 90_000, 93_000, 96_000}},
		"the newest only, which was sent": {[]int64{87_000, 90_000}, 1, 90_000, []int64{90_090, 90_090, 93_000, 96_000}},
		"more than there is time for":     {[]int64{87_000, 90_000}, 4000, 90_000, []int64{90_001, 94_000, 94_090, 96_000}},
		"another source, behind":          {[]int64{90_000}, 10, 80_000, []int64{90_001, 90_010, 90_100, 90_190}},
	} {
		t.Run(name, func(t *testing.T) {
			line := timeline{rate: 90_000}
			for _, pts := range c.sent {
				line.picture(pts, false)
			}
			line.catchUp(c.n, c.newest)
			var got []int64
			for i := range c.n {
				got = append(got, line.picture(c.newest-int64(c.n-1-i)*3000, false))
				if i > 0 && (got[i] <= got[i-1] || got[i]-got[i-1] > 90) {
					t.Fatalf("picture %d at %d after %d", i, got[i], got[i-1])
				}
			}
			ends := []int64{got[0], got[c.n-1], line.picture(c.newest+3000, false), line.picture(c.newest+6000, false)}
			for i, want := range c.want {
				if ends[i] != want {
					t.Errorf("got %d, want %d", ends, c.want)
					break
				}
			}
		})
	}
}
