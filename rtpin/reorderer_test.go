package rtpin

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// E40, J120: order, duplicates, gaps, wrap-around, jumps.
func TestReorderer(t *testing.T) {
	span := func(from, to uint16) (out []uint16) {
		for s := from; s != to; s++ {
			out = append(out, s)
		}
		return out
	}
	for _, c := range []struct {
		name   string
		window int
		in     []uint16
		want   []uint16
		stats  Stats // Lost is counted here by the test
		jumps  int
	}{
		{"in order", 64, []uint16{5, 6, 7}, []uint16{5, 6, 7}, Stats{}, 0},
		{"two swapped", 64, []uint16{5, 7, 6, 8}, []uint16{5, 6, 7, 8}, Stats{}, 0},
		{"far ahead", 64, append([]uint16{0}, append(span(2, 64), 1)...), span(0, 64), Stats{}, 0},
		{"wraps", 64, []uint16{65534, 0, 65535, 1}, []uint16{65534, 65535, 0, 1}, Stats{}, 0},
		{"duplicates", 64, []uint16{5, 5, 7, 7, 6, 6, 7}, []uint16{5, 6, 7}, Stats{Duplicate: 4}, 0},
		{"gap waits", 64, []uint16{5, 7, 8}, []uint16{5}, Stats{}, 0},
		{"window full", 64, append([]uint16{0}, span(2, 66)...), append([]uint16{0}, span(2, 66)...), Stats{Lost: 1}, 0},
		{"late", 64, append(append([]uint16{0}, span(2, 66)...), 1), append([]uint16{0}, span(2, 66)...), Stats{Lost: 1, Late: 1}, 0},
		{"one jump", 64, []uint16{5, 30000, 6}, []uint16{5, 6}, Stats{Malformed: 1}, 0},
		{"two jumps", 64, []uint16{5, 30000, 30001, 30002}, []uint16{5, 30001, 30002}, Stats{Malformed: 1}, 1},
		{"back", 64, []uint16{30000, 5, 6, 7}, []uint16{30000, 6, 7}, Stats{Malformed: 1}, 1},
		{"back a little", 64, append([]uint16{500}, span(1, 68)...), []uint16{500, 65, 66, 67}, Stats{Late: 64}, 1},
		{"ordered, back a little", 0, append([]uint16{500}, span(1, 68)...), []uint16{500, 65, 66, 67}, Stats{Late: 64}, 1},
		{"ordered, gap", 0, []uint16{5, 8, 9}, []uint16{5, 8, 9}, Stats{Lost: 2}, 0},
		{"ordered, duplicate and late", 0, []uint16{5, 8, 8, 7}, []uint16{5, 8}, Stats{Lost: 2, Duplicate: 1, Late: 1}, 0},
		{"ordered, great gap", 0, []uint16{5, 1005}, []uint16{5, 1005}, Stats{Lost: 999}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []uint16
			var stats Stats
			jumps := 0
			o := reorderer{slots: make([]held, c.window), stats: &stats, wait: reorderWait}
			o.deliver = func(p *rtp.Packet, _ time.Time, lost int, jumped bool) {
				got = append(got, p.SequenceNumber)
				stats.Lost += uint64(lost)
				if jumped {
					jumps++
				}
			}
			for _, s := range c.in {
				o.push(packet(s, 0, false), start)
			}
			if !slices.Equal(got, c.want) || stats != c.stats || jumps != c.jumps {
				t.Errorf("got %v %+v, %d jumps; want %v %+v, %d jumps", got, stats, jumps, c.want, c.stats, c.jumps)
			}
		})
	}
}

// E40: nothing waits longer than 200 ms, whether packets or ticks come.
func TestReordererWait(t *testing.T) {
	for _, tick := range []bool{true, false} {
		var got []uint16
		lost := 0
		o := reorderer{slots: make([]held, reorderWindow), stats: &Stats{}, wait: reorderWait}
		o.deliver = func(p *rtp.Packet, _ time.Time, n int, _ bool) {
			got, lost = append(got, p.SequenceNumber), lost+n
		}
		for i, s := range []uint16{1, 3, 6} {
			o.push(packet(s, 0, false), start.Add(time.Duration(i)*50*time.Millisecond))
		}
		o.expire(start.Add(249 * time.Millisecond))
		if !slices.Equal(got, []uint16{1}) {
			t.Fatalf("too early: %v", got)
		}
		if tick {
			o.expire(start.Add(250 * time.Millisecond))
		} else {
			o.push(packet(9, 0, false), start.Add(250*time.Millisecond))
		}
		if !slices.Equal(got, []uint16{1, 3}) || lost != 1 {
			t.Fatalf("after 200 ms: %v, %d lost", got, lost)
		}
		o.expire(start.Add(300 * time.Millisecond))
		if !slices.Equal(got, []uint16{1, 3, 6}) || lost != 3 {
			t.Fatalf("at last: %v, %d lost", got, lost)
		}
	}
}

// J120: sequence numbers that jump with every packet keep nothing waiting.
func TestReordererBounded(t *testing.T) {
	for _, step := range []uint16{32768, 32767, 20000, 1001, 63, 999} {
		given := 0
		o := reorderer{slots: make([]held, reorderWindow), stats: &Stats{}, wait: reorderWait}
		o.deliver = func(*rtp.Packet, time.Time, int, bool) { given++ }
		for i := range 10000 {
			o.push(packet(uint16(i)*step, 0, false), start)
			if o.waiting > reorderWindow {
				t.Fatalf("step %d: %d packets wait", step, o.waiting)
			}
		}
		if given == 0 {
			t.Errorf("step %d: nothing came through", step)
		}
	}
}
