package bitstream

import (
	"slices"

	"sluice/media"
)

// h265Sequence is what one SPS says.
type h265Sequence struct {
	raw           []byte
	id, vps       uint32
	width, height int
	bitDepth      int
	profile       media.VideoProfile
	reorder       announced
	interlaced    bool
}

// h265Picture is what one PPS says. stale: its SPS has changed since it came.
type h265Picture struct {
	raw       []byte
	id, sps   uint32
	extraBits int // num_extra_slice_header_bits
	stale     bool
}

// parseH265SPS reads an SPS up to its picture order (ITU-T H.265 7.3.2.2.1), which is all that is asked of
// it. False for one that can't be read or can't be meant.
func parseH265SPS(n []byte) (*h265Sequence, bool) {
	var buf [512]byte
	if len(n) > maxParameterSet {
		return nil, false
	}
	r := bitReader{buf: unescape(buf[:0], n[2:])}
	s := &h265Sequence{raw: slices.Clone(n), vps: r.u(4)}
	subLayers := int(r.u(3))
	r.skip(1)
	s.profileTierLevel(&r, subLayers)
	s.id = r.ue()
	chroma := r.ue()
	s.profile.ChromaFormat = int(min(chroma, 4))
	if chroma == 3 {
		r.skip(1)
	}
	s.size(&r, chroma)
	s.bitDepth = 8 + int(min(max(r.ue(), r.ue()), 99))
	r.ue() // log2_max_pic_order_cnt_lsb_minus4
	s.reorder = h265Reorder(&r, subLayers)
	return s, !r.bad && s.id <= 15 && chroma <= 3 && s.bitDepth <= 16 && plausible(s.width, s.height)
}

// profileTierLevel reads profile_tier_level (ITU-T H.265 7.3.3).
func (s *h265Sequence) profileTierLevel(r *bitReader, subLayers int) {
	r.skip(2)
	s.profile = media.VideoProfile{Tier: int(r.u(1)), Profile: int(r.u(5)), Known: true}
	r.skip(32)
	progressive, interlaced := r.flag(), r.flag()
	s.interlaced = interlaced && !progressive
	r.skip(46)
	s.profile.Level = int(r.u(8))
	if subLayers == 0 {
		return
	}
	present := r.u(16)
	for i := range subLayers {
		if present>>(15-2*i)&1 == 1 {
			r.skip(88)
		}
		if present>>(14-2*i)&1 == 1 {
			r.skip(8)
		}
	}
}

// size reads the picture's size and takes the conformance window off it.
func (s *h265Sequence) size(r *bitReader, chroma uint32) {
	w, h := r.ue(), r.ue()
	if w > maxDimension || h > maxDimension {
		r.bad = true
	}
	s.width, s.height = int(w), int(h)
	if !r.flag() {
		return
	}
	left, right, top, bottom := r.ue(), r.ue(), r.ue(), r.ue()
	if max(left, right, top, bottom) > maxDimension {
		r.bad = true
		return
	}
	unitX, unitY := 1, 1
	if chroma == 1 || chroma == 2 {
		unitX = 2
	}
	if chroma == 1 {
		unitY = 2
	}
	s.width -= unitX * int(left+right)
	s.height -= unitY * int(top+bottom)
}

// h265Reorder reads sps_max_num_reorder_pics of the highest sub-layer.
func h265Reorder(r *bitReader, subLayers int) announced {
	n := 1
	if r.flag() {
		n = subLayers + 1
	}
	pictures := uint32(0)
	for range n {
		r.ue()
		pictures = r.ue()
		r.ue()
	}
	if pictures > 0 {
		return reorderSome
	}
	return reorderNone
}

// parseH265PPS reads the start of a PPS (ITU-T H.265 7.3.2.3.1).
func parseH265PPS(n []byte) (*h265Picture, bool) {
	if len(n) > maxParameterSet {
		return nil, false
	}
	var buf [16]byte
	r := bitReader{buf: unescape(buf[:0], n[2:])}
	p := &h265Picture{raw: slices.Clone(n), id: r.ue(), sps: r.ue()}
	r.skip(2) // dependent_slice_segments_enabled_flag, output_flag_present_flag
	p.extraBits = int(r.u(3))
	return p, !r.bad && p.id <= 63 && p.sps <= 15
}

// h265SliceHeader is the start of a slice_segment_header.
type h265SliceHeader struct {
	pps uint32
	isB bool
}

// parseSlice reads the header of the first slice segment of a picture (ITU-T H.265 7.3.6.1). False for any
// other, whose slice type lies behind an address that only the whole SPS tells.
func (h *h265) parseSlice(n []byte) (h265SliceHeader, bool) {
	var buf [16]byte
	r := bitReader{buf: unescape(buf[:0], n[2:])}
	if first := r.flag(); !first {
		return h265SliceHeader{}, false
	}
	if h265IRAP(h265Type(n)) {
		r.skip(1) // no_output_of_prior_pics_flag
	}
	s := h265SliceHeader{pps: r.ue()}
	if r.bad || s.pps > 63 {
		return s, false
	}
	if p := h.pps[s.pps]; p != nil {
		r.skip(p.extraBits)
		s.isB = r.ue() == 0 && !r.bad
	}
	return s, true
}
