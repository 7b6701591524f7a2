package camera

import (
	"encoding/binary"
	"slices"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"sluice/media"
)

// setAVC reads an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3).
func (c *sampleCodec) setAVC(b []byte) error {
	if len(b) < 7 {
		return errTruncated
	}
	c.track.Codec = media.H264
	size := int(b[4]&3) + 1
	sets, rest := readNALUs(b[6:], int(b[5]&0x1F))
	if len(rest) > 0 {
		pps, _ := readNALUs(rest[1:], int(rest[0]))
		sets = append(sets, pps...)
	}
	c.setNALUs(sets, size)
	return nil
}

// setHEVC reads an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3).
func (c *sampleCodec) setHEVC(b []byte) error {
	if len(b) < 23 {
		return errTruncated
	}
	c.track.Codec = media.H265
	size, arrays, sets := int(b[21]&3)+1, int(b[22]), [][]byte(nil)
	for b = b[23:]; arrays > 0 && len(b) >= 3; arrays-- {
		var nalus [][]byte
		nalus, b = readNALUs(b[3:], int(binary.BigEndian.Uint16(b[1:])))
		sets = append(sets, nalus...)
	}
	c.setNALUs(sets, size)
	return nil
}

func (c *sampleCodec) setNALUs(sets [][]byte, lengthSize int) {
	codec := c.track.Codec
	sets = slices.DeleteFunc(sets, func(n []byte) bool { return !isParameterSet(codec, n) })
	c.track.ParameterSets = sets
	c.split = func(b []byte) ([][]byte, error) {
		nalus, err := splitLengths(b, lengthSize)
		return withParameterSets(codec, sets, nalus), err
	}
}

// readNALUs reads n NAL units, each behind its length in 16 bits, and returns what follows them.
func readNALUs(b []byte, n int) (nalus [][]byte, rest []byte) {
	for ; n > 0 && len(b) >= 2; n-- {
		size := int(binary.BigEndian.Uint16(b))
		if size > len(b)-2 {
			return nalus, nil
		}
		if size > 0 {
			nalus = append(nalus, b[2:2+size])
		}
		b = b[2+size:]
	}
	return nalus, b
}

// splitLengths splits a sample whose NAL units have their length before them instead of a start code.
func splitLengths(b []byte, lengthSize int) ([][]byte, error) {
	var nalus [][]byte
	for len(b) > 0 {
		if len(b) < lengthSize {
			return nil, errTruncated
		}
		size := uint64(0)
		for _, v := range b[:lengthSize] {
			size = size<<8 | uint64(v)
		}
		b = b[lengthSize:]
		if size > uint64(len(b)) {
			return nil, errTruncated
		}
		if size > 0 {
			nalus = append(nalus, b[:size])
		}
		b = b[size:]
	}
	return nalus, nil
}

// withParameterSets puts the sets before a random access point that has no SPS of its own.
func withParameterSets(codec media.Codec, sets, nalus [][]byte) [][]byte {
	has := func(f func([]byte) bool) bool { return slices.ContainsFunc(nalus, f) }
	if !has(func(n []byte) bool { return isRandomAccess(codec, n) }) || has(func(n []byte) bool { return isSPS(codec, n) }) {
		return nalus
	}
	return append(slices.Clone(sets), nalus...)
}

func typeH264(nalu []byte) h264.NALUType { return h264.NALUType(nalu[0] & 0x1F) }
func typeH265(nalu []byte) h265.NALUType { return h265.NALUType(nalu[0] >> 1 & 0x3F) }

func isRandomAccess(codec media.Codec, nalu []byte) bool {
	if codec == media.H264 {
		return typeH264(nalu) == h264.NALUTypeIDR
	}
	return h265.IsRandomAccess([][]byte{nalu})
}

func isSPS(codec media.Codec, nalu []byte) bool {
	if codec == media.H264 {
		return typeH264(nalu) == h264.NALUTypeSPS
	}
	return typeH265(nalu) == h265.NALUType_SPS_NUT
}

func isParameterSet(codec media.Codec, nalu []byte) bool {
	if codec == media.H264 {
		return isSPS(codec, nalu) || typeH264(nalu) == h264.NALUTypePPS
	}
	t := typeH265(nalu)
	return t == h265.NALUType_VPS_NUT || t == h265.NALUType_SPS_NUT || t == h265.NALUType_PPS_NUT
}
