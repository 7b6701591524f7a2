package peer

import "sync/atomic"

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
