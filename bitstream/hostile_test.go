package bitstream

import (
	"slices"
	"testing"

	"sluice/media"
)

// J117, J118, J119: what can't be read is dropped.
func TestHostileUnits(t *testing.T) {
	h265 := annexB(t, "h265_plain.265", media.H265)[0]
	av1Unit := fixture(t, "av1.ivf", media.AV1)[0]
	for _, c := range []struct {
		name  string
		codec media.Codec
		data  [][]byte
	}{
		{"VPS of 64 KiB", media.H265, append([][]byte{append([]byte{0x40, 1}, make([]byte, 64<<10)...)}, h265[1:]...)},
		{"SPS of 2 bytes", media.H265, [][]byte{h265[0], {0x42, 1}, h265[2], h265[len(h265)-1]}},
		{"SPS cut short", media.H265, [][]byte{h265[0], h265[1][:18], h265[2], h265[len(h265)-1]}},
		{"no PPS", media.H265, [][]byte{h265[0], h265[1], h265[len(h265)-1]}},
		{"aggregation packet as NAL unit", media.H265, [][]byte{{48 << 1, 1, 0}}},
		{"NAL unit of 1 byte", media.H265, [][]byte{{0x26}}},
		{"enhancement layer", media.H265, [][]byte{{0x26, 0x09, 0xaf}}},
		{"OBU size overflow", media.AV1, [][]byte{{0x12 | 6<<3, 0xff, 0x7f, 0}}},
		{"LEB128 of 10 bytes", media.AV1, [][]byte{{6<<3 | 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}},
		{"forbidden bit", media.AV1, [][]byte{{0x80 | 6<<3, 0x10}}},
		{"extension cut off", media.AV1, [][]byte{{6<<3 | 4}}},
		{"no sequence header", media.AV1, av1Unit[len(av1Unit)-1:]},
		{"no picture", media.AV1, av1Unit[:1]},
		{"1 byte", media.VP8, [][]byte{{0}}},
		{"no start code", media.VP8, [][]byte{{0, 0, 0, 1, 2, 3, 4, 5, 6, 7}}},
		{"size 0", media.VP8, [][]byte{{0, 0, 0, 0x9d, 1, 0x2a, 0, 0, 0, 0}}},
		{"empty", media.VP9, [][]byte{{}}},
		{"bad marker", media.VP9, [][]byte{{0x40, 1, 2}}},
		{"no sync code", media.VP9, [][]byte{{0x82, 1, 2, 3, 4, 5, 6, 7, 8}}},
		{"no start of image", media.MJPEG, [][]byte{{1, 2, 3, 4}}},
		{"no start of frame", media.MJPEG, [][]byte{{0xff, 0xd8, 0xff, 0xd9}}},
		{"segment too long", media.MJPEG, [][]byte{{0xff, 0xd8, 0xff, 0xc0, 0xff, 0xff, 8, 0, 1, 0, 1}}},
		{"segment too short", media.MJPEG, [][]byte{{0xff, 0xd8, 0xff, 0xc0, 0, 2, 8, 0, 1, 0, 1}}},
		{"no picture", media.MPEG4Video, [][]byte{{0, 0, 1, 0xb0, 1}}},
		{"picture without type", media.MPEG4Video, [][]byte{{0, 0, 1, 0xb6}}},
		{"I without config", media.MPEG4Video, [][]byte{{0, 0, 1, 0xb6, 0x10}}},
		{"empty", media.Opus, [][]byte{{}}},
		{"code 3 without count", media.Opus, [][]byte{{3}}},
		{"code 3 with count 0", media.Opus, [][]byte{{3, 0}}},
		{"code 3 with count 63", media.Opus, [][]byte{{0x1b, 63}}},
		{"empty", media.PCMA, [][]byte{{}}},
	} {
		t.Run(string(c.codec)+" "+c.name, func(t *testing.T) {
			if NewConformer(track(c.codec)).Conform(&media.AccessUnit{Data: c.data}) {
				t.Error("passed")
			}
		})
	}
}

// Audio is never held back, and each of its units is a keyframe.
func TestAudioPasses(t *testing.T) {
	for _, codec := range []media.Codec{media.Opus, media.PCMU, media.PCMA, media.G722, media.AAC, media.LPCM} {
		au := &media.AccessUnit{Data: [][]byte{{0xfc, 1, 2}}}
		if !NewConformer(media.Track{Codec: codec, ClockRate: 48000}).Conform(au) || !au.Keyframe ||
			!Keyframe(codec, au.Data) {
			t.Errorf("%s: dropped", codec)
		}
	}
}

// What is kept of a unit outlives its buffers: packets are reused, parameter sets are not.
func TestParameterSetsAreCopies(t *testing.T) {
	for name, codec := range map[string]media.Codec{
		"h264_baseline.264": media.H264, "h265_plain.265": media.H265, "av1.ivf": media.AV1, "mpeg4.m4v": media.MPEG4Video,
	} {
		f := NewConformer(track(codec))
		unit := fixture(t, name, codec)[0]
		f.Conform(&media.AccessUnit{Data: unit})
		want := slices.Clone(f.Track().ParameterSets[0])
		for _, b := range unit {
			clear(b)
		}
		if len(want) == 0 || !slices.Equal(f.Track().ParameterSets[0], want) {
			t.Errorf("%s: the parameter sets changed with the buffer", name)
		}
	}
}

var fuzzed = map[string]media.Codec{
	"h264_bframes.264": media.H264, "h264_interlaced.264": media.H264, "h265_plain.265": media.H265,
	"h265_bframes.265": media.H265, "vp8.ivf": media.VP8, "vp9.ivf": media.VP9, "av1.ivf": media.AV1,
	"mpeg4.m4v": media.MPEG4Video, "mjpeg.jpg": media.MJPEG,
}

// fuzz gives a Conformer two units of the fuzzer's after one of a real stream. What passes must be able to
// pass again: it has something in it, and a keyframe is still one.
func fuzz(f *testing.F, codec media.Codec) {
	for name, c := range fuzzed {
		if c == codec {
			units := fixture(f, name, codec)
			f.Add(slices.Concat(units[0]...), slices.Concat(units[len(units)-1]...))
		}
	}
	f.Add([]byte{}, []byte{0})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		c := NewConformer(track(codec, a))
		for i, data := range [][][]byte{{a}, {b}, {a, b}, {b, a}} {
			au := &media.AccessUnit{PTS: int64(i), Data: data}
			if !c.Conform(au) {
				continue
			}
			again := &media.AccessUnit{PTS: int64(i), Data: au.Data}
			if au.Size() == 0 || !c.Conform(again) || again.Keyframe != au.Keyframe {
				t.Fatalf("a unit that passed does not pass again: %x", au.Data)
			}
		}
	})
}

func FuzzConformH264(f *testing.F)  { fuzz(f, media.H264) }
func FuzzConformH265(f *testing.F)  { fuzz(f, media.H265) }
func FuzzConformVP8(f *testing.F)   { fuzz(f, media.VP8) }
func FuzzConformVP9(f *testing.F)   { fuzz(f, media.VP9) }
func FuzzConformAV1(f *testing.F)   { fuzz(f, media.AV1) }
func FuzzConformMPEG4(f *testing.F) { fuzz(f, media.MPEG4Video) }
func FuzzConformMJPEG(f *testing.F) { fuzz(f, media.MJPEG) }
func FuzzConformOpus(f *testing.F)  { fuzz(f, media.Opus) }
