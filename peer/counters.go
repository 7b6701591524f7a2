package peer

import "sync/atomic"

// Counters counts what connections send. Many connections may share one; its zero value is ready.
type Counters struct {
	packets, bytes, resends, refused atomic.Uint64
}

// Stats is what has been counted.
type Stats struct {
	Packets uint64
	Bytes   uint64 // of RTP payload
	Resends uint64 // packets that viewers asked for again
	Refused uint64 // resends that were too many: more than a fifth of what is sent
}

// Stats reads the counters.
func (c *Counters) Stats() Stats {
	return Stats{Packets: c.packets.Load(), Bytes: c.bytes.Load(), Resends: c.resends.Load(), Refused: c.refused.Load()}
}

func (c *Counters) sent(payload int) {
	c.packets.Add(1)
	c.bytes.Add(uint64(payload))
}

// receptionCounters counts what a Reception gets.
type receptionCounters struct {
	packets, bytes, lost, malformed, keyframes atomic.Uint64
}

// ReceptionStats is what a Reception has counted.
type ReceptionStats struct {
	Packets   uint64
	Bytes     uint64 // of RTP payload
	Lost      uint64 // packets that never came
	Malformed uint64 // packets that could not be read, or were of no payload type that was negotiated
	Keyframes uint64 // asked for
}

func (c *receptionCounters) received(payload int) {
	c.packets.Add(1)
	c.bytes.Add(uint64(payload))
}

// Stats is what this Reception has counted.
func (r *Reception) Stats() ReceptionStats {
	c := &r.counted
	return ReceptionStats{
		Packets: c.packets.Load(), Bytes: c.bytes.Load(), Lost: c.lost.Load(),
		Malformed: c.malformed.Load() + r.border.dropped.Load(), Keyframes: c.keyframes.Load(),
	}
}
