package bitstream

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"sluice/media"
)

func read(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// annexB reads an elementary stream of H264 or H265 as units with one picture each.
func annexB(tb testing.TB, name string, codec media.Codec) [][][]byte {
	tb.Helper()
	var units [][][]byte
	var unit [][]byte
	picture := false
	for _, n := range AppendNALUs(nil, read(tb, name)) {
		vcl, first := n[0]&0x1f >= 1 && n[0]&0x1f <= 5, n[1]&0x80 != 0
		if codec == media.H265 {
			vcl, first = h265Type(n) < 32, n[2]&0x80 != 0
		}
		suffix := codec == media.H265 && h265Type(n) == 40
		if picture && (!vcl && !suffix || vcl && first) {
			units, unit, picture = append(units, unit), nil, false
		}
		unit, picture = append(unit, n), picture || vcl
	}
	return append(units, unit)
}

// ivf reads the frames of an IVF file; those of AV1 are split into OBUs.
func ivf(tb testing.TB, name string, codec media.Codec) [][][]byte {
	tb.Helper()
	var units [][][]byte
	for b := read(tb, name)[32:]; len(b) > 12; {
		size := binary.LittleEndian.Uint32(b)
		frame := b[12 : 12+size]
		b = b[12+size:]
		if codec != media.AV1 {
			units = append(units, [][]byte{frame})
			continue
		}
		var unit [][]byte
		for len(frame) > 0 { // each OBU has a size of one or two bytes
			n, head := int(frame[1]&0x7f), 2
			if frame[1]&0x80 != 0 {
				n, head = n|int(frame[2])<<7, 3
			}
			unit = append(unit, frame[:head+n])
			frame = frame[head+n:]
		}
		units = append(units, unit)
	}
	return units
}

// m4v reads an elementary stream of MPEG-4 Visual as one unit for each picture with what stands before it.
func m4v(tb testing.TB, name string) [][][]byte {
	tb.Helper()
	var units [][][]byte
	b := read(tb, name)
	for len(b) > 0 {
		vop := bytes.Index(b, []byte{0, 0, 1, mpeg4VOP}) + 4
		end := len(b)
		if i := bytes.Index(b[vop:], startCode); i >= 0 {
			end = vop + i
		}
		units = append(units, [][]byte{b[:end]})
		b = b[end:]
	}
	return units
}

func fixture(tb testing.TB, name string, codec media.Codec) [][][]byte {
	tb.Helper()
	switch codec {
	case media.H264, media.H265:
		return annexB(tb, name, codec)
	case media.MPEG4Video:
		return m4v(tb, name)
	case media.MJPEG:
		return [][][]byte{{read(tb, name)}}
	default:
		return ivf(tb, name, codec)
	}
}

// types lists the NAL unit types in a unit.
func types(codec media.Codec, data [][]byte) []int {
	var out []int
	for _, n := range data {
		switch codec {
		case media.H265:
			out = append(out, int(h265Type(n)))
		case media.AV1:
			out = append(out, int(n[0]>>3))
		default:
			out = append(out, int(n[0]&0x1f))
		}
	}
	return out
}

func track(codec media.Codec, sets ...[]byte) media.Track {
	return media.Track{ID: "video", Kind: media.Video, Codec: codec, ClockRate: 90000, ParameterSets: sets}
}
