package bitstream

import (
	"bytes"
	"slices"

	"sluice/media"
)

// Types of NAL units (ITU-T H.265 table 7-1).
const (
	h265LastSlice = 9
	h265FirstIRAP = 16
	h265LastIRAP  = 21
	h265VPS       = 32
	h265SPS       = 33
	h265PPS       = 34
)

func h265Type(n []byte) byte { return n[0] >> 1 & 0x3f }

func h265IRAP(typ byte) bool { return typ >= h265FirstIRAP && typ <= h265LastIRAP }

// h265 conforms units of ITU-T H.265.
type h265 struct {
	vps    map[uint32][]byte
	sps    map[uint32]*h265Sequence
	pps    map[uint32]*h265Picture
	active *h265Sequence // of the latest keyframe
	order  reordering
}

func newH265(sets [][]byte, clockRate int) *h265 {
	h := &h265{
		vps: map[uint32][]byte{}, sps: map[uint32]*h265Sequence{}, pps: map[uint32]*h265Picture{},
		order: newReordering(clockRate),
	}
	h.learn(splitNALUs(sets))
	return h
}

// h265Unit is what one unit holds.
type h265Unit struct {
	data   [][]byte // slices
	newPPS [][]byte // unknown until now
	pps    []uint32 // ids that the slices refer to
	irap   bool
	hasB   bool
}

func (h *h265) inspect(au *media.AccessUnit, t *media.Track) bool {
	nalus := splitNALUs(au.Data)
	u := h265Unit{data: make([][]byte, 0, len(nalus)+3), newPPS: h.learn(nalus)}
	for _, n := range nalus {
		if h265Base(n) && (h265Type(n) <= h265LastSlice || h265IRAP(h265Type(n))) {
			h.slice(&u, n)
		}
	}
	if len(u.data) == 0 {
		return false
	}
	au.Keyframe = u.irap
	if u.irap && !h.start(&u, t) {
		return false
	}
	if !u.irap {
		u.data = append(u.newPPS, u.data...)
	}
	au.Data = u.data
	if h.active != nil {
		t.BFrames = h.order.seen(au, u.hasB, h.active.reorder) || t.BFrames
	}
	return true
}

// h265Base tells that a NAL unit is sound and of the base layer.
func h265Base(n []byte) bool {
	return len(n) > 2 && n[0]&0x81 == 0 && n[1]&0xf8 == 0
}

// learn keeps the parameter sets among nalus and returns the PPSs that say something new.
func (h *h265) learn(nalus [][]byte) (fresh [][]byte) {
	for _, n := range nalus {
		if !h265Base(n) || len(n) > maxParameterSet {
			continue
		}
		switch h265Type(n) {
		case h265VPS:
			h.vps[uint32(n[2]>>4)] = slices.Clone(n)
		case h265SPS:
			h.learnSPS(n)
		}
	}
	for _, n := range nalus {
		if h265Base(n) && h265Type(n) == h265PPS && h.learnPPS(n) {
			fresh = append(fresh, n)
		}
	}
	return fresh
}

func (h *h265) learnSPS(n []byte) {
	s, ok := parseH265SPS(n)
	if !ok {
		return
	}
	old := h.sps[s.id]
	if old != nil && bytes.Equal(old.raw, s.raw) {
		return
	}
	h.sps[s.id] = s
	for _, p := range h.pps {
		if p.sps == s.id {
			p.stale = old != nil
		}
	}
}

func (h *h265) learnPPS(n []byte) bool {
	p, ok := parseH265PPS(n)
	if !ok {
		return false
	}
	old := h.pps[p.id]
	h.pps[p.id] = p
	return old == nil || !bytes.Equal(old.raw, p.raw)
}

func (h *h265) slice(u *h265Unit, n []byte) {
	u.data = append(u.data, n)
	u.irap = u.irap || h265IRAP(h265Type(n))
	s, ok := h.parseSlice(n)
	if !ok {
		return
	}
	u.hasB = u.hasB || s.isB
	if !slices.Contains(u.pps, s.pps) {
		u.pps = append(u.pps, s.pps)
	}
}

// start makes u a place to start from, as h264.start does, with the VPS first.
func (h *h265) start(u *h265Unit, t *media.Track) bool {
	if len(u.pps) == 0 {
		return false
	}
	var seq *h265Sequence
	for _, id := range u.pps {
		p := h.pps[id]
		if p == nil || h.sps[p.sps] == nil || seq != nil && seq.id != p.sps {
			return false
		}
		seq = h.sps[p.sps]
	}
	vps := h.vps[seq.vps]
	if vps == nil {
		return false
	}
	sets := h.sets(vps, seq, u.pps)
	u.data = append(slices.Clone(sets), u.data...)
	if !sameSets(sets, t.ParameterSets) || h.active == nil {
		h.adopt(seq, sets, t)
	}
	return true
}

func (h *h265) sets(vps []byte, seq *h265Sequence, used []uint32) [][]byte {
	ids := make([]uint32, 0, len(h.pps))
	for id, p := range h.pps {
		if slices.Contains(used, id) || p.sps == seq.id && !p.stale {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	sets := [][]byte{vps, seq.raw}
	for _, id := range ids {
		sets = append(sets, h.pps[id].raw)
	}
	return sets
}

func (h *h265) adopt(seq *h265Sequence, sets [][]byte, t *media.Track) {
	if h.active != seq {
		h.active = seq
		h.order.reset()
		t.BFrames = false
	}
	t.ParameterSets = sets
	t.Width, t.Height, t.BitDepth, t.Profile = seq.width, seq.height, seq.bitDepth, seq.profile
	t.Interlaced = seq.interlaced
}
