package rtpout

import "encoding/binary"

// Types of NAL unit that packets are made of.
const (
	h264SPS, h264PPS, h264SEI = 7, 8, 6
	h264STAPA, h264FUA        = 24, 28

	h265VPS, h265PPS = 32, 34
	h265AP, h265FU   = 48, 49
)

// cutH264 makes single NAL unit packets, one STAP-A for a run of parameter sets and SEI, and FU-A for what is too
// large (RFC 6184 5.6, 5.7.1, 5.8).
func cutH264(nalus [][]byte) []Payload {
	return cutNALs(nalus, nalFormat{
		header:    1,
		aggregate: func(n []byte) bool { t := n[0] & 0x1F; return t == h264SPS || t == h264PPS || t == h264SEI },
		aggregateHeader: func(dst []byte, n []byte) {
			dst[0] = max(dst[0]&0x60, n[0]&0x60) | h264STAPA
		},
		fragmentHeader: func(dst []byte, n []byte) []byte {
			return append(dst, n[0]&0xE0|h264FUA, n[0]&0x1F)
		},
	})
}

// cutH265 makes single NAL unit packets, one aggregation packet for a run of parameter sets, and fragmentation
// units for what is too large (RFC 7798 4.4.1 to 4.4.3).
func cutH265(nalus [][]byte) []Payload {
	return cutNALs(nalus, nalFormat{
		header:    2,
		aggregate: func(n []byte) bool { t := n[0] >> 1 & 0x3F; return t >= h265VPS && t <= h265PPS },
		aggregateHeader: func(dst []byte, n []byte) {
			dst[0], dst[1] = n[0]&0x81|h265AP<<1, n[1]
		},
		fragmentHeader: func(dst []byte, n []byte) []byte {
			return append(dst, n[0]&0x81|h265FU<<1, n[1], n[0]>>1&0x3F)
		},
	})
}

// nalFormat is what differs between the payload formats of H264 and H265.
type nalFormat struct {
	header          int                           // bytes of a NAL unit's header
	aggregate       func(nalu []byte) bool        // may share a packet with its neighbours
	aggregateHeader func(dst, nalu []byte)        // makes dst, the packet's header, hold for one more NAL unit
	fragmentHeader  func(dst, nalu []byte) []byte // appends the header of a fragment; its last byte takes S and E
}

const (
	fragmentStart = 0x80 // S bit
	fragmentEnd   = 0x40 // E bit
)

func cutNALs(nalus [][]byte, f nalFormat) []Payload {
	out := make([]Payload, 0, packetCount(nalus))
	arena := make([]byte, 0, arenaSize(nalus))
	for i := 0; i < len(nalus); {
		n := nalus[i]
		if len(n) <= f.header {
			i++
			continue
		}
		if run := f.run(nalus[i:]); run > 1 {
			out, arena = f.appendAggregate(out, arena, nalus[i:i+run])
			i += run
			continue
		}
		if len(n) <= MaxPayload {
			out = append(out, Payload{Data: n})
		} else {
			out, arena = f.appendFragments(out, arena, n)
		}
		i++
	}
	return markLast(out)
}

func packetCount(nalus [][]byte) int {
	n := 0
	for _, nalu := range nalus {
		n += 1 + len(nalu)/(MaxPayload-3)
	}
	return n
}

// arenaSize is enough for every fragment and aggregate of the unit.
func arenaSize(nalus [][]byte) int {
	n := 4
	for _, nalu := range nalus {
		n += len(nalu) + 2 + 3*(1+len(nalu)/(MaxPayload-3))
	}
	return n
}

// run is how many NAL units from the first on fit one aggregation packet.
func (f nalFormat) run(nalus [][]byte) int {
	size := f.header
	for i, n := range nalus {
		size += 2 + len(n)
		if len(n) <= f.header || !f.aggregate(n) || size > MaxPayload {
			return i
		}
	}
	return len(nalus)
}

func (f nalFormat) appendAggregate(out []Payload, arena []byte, nalus [][]byte) ([]Payload, []byte) {
	at := len(arena)
	arena = append(arena, make([]byte, f.header)...)
	for _, n := range nalus {
		f.aggregateHeader(arena[at:], n)
		arena = binary.BigEndian.AppendUint16(arena, uint16(len(n)))
		arena = append(arena, n...)
	}
	return append(out, Payload{Data: arena[at:len(arena):len(arena)]}), arena
}

func (f nalFormat) appendFragments(out []Payload, arena, nalu []byte) ([]Payload, []byte) {
	fragment(nalu[f.header:], MaxPayload-f.header-1, func(part []byte, first, last bool) {
		at := len(arena)
		arena = f.fragmentHeader(arena, nalu)
		if first {
			arena[len(arena)-1] |= fragmentStart
		}
		if last {
			arena[len(arena)-1] |= fragmentEnd
		}
		arena = append(arena, part...)
		out = append(out, Payload{Data: arena[at:len(arena):len(arena)]})
	})
	return out, arena
}
