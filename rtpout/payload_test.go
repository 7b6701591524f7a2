package rtpout_test

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"sluice/media"
	"sluice/rtpout"
)

// nal is a NAL unit of n bytes: its header, then ones.
func nal(n int, header ...byte) []byte {
	return append(header, bytes.Repeat([]byte{1}, n-len(header))...)
}

// describe shows the first bytes of each payload in hex, and M for the marker.
func describe(payloads []rtpout.Payload, most int) (all []string) {
	for _, p := range payloads {
		s := hex.EncodeToString(p.Data[:min(most, len(p.Data))])
		if p.Marker {
			s += " M"
		}
		all = append(all, s)
	}
	return all
}

func TestGoldenPayloads(t *testing.T) {
	sps, pps, sei := []byte{0x67, 0x42}, []byte{0x68, 0xCE}, []byte{0x06, 0x05}
	vps, sps265, pps265 := []byte{32 << 1, 1, 7}, []byte{33 << 1, 1, 8}, []byte{34 << 1, 1, 9}
	vp9Key := header(media.VP9, true)
	for _, c := range []struct {
		name     string
		codec    media.Codec
		keyframe bool
		data     [][]byte
		most     int // bytes of each payload that are compared
		want     []string
	}{
		{"H264: one NAL unit", media.H264, false, [][]byte{{0x41, 1, 2}}, 9, []string{"410102 M"}},
		{"H264: parameter sets share a STAP-A", media.H264, true, [][]byte{sps, pps, {0x65, 1}}, 20, // F20, F21
			[]string{"78" + "00026742" + "000268ce", "6501 M"}},
		{
			"H264: so does SEI beside them", media.H264, true,
			[][]byte{sps, pps, sei, {0x65, 1}},
			20,
			[]string{"78" + "00026742" + "000268ce" + "00020605", "6501 M"},
		},
		{"H264: one parameter set stands alone", media.H264, true, [][]byte{sps, {0x65, 1}}, 20, []string{"6742", "6501 M"}},
		{"H264: slices share nothing", media.H264, false, [][]byte{{0x41, 1}, {0x41, 2}}, 9, []string{"4101", "4102 M"}},
		{
			"H264: FU-A keeps the importance", media.H264, true,
			[][]byte{nal(3000, 0x25)},
			3,
			[]string{"3c8501", "3c0501", "3c4501 M"},
		},
		{"H264: an empty NAL unit is passed over", media.H264, true, [][]byte{{}, {0x65}, {0x41, 1}}, 9, []string{"4101 M"}},
		{
			"H264: a STAP-A that would be too large is none", media.H264, true,
			[][]byte{nal(600, 0x67), nal(600, 0x68)},
			1,
			[]string{"67", "68 M"},
		},
		{"H265: one NAL unit", media.H265, false, [][]byte{{1 << 1, 1, 5}}, 9, []string{"020105 M"}},
		{"H265: parameter sets share an AP", media.H265, true, [][]byte{vps, sps265, pps265, {19 << 1, 1, 6}}, 30, // F30
			[]string{"6001" + "0003400107" + "0003420108" + "0003440109", "260106 M"}},
		{
			"H265: FU keeps type and temporal layer", media.H265, true,
			[][]byte{nal(3000, 19<<1, 2)},
			4,
			[]string{"62029301", "62021301", "62025301 M"},
		},
		{"VP8: one fragment", media.VP8, true, [][]byte{{0x10, 2, 3}}, 9, []string{"90808007" + "100203 M"}}, // F32
		{"VP8: only the first begins a partition", media.VP8, true, [][]byte{nal(2000, 0x10)}, 5, []string{"9080800710", "8080800701 M"}},
		{"VP9: a keyframe tells its size", media.VP9, true, [][]byte{vp9Key}, 12, // F32
			[]string{"8f8007" + "18" + "07800324" + "01" + "14" + "01" + "82 M"}},
		{"VP9: another picture only its ID", media.VP9, false, [][]byte{{0x86, 1, 1, 1}}, 9, []string{"cd8007" + "86010101 M"}},
		{"VP9: no picture", media.VP9, false, [][]byte{{0x00}}, 9, nil},
		{"AV1: the first packet of a sequence", media.AV1, true, [][]byte{{0x08, 1}, {0x30, 2, 3}}, 9, // F31
			[]string{"08" + "020801" + "03300203 M"}},
		{"AV1: a later picture", media.AV1, false, [][]byte{{0x30, 2, 3}}, 9, []string{"00" + "03300203 M"}},
		{"AV1: an OBU over two packets", media.AV1, false, [][]byte{nal(1500, 0x30)}, 3, []string{"40a109", "80bb02 M"}},
		{"Opus: one frame, no marker", media.Opus, true, [][]byte{{0xFC, 1, 2}}, 9, []string{"fc0102"}}, // F34
		{"no data", media.VP8, true, nil, 9, nil},
		{"a codec that WebRTC lacks", media.AAC, true, [][]byte{{1, 2}}, 9, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			au := &media.AccessUnit{Keyframe: c.keyframe, Data: c.data}
			if got := describe(rtpout.Cut(c.codec, au, 7), c.most); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// F20: the fragments of a NAL unit are equally long, so that none is a tiny one at the end.
func TestFragmentsAreEqual(t *testing.T) {
	for _, n := range []int{1189, 2373, 2374, 5000, 100_000} {
		payloads := rtpout.Cut(media.H264, &media.AccessUnit{Data: [][]byte{nal(n, 0x65)}}, 1)
		if want := (n - 1 + 1185) / 1186; len(payloads) != want {
			t.Errorf("%d bytes: %d packets, want %d", n, len(payloads), want)
		}
		first := len(payloads[0].Data)
		for i, p := range payloads {
			if d := first - len(p.Data); d < 0 || d >= len(payloads) || d > 0 && i < len(payloads)-1 {
				t.Errorf("%d bytes: packet %d has %d bytes, the first %d", n, i, len(p.Data), first)
			}
		}
	}
}

// F35, F36: sound of one byte a tick goes in packets of 20 ms, each at its own time.
func TestSoundIsCutInTime(t *testing.T) {
	for _, codec := range []media.Codec{media.PCMU, media.PCMA, media.G722} {
		for size, want := range map[int][]int{1: {1}, 160: {160}, 161: {160, 1}, 320: {160, 160}, 1024: {160, 160, 160, 160, 160, 160, 64}} {
			au := unitOf(media.PCMU, true, size)
			payloads := rtpout.Cut(codec, au, 1)
			var lengths []int
			var joined []byte
			for i, p := range payloads {
				lengths, joined = append(lengths, len(p.Data)), append(joined, p.Data...)
				if p.Offset != uint32(160*i) || p.Marker {
					t.Errorf("%s, %d bytes: packet %d has offset %d, marker %v", codec, size, i, p.Offset, p.Marker)
				}
			}
			if !slices.Equal(lengths, want) || !bytes.Equal(joined, au.Data[0]) {
				t.Errorf("%s, %d bytes: packets of %v, want %v", codec, size, lengths, want)
			}
		}
	}
}

// F32: picture IDs count on and wrap at 15 bits.
func TestVP9PictureIDs(t *testing.T) {
	for count, want := range map[uint64]string{0x7FFF: "cdffff", 0x8000: "cd8000", 0x8001: "cd8001"} {
		got := describe(rtpout.Cut(media.VP9, unitOf(media.VP9, false, 20), count), 3)
		if len(got) != 1 || got[0] != want+" M" {
			t.Errorf("picture %#x: %v, want %s", count, got, want)
		}
	}
}
