package rtpout

import "testing"

// fill adds so many units of four packets, each sent apart ms after the one before.
func fill(h *history, units int, apart uint32) (now uint32, next uint16) {
	next = 65_000
	for range units {
		now += apart
		h.add(&unit{sent: now, first: next, count: 4, timestamp: now})
		next += 4
	}
	return now, next
}

// A history takes as much room as the units of two seconds need, within bounds, and gives it back.
func TestHistoryGrowsAndShrinks(t *testing.T) {
	for name, c := range map[string]struct {
		units, apart, room int
	}{
		"none":                    {0, 0, 0},
		"one":                     {1, 40, 64},
		"a camera of 25 pictures": {5000, 40, 64},
		"a camera of 60 pictures": {5000, 16, 128},
		"a burst":                 {300, 1, 512},
		"a burst without an end":  {5000, 0, 1024},
	} {
		t.Run(name, func(t *testing.T) {
			h := &history{}
			now, _ := fill(h, c.units, uint32(c.apart))
			if len(h.units) != c.room {
				t.Errorf("room for %d units, want %d", len(h.units), c.room)
			}
			for range 10 {
				h.shrink(now + 3000)
			}
			if want := min(c.room, 64); len(h.units) != want || h.size > len(h.units) {
				t.Errorf("room for %d units after it", len(h.units))
			}
			checkFound(t, h)
		})
	}
}

// In steady state the room stays as it is: nothing is allocated.
func TestHistoryStaysAsItIs(t *testing.T) {
	for _, apart := range []uint32{40, 33, 31, 16, 8, 4} {
		h := &history{}
		now, next := fill(h, 5000, apart)
		n := testing.AllocsPerRun(5000, func() {
			now += apart
			h.add(&unit{sent: now, first: next, count: 4})
			next += 4
			h.shrink(now)
		})
		if n != 0 {
			t.Errorf("%v allocations at a unit each %d ms", n, apart)
		}
		checkFound(t, h)
	}
}

// checkFound wants every packet that is kept to be found, and none beside them.
func checkFound(t *testing.T, h *history) {
	t.Helper()
	packets := 0
	for i := range h.size {
		u := h.at(i)
		for n := range u.count {
			if h.find(u.first+n) != u {
				t.Fatalf("packet %d of unit %d of %d is not found", n, i, h.size)
			}
			packets++
		}
	}
	if packets != h.packets || packets > mostPackets {
		t.Errorf("%d packets, %d counted", packets, h.packets)
	}
	if h.size > 0 {
		last := h.at(h.size - 1)
		if h.find(h.at(0).first-1) != nil || h.find(last.first+last.count) != nil {
			t.Error("a packet beside them is found")
		}
	}
}

// Large units leave room for few.
func TestHistoryIsBoundedByPackets(t *testing.T) {
	h, next := &history{}, uint16(1)
	for i := range 2000 {
		count := uint16(1 + i%500)
		h.add(&unit{sent: uint32(i), first: next, count: count})
		next += count
		checkFound(t, h)
	}
	if h.packets < mostPackets-500 {
		t.Errorf("%d packets", h.packets)
	}
}
