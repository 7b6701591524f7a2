package session

import (
	"testing"
	"time"

	"sluice/rtpout"
)

// F40: three wishes in five seconds after two keyframes, and nothing lost, mean that the decoder can't.
func TestDoubt(t *testing.T) {
	for _, c := range []struct {
		name   string
		counts []rtpout.Stats // by the second
		want   int            // the second in which it is sure; -1: never
	}{
		{"plays", []rtpout.Stats{{Keyframes: 1}, {Keyframes: 2}, {Keyframes: 3}, {Keyframes: 4}}, -1},
		{"wants while it joins", []rtpout.Stats{{Wishes: 3}, {Keyframes: 1, Wishes: 5}, {Keyframes: 2, Wishes: 5}, {Keyframes: 3, Wishes: 5}}, -1},
		{"can't decode", []rtpout.Stats{{Keyframes: 1}, {Keyframes: 2, Wishes: 1}, {Keyframes: 3, Wishes: 2}, {Keyframes: 4, Wishes: 4}}, 3},
		{
			"loses packets",
			[]rtpout.Stats{{Keyframes: 2}, {Keyframes: 3, Wishes: 2, Resends: 10}, {Keyframes: 4, Wishes: 4, Resends: 20}, {Keyframes: 5, Wishes: 6, Resends: 30}},
			-1,
		},
		{
			"wants one now and then",
			[]rtpout.Stats{{Keyframes: 2}, {Keyframes: 2, Wishes: 1}, {Keyframes: 2, Wishes: 1}, {Keyframes: 2, Wishes: 1}, {Keyframes: 2, Wishes: 2}, {Keyframes: 2, Wishes: 2}, {Keyframes: 2, Wishes: 3}, {Keyframes: 3, Wishes: 4}},
			-1,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d doubt
			got := -1
			for i, s := range c.counts {
				if d.grows(time.Unix(int64(i), 0), s) && got < 0 {
					got = i
				}
			}
			if got != c.want {
				t.Errorf("sure in second %d, want %d", got, c.want)
			}
		})
	}
}
