package rtpout

// Bits of the AV1 aggregation header (AV1 RTP payload format 4.4).
const (
	av1Continues   = 0x80 // Z: the first element continues one of the packet before
	av1WillGoOn    = 0x40 // Y: the last element goes on in the next packet
	av1NewSequence = 0x08 // N: first packet of a coded video sequence
)

// cutAV1 packs OBUs into packets, each element behind its length (W = 0), and cuts an OBU where a packet is full.
func cutAV1(obus [][]byte, keyframe bool) []Payload {
	c := newAV1Cutter(obus)
	for _, obu := range obus {
		c.add(obu)
	}
	c.flush(false)
	if keyframe && len(c.out) > 0 {
		c.out[0].Data[0] |= av1NewSequence
	}
	return markLast(c.out)
}

type av1Cutter struct {
	out     []Payload
	arena   []byte // of all packets
	start   int    // of the packet being filled; its first byte is the aggregation header
	filling bool
	goingOn bool // the packet's first element continues an OBU
}

// newAV1Cutter has room for all: each element costs two bytes of length at most, each packet one of header.
func newAV1Cutter(obus [][]byte) *av1Cutter {
	size := 0
	for _, obu := range obus {
		size += len(obu) + 2
	}
	packets := 1 + size/(MaxPayload-3)
	return &av1Cutter{out: make([]Payload, 0, packets), arena: make([]byte, 0, size+3*packets)}
}

func (c *av1Cutter) add(obu []byte) {
	for len(obu) > 0 {
		if !c.filling {
			c.begin()
		}
		room := MaxPayload - (len(c.arena) - c.start) - 2 // two bytes hold any length here
		if room <= 0 {
			c.flush(false)
			continue
		}
		part := obu[:min(room, len(obu))]
		obu = obu[len(part):]
		c.arena = append(appendLEB128(c.arena, len(part)), part...)
		if len(obu) > 0 {
			c.flush(true)
		}
	}
}

func (c *av1Cutter) begin() {
	var header byte
	if c.goingOn {
		header = av1Continues
	}
	c.start, c.filling = len(c.arena), true
	c.arena = append(c.arena, header)
}

func (c *av1Cutter) flush(unfinished bool) {
	if !c.filling {
		return
	}
	packet := c.arena[c.start:len(c.arena):len(c.arena)]
	if unfinished {
		packet[0] |= av1WillGoOn
	}
	c.out = append(c.out, Payload{Data: packet})
	c.filling, c.goingOn = false, unfinished
}

// appendLEB128 appends a number below 2^14 in the variable-length form of AV1 (4.10.5).
func appendLEB128(dst []byte, n int) []byte {
	if n < 0x80 {
		return append(dst, byte(n))
	}
	return append(dst, byte(n)|0x80, byte(n>>7))
}
