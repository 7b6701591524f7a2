package peer

import "sync/atomic"

// Counters counts what connections send. Many connections may share one; its zero value is ready.
type Counters struct {
	packets, bytes, resends atomic.Uint64
}

// Stats is what has been counted.
type Stats struct {
	Packets uint64
	Bytes   uint64 // of RTP payload
	Resends uint64 // packets that viewers asked for again
}

// Stats reads the counters.
func (c *Counters) Stats() Stats {
	return Stats{Packets: c.packets.Load(), Bytes: c.bytes.Load(), Resends: c.resends.Load()}
}

func (c *Counters) sent(payload int) {
	c.packets.Add(1)
	c.bytes.Add(uint64(payload))
}
