package session

import (
	"testing"
	"time"

	"sluice/rtpout"
)

// F40: three wishes in five seconds after two keyframes, and no loss that explains them, mean that the decoder can't.
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
			"loses many packets",
			[]rtpout.Stats{
				{Keyframes: 2},
				{Keyframes: 3, Wishes: 2, Packets: 100, Resends: 10, Resent: 10},
				{Keyframes: 4, Wishes: 4, Packets: 200, Resends: 20, Resent: 20},
				{Keyframes: 5, Wishes: 6, Packets: 300, Resends: 30, Resent: 30},
			},
			-1,
		},
		{
			"loses packets that are sent no more",
			[]rtpout.Stats{
				{Keyframes: 2},
				{Keyframes: 3, Wishes: 2, Packets: 100, Resends: 1},
				{Keyframes: 4, Wishes: 4, Packets: 200, Resends: 3, Resent: 1},
				{Keyframes: 5, Wishes: 6, Packets: 300, Resends: 4, Resent: 1, Refused: 3},
			},
			-1,
		},
		{
			"can't decode, on Wi-Fi",
			[]rtpout.Stats{
				{Keyframes: 2},
				{Keyframes: 3, Wishes: 1, Packets: 200, Resends: 3, Resent: 3},
				{Keyframes: 4, Wishes: 2, Packets: 400, Resends: 3, Resent: 3},
				{Keyframes: 5, Wishes: 3, Packets: 600, Resends: 7, Resent: 7},
			},
			3,
		},
		{
			"can't decode, after a bad second",
			[]rtpout.Stats{
				{Keyframes: 2},
				{Keyframes: 3, Wishes: 1, Packets: 200, Resends: 50, Resent: 50},
				{Keyframes: 4, Wishes: 2, Packets: 400, Resends: 51, Resent: 51},
				{Keyframes: 5, Wishes: 3, Packets: 600, Resends: 51, Resent: 51},
				{Keyframes: 6, Wishes: 4, Packets: 800, Resends: 52, Resent: 52},
			},
			4,
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
