package bitstream

import (
	"bytes"
	"slices"

	codec "github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"sluice/media"
)

// Values of slice_type modulo 5 (ITU-T H.264 table 7-6).
const (
	sliceB = 1
	sliceI = 2
)

// h264Sequence is what one SPS says.
type h264Sequence struct {
	raw           []byte
	id            uint32
	width, height int
	bitDepth      int
	profile       media.VideoProfile
	reorder       announced
	mbaff         bool
	frameNumBits  int
	planes        bool // separate_colour_plane_flag
	frameOnly     bool
}

// h264Picture is what one PPS says. stale: its SPS has changed since it came.
type h264Picture struct {
	raw        []byte
	id, sps    uint32
	fmo, stale bool
}

// parseH264SPS reads an SPS; a fault in its VUI is forgiven, because cameras make some. False for one that
// can't be read or can't be meant.
func parseH264SPS(n []byte) (*h264Sequence, bool) {
	var s codec.SPS
	if len(n) < 4 || len(n) > maxParameterSet {
		return nil, false
	}
	if err := s.Unmarshal(n); err != nil && s.VUI == nil {
		return nil, false
	}
	if s.ID > 31 || s.ChromaFormatIdc > 3 || s.BitDepthLumaMinus8 > 6 || s.BitDepthChromaMinus8 > 6 ||
		s.Log2MaxFrameNumMinus4 > 12 || s.PicWidthInMbsMinus1 >= maxDimension/16 ||
		s.PicHeightInMapUnitsMinus1 >= maxDimension/16 || !plausible(s.Width(), s.Height()) {
		return nil, false
	}
	return &h264Sequence{
		raw: slices.Clone(n), id: s.ID, width: s.Width(), height: s.Height(),
		bitDepth: 8 + int(max(s.BitDepthLumaMinus8, s.BitDepthChromaMinus8)),
		profile: media.VideoProfile{
			ProfileLevelID: [3]byte(n[1:4]), ChromaFormat: int(s.ChromaFormatIdc), Known: true,
		},
		reorder: h264Reorder(&s), mbaff: s.MbAdaptiveFrameFieldFlag, frameOnly: s.FrameMbsOnlyFlag,
		frameNumBits: int(s.Log2MaxFrameNumMinus4) + 4, planes: s.SeparateColourPlaneFlag,
	}, true
}

func h264Reorder(s *codec.SPS) announced {
	switch {
	case s.PicOrderCntType == 2, s.ProfileIdc == 66:
		return reorderNone
	case s.VUI == nil || s.VUI.BitstreamRestriction == nil:
		return reorderUnknown
	case s.VUI.BitstreamRestriction.MaxNumReorderFrames > 0:
		return reorderSome
	default:
		return reorderNone
	}
}

// parseH264PPS reads the start of a PPS (ITU-T H.264 7.3.2.2).
func parseH264PPS(n []byte) (*h264Picture, bool) {
	if len(n) < 2 || len(n) > maxParameterSet {
		return nil, false
	}
	var buf [32]byte
	r := bitReader{buf: unescape(buf[:0], n[1:])}
	p := &h264Picture{raw: slices.Clone(n), id: r.ue(), sps: r.ue()}
	r.skip(2) // entropy_coding_mode_flag, bottom_field_pic_order_in_frame_present_flag
	p.fmo = r.ue() > 0
	return p, !r.bad && p.id <= 255 && p.sps <= 31
}

// h264SliceHeader is the start of a slice_header.
type h264SliceHeader struct {
	kind  uint32 // slice_type modulo 5
	pps   uint32
	field bool
}

// parseSlice reads as much of a slice header (ITU-T H.264 7.3.3) as the known parameter sets allow.
func (h *h264) parseSlice(n []byte) (h264SliceHeader, bool) {
	var buf [24]byte
	r := bitReader{buf: unescape(buf[:0], n[1:])}
	r.ue() // first_mb_in_slice
	s := h264SliceHeader{kind: r.ue(), pps: r.ue()}
	if r.bad || s.kind > 9 || s.pps > 255 {
		return h264SliceHeader{}, false
	}
	s.kind %= 5
	p := h.pps[s.pps]
	if p == nil || h.sps[p.sps] == nil {
		return s, true
	}
	seq := h.sps[p.sps]
	if seq.planes {
		r.skip(2)
	}
	r.skip(seq.frameNumBits)
	s.field = !seq.frameOnly && r.flag()
	return s, true
}

// seiRecoveryPoint is the only SEI message that viewers get (ITU-T H.264 D.1.8).
const seiRecoveryPoint = 6

// recoveryPoint returns an SEI NAL unit with the recovery point of n and nothing else.
func recoveryPoint(n []byte) ([]byte, bool) {
	rbsp := unescape(make([]byte, 0, len(n)), n[1:])
	for len(rbsp) > 2 {
		kind, rest := seiNumber(rbsp)
		size, rest := seiNumber(rest)
		if size > len(rest) {
			return nil, false
		}
		if kind == seiRecoveryPoint && size > 0 && size <= 8 && !bytes.Contains(rest[:size], []byte{0, 0}) {
			sei := append([]byte{n[0], seiRecoveryPoint, byte(size)}, rest[:size]...)
			return append(sei, 0x80), true
		}
		rbsp = rest[size:]
	}
	return nil, false
}

// seiNumber reads a payload type or size: bytes of 255 and a last one, added up.
func seiNumber(b []byte) (n int, rest []byte) {
	for i, v := range b {
		n += int(v)
		if v != 0xff {
			return n, b[i+1:]
		}
	}
	return n, nil
}
