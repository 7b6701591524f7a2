package rtpin

import (
	"time"

	"github.com/pion/rtp"

	"sluice/bitstream"
)

// naluSyntax is where RFC 6184 (H264) and RFC 7798 (H265) differ.
type naluSyntax interface {
	// split reads a payload: it adds the NAL units in it with add, or one fragment with fragment.
	split(payload []byte, a *nalAssembler) bool
	// picture tells whether a NAL unit is part of a picture, and whether it is the picture's first part.
	picture(nalu []byte) (part, first bool)
}

// nalAssembler makes units of NAL units. A unit ends at the marker or when the timestamp changes; a marker
// ends none that has no picture yet, because cameras set it on parameter sets too. A camera that sets it on
// each slice of a picture gives itself away by the second one; from then on only its timestamps count.
type nalAssembler struct {
	sink   sink
	syntax naluSyntax

	u       unit
	open    bool
	size    int
	packets int
	picture bool // u has a part of a picture
	bad     bool // u can't be put together: skip to its end
	suspect bool // packets before u were lost, perhaps of u itself
	whole   bool // u has its picture's first part

	marked   bool   // the unit before u was ended by a marker
	markedAt uint32 // its timestamp
	eachPart bool   // markers end slices, not units

	fragments [][]byte // of the NAL unit at hand, its header first
	fragSize  int
}

func (a *nalAssembler) push(pkt *rtp.Packet, arrived time.Time) {
	if a.open && pkt.Timestamp != a.u.timestamp {
		a.finish()
		a.marked = false
	}
	if !a.open {
		a.open = true
		a.u = unit{timestamp: pkt.Timestamp, first: arrived, data: make([][]byte, 0, 4)}
	}
	a.u.last = arrived
	if a.packets++; a.packets > maxUnitPackets || !a.bad && !a.syntax.split(pkt.Payload, a) {
		a.spoil()
	}
	if pkt.Marker && (a.picture || a.bad) && !a.eachPart {
		a.marked, a.markedAt = a.picture, pkt.Timestamp
		a.finish()
	}
}

func (a *nalAssembler) lost() {
	a.clear()
	a.suspect, a.marked = true, false
}

// spoil drops the unit at hand, which may be still far from its end.
func (a *nalAssembler) spoil() {
	if !a.bad && !a.suspect {
		a.sink.broken()
	}
	a.bad = true
	a.u.data, a.fragments, a.fragSize, a.packets = nil, nil, 0, 0
}

// finish gives the unit away, unless it lacks something.
func (a *nalAssembler) finish() {
	if len(a.fragments) > 0 && !a.bad {
		a.spoil()
	}
	u, good := a.u, !a.bad && len(a.u.data) > 0 && !(a.suspect && a.picture && !a.whole)
	a.clear()
	if good {
		a.sink.finished(u)
	}
}

func (a *nalAssembler) clear() {
	a.u, a.open, a.size, a.packets = unit{}, false, 0, 0
	a.picture, a.whole, a.bad, a.suspect = false, false, false, false
	clear(a.fragments)
	a.fragments, a.fragSize = a.fragments[:0], 0
}

// add takes a whole NAL unit, which may hold several with start codes between them. False if the unit has
// grown past its limits, or goes on with the picture of the one before.
func (a *nalAssembler) add(nalu []byte) bool {
	before := len(a.u.data)
	a.u.data = bitstream.AppendNALUs(a.u.data, nalu)
	for _, n := range a.u.data[before:] {
		a.size += len(n)
		part, first := a.syntax.picture(n)
		if part && !first && !a.picture && a.marked && a.u.timestamp == a.markedAt {
			a.eachPart = true
			return false
		}
		if part {
			a.whole = a.whole || first && !a.picture
			a.picture = true
		}
	}
	return a.size <= maxUnit && len(a.u.data) <= maxUnitNALUs
}

// fragment takes a part of a NAL unit whose header is head. A part without a start is no fault right after a
// loss, since the start may be what was lost.
func (a *nalAssembler) fragment(head, part []byte, start, end bool) bool {
	switch {
	case start && len(a.fragments) > 0:
		return false
	case start:
		a.fragments = append(a.fragments[:0], head)
		a.fragSize = len(head)
	case len(a.fragments) == 0:
		return false
	}
	a.fragments = append(a.fragments, part)
	if a.fragSize += len(part); a.size+a.fragSize > maxUnit {
		return false
	}
	if !end {
		return true
	}
	nalu := make([]byte, 0, a.fragSize)
	for _, f := range a.fragments {
		nalu = append(nalu, f...)
	}
	clear(a.fragments)
	a.fragments, a.fragSize = a.fragments[:0], 0
	return a.add(nalu)
}

// aggregate reads NAL units with a length of two bytes before each. Zeros at the end are padding.
func (a *nalAssembler) aggregate(b []byte, allowed func(nalu []byte) bool) bool {
	any := false
	for len(b) >= 2 {
		size := int(b[0])<<8 | int(b[1])
		b = b[2:]
		if size == 0 {
			return any && zeros(b)
		}
		if size > len(b) || !allowed(b[:size]) || !a.add(b[:size]) {
			return false
		}
		b, any = b[size:], true
	}
	return any && zeros(b)
}

func zeros(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}
