package rtpin

// Payload structures of H264 (RFC 6184 5.4) and H265 (RFC 7798 4.4).
const (
	h264MaxNALU  = 23
	h264STAPA    = 24
	h264FUA      = 28
	h264LastUsed = 29

	h265MaxNALU  = 47
	h265AP       = 48
	h265FU       = 49
	h265LastUsed = 50
)

// h264Syntax reads packets of H264, packetization modes 0 and 1. A fragmentation unit may have both its start
// and end bit set: some cameras send short pictures so.
// Types that no standard gives a meaning are some makers' own, and ignored.
type h264Syntax struct{}

func h264Allowed(n []byte) bool {
	typ := n[0] & 0x1f
	return typ >= 1 && typ <= h264MaxNALU
}

func (h264Syntax) split(b []byte, a *nalAssembler) bool {
	switch typ := b[0] & 0x1f; {
	case (typ == 0 || typ > h264LastUsed) && !startsWithCode(b):
		a.sink.ignored()
		return true
	case typ == h264STAPA:
		return a.aggregate(b[1:], h264Allowed)
	case typ == h264FUA:
		if len(b) < 3 {
			return false
		}
		start, end, head := b[1]&0x80 != 0, b[1]&0x40 != 0, b[0]&0x60|b[1]&0x1f
		if !start {
			return a.fragment(nil, b[2:], false, end)
		}
		return head&0x1f <= h264MaxNALU && a.fragment([]byte{head}, b[2:], true, end)
	default:
		return (h264Allowed(b) || startsWithCode(b)) && len(a.fragments) == 0 && a.add(b)
	}
}

func (h264Syntax) picture(n []byte) (part, first bool) {
	const lastVCL = 5
	typ := n[0] & 0x1f
	return typ >= 1 && typ <= lastVCL, len(n) > 1 && n[1]&0x80 != 0 // first_mb_in_slice is 0
}

// h265Syntax reads packets of H265 without DONL fields and PACI.
type h265Syntax struct{}

func h265Type(n []byte) byte { return n[0] >> 1 & 0x3f }

func h265Allowed(n []byte) bool { return len(n) > 2 && h265Type(n) <= h265MaxNALU }

func (h265Syntax) split(b []byte, a *nalAssembler) bool {
	if len(b) < 3 {
		return false
	}
	switch typ := h265Type(b); {
	case typ > h265LastUsed:
		a.sink.ignored()
		return true
	case typ == h265AP:
		return a.aggregate(b[2:], h265Allowed)
	case typ == h265FU:
		if len(b) < 4 {
			return false
		}
		start, end, typ := b[2]&0x80 != 0, b[2]&0x40 != 0, b[2]&0x3f
		if !start {
			return a.fragment(nil, b[3:], false, end)
		}
		return typ <= h265MaxNALU && a.fragment([]byte{b[0]&0x81 | typ<<1, b[1]}, b[3:], true, end)
	default:
		return (h265Allowed(b) || startsWithCode(b)) && len(a.fragments) == 0 && a.add(b)
	}
}

func (h265Syntax) picture(n []byte) (part, first bool) {
	const lastVCL = 31
	return h265Type(n) <= lastVCL, len(n) > 2 && n[2]&0x80 != 0 // first_slice_segment_in_pic_flag
}

// startsWithCode tells that a payload is in Annex B form, whose zeros look like a NAL unit header.
func startsWithCode(b []byte) bool {
	return len(b) > 4 && b[0] == 0 && b[1] == 0 && (b[2] == 1 || b[2] == 0 && b[3] == 1)
}
