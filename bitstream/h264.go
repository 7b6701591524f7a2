package bitstream

import (
	"bytes"
	"slices"

	"sluice/media"
)

// Types of NAL units (ITU-T H.264 table 7-1).
const (
	h264Slice      = 1
	h264PartitionA = 2
	h264PartitionC = 4
	h264IDR        = 5
	h264SEI        = 6
	h264SPS        = 7
	h264PPS        = 8
	h264Prefix     = 14
	h264SubsetSPS  = 15
	h264Extension  = 20
)

// Sentences for Track.Unusual.
const (
	unusualPartitions = "data partitioning"
	unusualScalable   = "scalable or multiview coding"
	unusualFMO        = "flexible macroblock ordering"
)

// rareSeconds is how long a stream goes on without an IDR before recovery points have to do: some encoders
// make one IDR only, at the start.
const rareSeconds = 10

// h264 conforms units of ITU-T H.264.
type h264 struct {
	sps     map[uint32]*h264Sequence
	pps     map[uint32]*h264Picture
	active  *h264Sequence // of the latest keyframe
	hadIDR  bool
	idr     int64 // PTS of the latest IDR
	rare    int64 // rareSeconds in ticks
	unusual string
	order   reordering
}

func newH264(sets [][]byte, clockRate int) *h264 {
	h := &h264{
		sps: map[uint32]*h264Sequence{}, pps: map[uint32]*h264Picture{},
		rare: int64(rareSeconds * clockRate), order: newReordering(clockRate),
	}
	h.learn(splitNALUs(sets))
	return h
}

// h264Unit is what one unit holds, gathered NAL unit by NAL unit.
type h264Unit struct {
	data                                 [][]byte // what stays, without parameter sets
	newPPS                               [][]byte // unknown until now
	pps                                  []uint32 // ids that the slices refer to
	slices                               int
	idr, recovery, allIntra, hasB, field bool
}

func (h *h264) inspect(au *media.AccessUnit, t *media.Track) bool {
	nalus := splitNALUs(au.Data)
	u := h264Unit{data: make([][]byte, 0, len(nalus)+2), allIntra: true}
	u.newPPS = h.learn(nalus)
	for _, n := range nalus {
		if n[0]&0x80 == 0 {
			h.sort(&u, n)
		}
	}
	if u.slices == 0 {
		return false
	}
	if u.idr {
		h.hadIDR, h.idr = true, au.PTS
	}
	au.Keyframe = u.idr || h.lacksIDR(au.PTS) && u.recovery && u.allIntra
	if au.Keyframe && !h.start(&u, t) {
		return false
	}
	if !au.Keyframe {
		u.data = append(u.newPPS, u.data...)
	}
	au.Data = u.data
	h.facts(au, &u, t)
	return true
}

// lacksIDR tells that a stream has none, or only the one that it began with.
func (h *h264) lacksIDR(pts int64) bool { return !h.hadIDR || pts-h.idr > h.rare }

// learn keeps the parameter sets among nalus, sequence parameter sets first because of senders that swap
// them. It returns the PPSs that say something new.
func (h *h264) learn(nalus [][]byte) (fresh [][]byte) {
	for _, n := range nalus {
		if n[0]&0x9f == h264SPS {
			h.learnSPS(n)
		}
	}
	for _, n := range nalus {
		if n[0]&0x9f == h264PPS && h.learnPPS(n) {
			fresh = append(fresh, n)
		}
	}
	return fresh
}

func (h *h264) learnSPS(n []byte) {
	s, ok := parseH264SPS(n)
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

func (h *h264) learnPPS(n []byte) bool {
	p, ok := parseH264PPS(n)
	if !ok {
		return false
	}
	old := h.pps[p.id]
	h.pps[p.id] = p
	return old == nil || !bytes.Equal(old.raw, p.raw)
}

func (h *h264) sort(u *h264Unit, n []byte) {
	switch typ := n[0] & 0x1f; typ {
	case h264Slice, h264IDR, h264PartitionA:
		h.slice(u, n)
		if typ == h264PartitionA {
			h.unusual = unusualPartitions
		}
	case h264PartitionA + 1, h264PartitionC:
		u.data = append(u.data, n)
	case h264SEI:
		if sei, ok := recoveryPoint(n); ok {
			u.data = append(u.data, sei)
			u.recovery = true
		}
	case h264Prefix, h264SubsetSPS, h264Extension:
		h.unusual = unusualScalable
	}
}

func (h *h264) slice(u *h264Unit, n []byte) {
	s, ok := h.parseSlice(n)
	if !ok {
		return
	}
	u.data = append(u.data, n)
	u.slices++
	u.idr = u.idr || n[0]&0x1f == h264IDR
	u.allIntra = u.allIntra && s.kind == sliceI
	u.hasB = u.hasB || s.kind == sliceB
	u.field = u.field || s.field
	if !slices.Contains(u.pps, s.pps) {
		u.pps = append(u.pps, s.pps)
	}
}

// start makes u a place to start from: the SPS in use, the PPSs in use, then all other PPSs of that SPS that
// later pictures may want. False if one of them isn't known.
func (h *h264) start(u *h264Unit, t *media.Track) bool {
	var seq *h264Sequence
	for _, id := range u.pps {
		p := h.pps[id]
		if p == nil || h.sps[p.sps] == nil || seq != nil && seq.id != p.sps {
			return false
		}
		seq = h.sps[p.sps]
	}
	sets := h.sets(seq, u.pps)
	u.data = append(slices.Clone(sets), u.data...)
	if !sameSets(sets, t.ParameterSets) || h.active == nil {
		h.adopt(seq, sets, t)
	}
	return true
}

func (h *h264) sets(seq *h264Sequence, used []uint32) [][]byte {
	ids := make([]uint32, 0, len(h.pps))
	for id, p := range h.pps {
		if slices.Contains(used, id) || p.sps == seq.id && !p.stale {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	sets := [][]byte{seq.raw}
	for _, id := range ids {
		sets = append(sets, h.pps[id].raw)
	}
	return sets
}

// adopt makes what a new SPS says the facts of the track.
func (h *h264) adopt(seq *h264Sequence, sets [][]byte, t *media.Track) {
	if h.active != seq {
		h.active = seq
		h.order.reset()
		t.BFrames, t.Interlaced = false, seq.mbaff
	}
	t.ParameterSets = sets
	t.Width, t.Height, t.BitDepth, t.Profile = seq.width, seq.height, seq.bitDepth, seq.profile
}

// facts notes what pictures themselves tell.
func (h *h264) facts(au *media.AccessUnit, u *h264Unit, t *media.Track) {
	if h.active == nil {
		return
	}
	t.Interlaced = t.Interlaced || u.field
	t.BFrames = h.order.seen(au, u.hasB, h.active.reorder) || t.BFrames
	t.Unusual = h.unusual
	for _, id := range u.pps {
		if p := h.pps[id]; p != nil && p.fmo {
			t.Unusual = unusualFMO
		}
	}
}
