package bitstream

import (
	"bytes"
	"math/bits"
	"slices"

	"sluice/media"
)

// Start codes (ISO/IEC 14496-2 table 6-3) and values of vop_coding_type.
const (
	mpeg4FirstLayer = 0x20
	mpeg4LastLayer  = 0x2f
	mpeg4Group      = 0xb3
	mpeg4VOP        = 0xb6

	vopI    = 0
	vopB    = 2
	vopNone = -1
)

// mpeg4 conforms pictures of MPEG-4 Visual.
type mpeg4 struct {
	config []byte // visual object sequence to video object layer
	order  reordering
}

func newMPEG4(sets [][]byte, clockRate int) *mpeg4 {
	m := &mpeg4{order: newReordering(clockRate)}
	if len(sets) == 1 {
		m.learn(sets[0])
	}
	return m
}

func (m *mpeg4) inspect(au *media.AccessUnit, t *media.Track) bool {
	if len(au.Data) != 1 {
		return false
	}
	d := au.Data[0]
	m.learn(d)
	kind := vopType(d)
	if kind == vopNone {
		return false
	}
	au.Keyframe = kind == vopI
	if au.Keyframe && !m.start(au, t) {
		return false
	}
	t.BFrames = m.order.seen(au, kind == vopB, reorderUnknown) || t.BFrames
	return true
}

func (m *mpeg4) learn(d []byte) {
	if c := mpeg4Config(d); c != nil && len(c) <= maxParameterSet && !bytes.Equal(c, m.config) {
		m.config = slices.Clone(c)
	}
}

func (m *mpeg4) start(au *media.AccessUnit, t *media.Track) bool {
	if m.config == nil {
		return false
	}
	if mpeg4Config(au.Data[0]) == nil {
		au.Data = [][]byte{slices.Concat(m.config, au.Data[0])}
	}
	if !sameSets([][]byte{m.config}, t.ParameterSets) {
		m.order.reset()
		t.BFrames = false
		t.ParameterSets = [][]byte{m.config}
	}
	if w, h, ok := mpeg4Size(m.config); ok {
		t.Width, t.Height, t.BitDepth = w, h, 8
	}
	return true
}

// mpeg4Code returns the next start code in b, its value, and where what follows it begins; -1 if there is none.
func mpeg4Code(b []byte) (code byte, next int) {
	i := bytes.Index(b, startCode)
	if i < 0 || i+4 > len(b) {
		return 0, -1
	}
	return b[i+3], i + 4
}

// mpeg4Config is the head of d up to its first picture or group; nil if it has no video object layer.
func mpeg4Config(d []byte) []byte {
	layer := false
	for pos := 0; ; {
		code, next := mpeg4Code(d[pos:])
		switch {
		case code >= mpeg4FirstLayer && code <= mpeg4LastLayer:
			layer = true
		case next < 0 && layer:
			return d[:pos+len(bytes.TrimSuffix(d[pos:], startCode))] // a start code without value would swallow what follows
		case (code == mpeg4VOP || code == mpeg4Group) && layer:
			return d[:pos+next-4]
		case next < 0 || code == mpeg4VOP || code == mpeg4Group:
			return nil
		}
		pos += next
	}
}

// vopType is vop_coding_type of the first picture in d.
func vopType(d []byte) int {
	for {
		code, next := mpeg4Code(d)
		if next < 0 || next >= len(d) {
			return vopNone
		}
		d = d[next:]
		if code == mpeg4VOP {
			return int(d[0] >> 6)
		}
	}
}

// mpeg4Size reads the video object layer's picture size (ISO/IEC 14496-2 6.2.3), if its shape is rectangular.
func mpeg4Size(config []byte) (width, height int, ok bool) {
	code, next := byte(0), 0
	for code < mpeg4FirstLayer || code > mpeg4LastLayer {
		if code, next = mpeg4Code(config); next < 0 {
			return 0, 0, false
		}
		config = config[next:]
	}
	r := bitReader{buf: config}
	r.skip(9)     // random_accessible_vol, video_object_type_indication
	if r.flag() { // is_object_layer_identifier
		r.skip(7)
	}
	if r.u(4) == 15 { // aspect_ratio_info: extended
		r.skip(16)
	}
	if r.flag() { // vol_control_parameters
		r.skip(3)
		if r.flag() { // vbv_parameters
			r.skip(79)
		}
	}
	if r.u(2) != 0 { // video_object_layer_shape
		return 0, 0, false
	}
	r.skip(1)
	resolution := r.u(16)
	r.skip(1)
	if r.flag() && resolution > 0 { // fixed_vop_rate
		r.skip(max(1, bits.Len32(resolution-1)))
	}
	r.skip(1)
	width = int(r.u(13))
	r.skip(1)
	height = int(r.u(13))
	return width, height, !r.bad && plausible(width, height)
}
