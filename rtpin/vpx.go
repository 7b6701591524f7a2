package rtpin

import (
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

// vpx is the depacketizer of VP8 (RFC 7741) and VP9 (RFC 9628). A unit is all packets of one timestamp: the
// partitions of VP8, which GStreamer sends in packets of their own, and the layers of VP9.
type vpx struct {
	sink  sink
	strip func(payload []byte) (part []byte, begins bool, err error)

	u       unit
	open    bool
	bad     bool // u can't be put together: skip to its end
	suspect bool // packets before u were lost, perhaps of u itself
	parts   [][]byte
	size    int
}

func newVP8(s sink) *vpx { return &vpx{sink: s, strip: stripVP8, suspect: true} }

func newVP9(s sink) *vpx { return &vpx{sink: s, strip: stripVP9, suspect: true} }

// stripVP8 takes the payload descriptor off (RFC 7741 4.2). A frame begins with the start of partition 0.
func stripVP8(payload []byte) (part []byte, begins bool, err error) {
	var p codecs.VP8Packet
	part, err = p.Unmarshal(payload)
	return part, p.S == 1 && p.PID == 0, err
}

// stripVP9 takes the payload descriptor off (RFC 9628 4.2). A picture begins with its lowest layer.
func stripVP9(payload []byte) (part []byte, begins bool, err error) {
	var p codecs.VP9Packet
	part, err = p.Unmarshal(payload)
	return part, p.B && p.SID == 0, err
}

func (v *vpx) push(pkt *rtp.Packet, arrived time.Time) {
	if v.open && pkt.Timestamp != v.u.timestamp {
		v.finish()
	}
	part, begins, err := v.strip(pkt.Payload)
	if !v.open {
		v.open = true
		v.u = unit{timestamp: pkt.Timestamp, first: arrived}
		if !begins && err == nil {
			v.spoil(v.suspect)
		}
	}
	v.u.last = arrived
	if err != nil || len(v.parts) == maxUnitPackets || v.size+len(part) > maxUnit {
		v.spoil(false)
	}
	if !v.bad {
		v.parts, v.size = append(v.parts, part), v.size+len(part)
	}
	if pkt.Marker {
		v.finish()
	}
}

// spoil drops the unit at hand, which may be still far from its end. That it is the rest of what was lost is known.
func (v *vpx) spoil(known bool) {
	if !v.bad && !known {
		v.sink.broken()
	}
	v.bad = true
	v.drop()
}

func (v *vpx) drop() {
	clear(v.parts)
	v.parts, v.size = v.parts[:0], 0
}

func (v *vpx) finish() {
	u, size := v.u, v.size
	if size > 0 {
		u.data = [][]byte{join(v.parts, size)}
	}
	v.clear()
	if size > 0 {
		v.sink.finished(u)
	}
}

// join copies unless there is one part.
func join(parts [][]byte, size int) []byte {
	if len(parts) == 1 {
		return parts[0]
	}
	frame := make([]byte, 0, size)
	for _, p := range parts {
		frame = append(frame, p...)
	}
	return frame
}

func (v *vpx) lost() {
	v.clear()
	v.suspect = true
}

func (v *vpx) clear() {
	v.drop()
	v.u, v.open, v.bad, v.suspect = unit{}, false, false, false
}
