package rtpout

import "time"

const (
	leastHistory   = 64   // units
	mostHistory    = 1024 // units
	mostPackets    = 4096
	historyIsYoung = 2 * time.Second // what was sent longer ago is not worth more room
)

// history is the units that a viewer was sent last, oldest first, so that packets can be found by their number. It
// takes as much room as young units need.
type history struct {
	units   []unit // a ring; its length is a power of two, or 0 before the first unit
	start   int    // of the oldest
	size    int
	packets int
}

func (h *history) at(i int) *unit { return &h.units[(h.start+i)&(len(h.units)-1)] }

// add takes in a unit, whose packets follow those of the unit before.
func (h *history) add(u *unit) {
	if h.size == len(h.units) {
		h.makeRoom(u.sent)
	}
	h.size++
	*h.at(h.size - 1) = *u
	h.packets += int(u.count)
	for h.packets > mostPackets && h.size > 1 {
		h.drop()
	}
}

func (h *history) makeRoom(now uint32) {
	switch n := len(h.units); {
	case n == 0:
		h.units = make([]unit, leastHistory)
	case n < mostHistory && isYoung(h.at(0), now):
		h.resize(2 * n)
	default:
		h.drop()
	}
}

func (h *history) drop() {
	h.packets -= int(h.at(0).count)
	h.start = (h.start + 1) & (len(h.units) - 1)
	h.size--
}

// resize keeps the newest units.
func (h *history) resize(n int) {
	for h.size > n {
		h.drop()
	}
	units := make([]unit, n)
	for i := range h.size {
		units[i] = *h.at(i)
	}
	h.units, h.start = units, 0
}

// shrink gives room back that young units don't need.
func (h *history) shrink(now uint32) {
	n := len(h.units)
	if n > leastHistory && (h.size <= n/4 || !isYoung(h.at(h.size-n/4), now)) {
		h.resize(n / 2)
	}
}

func isYoung(u *unit, now uint32) bool {
	return now-u.sent < uint32(historyIsYoung/time.Millisecond)
}

// find is the unit that a sequence number belongs to, nil if it is not among them.
func (h *history) find(sequence uint16) *unit {
	if h.size == 0 {
		return nil
	}
	first := h.at(0).first
	distance := sequence - first
	low, high := 0, h.size // the unit is in [low, high)
	for high-low > 1 {
		if middle := (low + high) / 2; h.at(middle).first-first <= distance {
			low = middle
		} else {
			high = middle
		}
	}
	if u := h.at(low); sequence-u.first < u.count {
		return u
	}
	return nil
}
