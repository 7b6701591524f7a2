package rtpout

import "sync/atomic"

// Counters counts what viewers are sent. Many players may share one; its zero value is ready.
type Counters struct {
	packets, bytes, resends, resent, refused, keyframes, wishes atomic.Uint64
}

// Stats is what has been counted.
type Stats struct {
	Packets uint64 // sent for the first time; counted when their unit is complete
	Bytes   uint64 // of RTP payload, likewise
	Resends uint64 // packets that viewers asked for again
	Resent  uint64 // packets that were sent again; one that went twice counts twice
	Refused uint64 // resends that were too many: more than a fifth of what is sent

	Keyframes uint64 // pictures sent that decoding can start at
	Wishes    uint64 // times that viewers said they can't go on without a keyframe
}

// Stats reads the counters. It may be called from any goroutine.
func (c *Counters) Stats() Stats {
	return Stats{
		Packets: c.packets.Load(), Bytes: c.bytes.Load(),
		Resends: c.resends.Load(), Resent: c.resent.Load(), Refused: c.refused.Load(),
		Keyframes: c.keyframes.Load(), Wishes: c.wishes.Load(),
	}
}

func (c *Counters) sent(packets, bytes int) {
	c.packets.Add(uint64(packets))
	c.bytes.Add(uint64(bytes))
}
