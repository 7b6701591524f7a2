package bitstream

import (
	"bytes"
	"slices"
)

// Limits to what is kept or believed of a stream.
const (
	maxParameterSet = 8 << 10 // bytes of one SPS, PPS or VPS
	maxDimension    = 16384   // pixels of a picture's width or height
)

var startCode = []byte{0, 0, 1}

// AppendNALUs appends to dst the NAL units in b, which is one NAL unit or, as some cameras send it, several
// with start codes between or before them (ITU-T H.264 Annex B). Empty ones are left out; the parts share
// the bytes of b.
func AppendNALUs(dst [][]byte, b []byte) [][]byte {
	for len(b) > 0 {
		i := bytes.Index(b, startCode)
		if i < 0 {
			return append(dst, b)
		}
		if nalu := bytes.TrimRight(b[:i], "\x00"); len(nalu) > 0 {
			dst = append(dst, nalu)
		}
		b = b[i+len(startCode):]
	}
	return dst
}

// splitNALUs is AppendNALUs for a whole unit; data itself is returned if there is nothing to split.
func splitNALUs(data [][]byte) [][]byte {
	split := slices.ContainsFunc(data, func(d []byte) bool { return len(d) == 0 || bytes.Contains(d, startCode) })
	if !split {
		return data
	}
	var out [][]byte
	for _, d := range data {
		out = AppendNALUs(out, d)
	}
	return out
}

// sameSets reports whether both lists hold the same parameter sets.
func sameSets(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }

// plausible reports whether a picture of this size can be meant.
func plausible(width, height int) bool {
	return width > 0 && height > 0 && width <= maxDimension && height <= maxDimension
}
