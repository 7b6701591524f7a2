package rtpin

import (
	"time"

	"github.com/pion/rtp"
)

const (
	reorderWindow = 64                     // packets, where what is lost stays lost
	resendWindow  = 512                    // packets, where it is asked for again: 200 ms of 30 Mbit/s
	reorderWait   = 200 * time.Millisecond // for a packet that is missing
	soundWait     = 60 * time.Millisecond  // the same, of sound: a short gap is concealed, a long wait is heard
	maxGap        = 1000                   // sequence numbers; what is farther is a jump
)

// held is a packet that waits for an earlier one.
type held struct {
	pkt     *rtp.Packet
	arrived time.Time
}

// reorderer puts packets in the order of their sequence numbers, drops duplicates and tells of gaps. Without slots
// nothing waits: the transport keeps the order, so a gap is a loss at once.
type reorderer struct {
	deliver func(pkt *rtp.Packet, arrived time.Time, lost int, jumped bool)
	stats   *Stats
	slots   []held // by sequence number modulo their count, a power of two
	wait    time.Duration

	started bool
	next    uint16 // sequence number
	seen    uint64 // bit n: next-1-n was delivered
	waiting int
	since   time.Time // none that waits arrived before
	jumps   int       // in a row
	behind  int       // late packets in a row
	jumped  bool
	lost    int // since the latest delivery
}

func (o *reorderer) push(pkt *rtp.Packet, arrived time.Time) {
	if !o.started {
		o.started, o.next = true, pkt.SequenceNumber
	}
	ahead := int(int16(pkt.SequenceNumber - o.next))
	if ahead > maxGap || ahead < -maxGap {
		if !o.jump(pkt.SequenceNumber) {
			return
		}
		ahead = 0
	}
	o.jumps = 0
	if ahead < 0 && o.old(-ahead-1) {
		o.restart(pkt.SequenceNumber)
		ahead = 0
	}
	switch {
	case ahead == 0:
		o.give(pkt, arrived)
		o.drain()
	case ahead > 0:
		o.keep(pkt, arrived, ahead)
	}
	o.expire(arrived)
}

// jump takes note of a packet far away. The second in a row makes the reorderer go on there (RFC 3550 A.1).
func (o *reorderer) jump(seq uint16) bool {
	if o.jumps++; o.jumps < 2 {
		o.stats.Malformed++
		return false
	}
	o.restart(seq)
	return true
}

// restart goes on at seq, whatever was before.
func (o *reorderer) restart(seq uint16) {
	o.flush()
	o.seen, o.lost = 0, 0
	o.next, o.jumped = seq, true
}

// old drops a packet whose turn is over. True if so many are late in a row that it is the sender who went back.
func (o *reorderer) old(age int) bool {
	if age < 64 && o.seen>>age&1 == 1 {
		o.stats.Duplicate++
		return false
	}
	if o.behind++; o.behind > max(reorderWindow, len(o.slots)) {
		return true
	}
	o.stats.Late++
	return false
}

// keep holds a packet that is ahead, giving up on missing ones until it fits the window.
func (o *reorderer) keep(pkt *rtp.Packet, arrived time.Time, ahead int) {
	for ; ahead > 0 && ahead >= len(o.slots); ahead-- {
		o.step()
	}
	if ahead == 0 {
		o.give(pkt, arrived)
		o.drain()
		return
	}
	slot := o.slot(pkt.SequenceNumber)
	if slot.pkt != nil {
		o.stats.Duplicate++
		return
	}
	*slot = held{pkt: pkt, arrived: arrived}
	if o.waiting++; o.waiting == 1 {
		o.since = arrived
	}
	o.drain()
}

// step goes past the next sequence number, with its packet or without.
func (o *reorderer) step() {
	if o.waiting > 0 && o.slot(o.next).pkt != nil {
		slot := o.slot(o.next)
		h := *slot
		*slot = held{}
		o.waiting--
		o.give(h.pkt, h.arrived)
		return
	}
	o.next++
	o.seen <<= 1
	o.lost++
}

func (o *reorderer) give(pkt *rtp.Packet, arrived time.Time) {
	lost, jumped := o.lost, o.jumped
	o.lost, o.jumped, o.behind = 0, false, 0
	o.next++
	o.seen = o.seen<<1 | 1
	o.deliver(pkt, arrived, lost, jumped)
}

func (o *reorderer) drain() {
	for o.waiting > 0 && o.slot(o.next).pkt != nil {
		o.step()
	}
}

// expire gives up on what is missing before packets that have waited too long.
func (o *reorderer) expire(now time.Time) {
	for o.waiting > 0 && now.Sub(o.since) >= o.wait {
		if o.since = o.oldest(); now.Sub(o.since) < o.wait {
			return
		}
		for o.slot(o.next).pkt == nil {
			o.step()
		}
		o.drain()
	}
}

func (o *reorderer) oldest() time.Time {
	var first time.Time
	for i := range o.slots {
		if h := &o.slots[i]; h.pkt != nil && (first.IsZero() || h.arrived.Before(first)) {
			first = h.arrived
		}
	}
	return first
}

// flush lets all that wait go.
func (o *reorderer) flush() {
	for o.waiting > 0 {
		o.step()
	}
}

// reset starts over at whatever sequence number comes next. Nothing may wait.
func (o *reorderer) reset() {
	*o = reorderer{deliver: o.deliver, stats: o.stats, slots: o.slots, wait: o.wait}
}

func (o *reorderer) slot(seq uint16) *held { return &o.slots[int(seq)%len(o.slots)] }
