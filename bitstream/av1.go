package bitstream

import (
	"bytes"
	"slices"

	codec "github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"

	"sluice/media"
)

// Types of OBUs (AV1 specification 6.2.2).
const (
	obuSequenceHeader    = 1
	obuTemporalDelimiter = 2
	obuFrameHeader       = 3
	obuFrame             = 6
	obuTileList          = 8
	obuPadding           = 15
)

// obu is an OBU without its size field.
type obu struct {
	kind    byte
	header  int // bytes of its header
	content []byte
}

// parseOBU reads an OBU's header and takes its size field out. False if the size is a lie.
func parseOBU(b []byte) (obu, bool) {
	if len(b) == 0 || b[0]&0x80 != 0 {
		return obu{}, false
	}
	o := obu{kind: b[0] >> 3 & 15, header: 1 + int(b[0]>>2&1), content: b}
	if len(b) < o.header {
		return obu{}, false
	}
	if b[0]&2 == 0 {
		return o, true
	}
	var size codec.LEB128
	n, err := size.Unmarshal(b[o.header:])
	rest := b[min(len(b), o.header+n):]
	if err != nil || uint64(size) > uint64(len(rest)) {
		return obu{}, false
	}
	o.content = append([]byte{b[0] &^ 2}, b[1:o.header]...)
	o.content = append(o.content, rest[:size]...)
	return o, true
}

// keyframe tells that o starts a shown key frame (AV1 specification 5.9.2).
func (o obu) keyframe() bool {
	const existing, frameType, shown = 0x80, 0x60, 0x10
	if o.kind != obuFrame && o.kind != obuFrameHeader || len(o.content) <= o.header {
		return false
	}
	return o.content[o.header]&(existing|frameType|shown) == shown
}

// av1 conforms temporal units of AV1.
type av1 struct {
	sequence []byte // the latest sequence header
}

func (a *av1) inspect(au *media.AccessUnit, t *media.Track) bool {
	out := make([][]byte, 0, len(au.Data)+1)
	key, picture := false, false
	for _, b := range au.Data {
		o, ok := parseOBU(b)
		if !ok {
			return false
		}
		switch o.kind {
		case obuTemporalDelimiter, obuTileList, obuPadding:
			continue
		case obuSequenceHeader:
			a.learn(o.content)
			continue
		case obuFrame, obuFrameHeader:
			picture = true
			key = key || o.keyframe()
		}
		out = append(out, o.content)
	}
	au.Keyframe = key
	if !picture || key && a.sequence == nil {
		return false
	}
	if key {
		out = slices.Insert(out, 0, a.sequence)
		a.facts(t)
	}
	au.Data = out
	return true
}

func (a *av1) learn(header []byte) {
	if len(header) <= maxParameterSet && !bytes.Equal(header, a.sequence) {
		a.sequence = slices.Clone(header)
	}
}

// facts reads the sequence header; one with features that can't be read leaves the facts unknown.
func (a *av1) facts(t *media.Track) {
	if len(t.ParameterSets) == 1 && bytes.Equal(t.ParameterSets[0], a.sequence) {
		return
	}
	t.ParameterSets = [][]byte{a.sequence}
	t.Width, t.Height, t.BitDepth, t.Profile = 0, 0, 0, media.VideoProfile{}
	var h codec.SequenceHeader
	if h.Unmarshal(withoutExtension(a.sequence)) != nil {
		return
	}
	t.Width, t.Height, t.BitDepth = h.Width(), h.Height(), h.ColorConfig.BitDepth
	t.Profile = media.VideoProfile{
		Profile: int(h.SeqProfile), Level: int(h.SeqLevelIdx[0]), ChromaFormat: av1Chroma(h.ColorConfig), Known: true,
	}
	if h.SeqTier[0] {
		t.Profile.Tier = 1
	}
}

// withoutExtension takes the layer out of an OBU's header.
func withoutExtension(b []byte) []byte {
	const extension = 4
	if len(b) < 2 || b[0]&extension == 0 {
		return b
	}
	return append([]byte{b[0] &^ extension}, b[2:]...)
}

func av1Chroma(c codec.SequenceHeader_ColorConfig) int {
	switch {
	case c.MonoChrome:
		return 0
	case c.SubsamplingX && c.SubsamplingY:
		return 1
	case c.SubsamplingX:
		return 2
	default:
		return 3
	}
}
