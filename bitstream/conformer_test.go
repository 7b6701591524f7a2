package bitstream

import (
	"bytes"
	"slices"
	"testing"

	"sluice/media"
)

// F1, F6, F30, F31, F32, E45: the facts come from the bitstream.
func TestFactsOfRealStreams(t *testing.T) {
	type facts struct {
		keys, units       int
		bits, chroma      int
		profile, level    int
		bframes, interlac bool
	}
	for _, c := range []struct {
		name  string
		codec media.Codec
		want  facts
	}{
		{"h264_baseline.264", media.H264, facts{2, 10, 8, 1, 0x42c00a, 0, false, false}},
		{"h264_bframes.264", media.H264, facts{1, 10, 8, 1, 0x64000a, 0, true, false}},
		{"h264_interlaced.264", media.H264, facts{1, 5, 8, 1, 0x640015, 0, false, true}},
		{"h264_422_10.264", media.H264, facts{1, 3, 10, 2, 0x7a000a, 0, false, false}},
		{"h264_422.264", media.H264, facts{1, 3, 8, 2, 0x7a000a, 0, false, false}},
		{"h264_444.264", media.H264, facts{1, 3, 8, 3, 0xf4000a, 0, false, false}},
		{"h264_high10.264", media.H264, facts{1, 3, 10, 1, 0x6e000a, 0, false, false}},
		{"h265_plain.265", media.H265, facts{2, 10, 8, 1, 1, 30, false, false}},
		{"h265_bframes.265", media.H265, facts{1, 10, 8, 1, 1, 30, true, false}},
		{"h265_main10.265", media.H265, facts{1, 3, 10, 1, 2, 30, false, false}},
		{"h265_422_10.265", media.H265, facts{1, 3, 10, 2, 4, 30, false, false}},
		{"h265_444.265", media.H265, facts{1, 3, 8, 3, 4, 30, false, false}},
		{"vp8.ivf", media.VP8, facts{2, 6, 8, 1, 0, 0, false, false}},
		{"vp9.ivf", media.VP9, facts{2, 6, 8, 1, 0, 0, false, false}},
		{"av1.ivf", media.AV1, facts{2, 6, 8, 1, 0, 0, false, false}},
		{"av1_svt.ivf", media.AV1, facts{1, 3, 8, 1, 0, 0, false, false}},
		{"mpeg4.m4v", media.MPEG4Video, facts{2, 5, 8, 0, 0, 0, false, false}},
		{"mjpeg.jpg", media.MJPEG, facts{1, 1, 8, 0, 0, 0, false, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := NewConformer(track(c.codec))
			var got facts
			for _, data := range fixture(t, c.name, c.codec) {
				au := &media.AccessUnit{PTS: int64(got.units) * 9000, Data: data}
				if !f.Conform(au) {
					t.Fatalf("unit %d dropped", got.units)
				}
				if au.Keyframe != Keyframe(c.codec, data) {
					t.Errorf("unit %d: Conform says keyframe %v, Keyframe says the contrary", got.units, au.Keyframe)
				}
				got.units++
				if au.Keyframe {
					got.keys++
				}
			}
			d := f.Track()
			got.bits, got.chroma, got.level = d.BitDepth, d.Profile.ChromaFormat, d.Profile.Level
			got.bframes, got.interlac, got.profile = d.BFrames, d.Interlaced, d.Profile.Profile
			if c.codec == media.H264 {
				p := d.Profile.ProfileLevelID
				got.profile = int(p[0])<<16 | int(p[1])<<8 | int(p[2])
			}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if d.Width != 96 || d.Height != 64 {
				t.Errorf("size %d × %d, want 96 × 64", d.Width, d.Height)
			}
		})
	}
}

// F21, F23, F30, F31: sets before each keyframe exactly once, and nothing that viewers must not get.
func TestUnitsAreCleanAndStartable(t *testing.T) {
	for _, c := range []struct {
		name       string
		codec      media.Codec
		key, other []int
		extra      [][]byte // put at both ends of each unit, and stripped again
	}{
		{
			"h264_baseline.264", media.H264,
			[]int{7, 8, 5},
			[]int{1},
			[][]byte{{9, 0xf0}, {6, 5, 1, 0, 0x80}, {12, 0xff}, {10}, {11}, {0x67}, {0}, {31, 1}},
		},
		{
			"h265_plain.265", media.H265,
			[]int{32, 33, 34, 20},
			[]int{1},
			[][]byte{{35 << 1, 1, 0x50}, {39 << 1, 1, 1}, {40 << 1, 1, 1}, {36 << 1, 1}, {37 << 1, 1}, {38 << 1, 1, 0}, {41 << 1, 1, 0}},
		},
		{"av1.ivf", media.AV1, []int{1, 6}, []int{6}, [][]byte{{0x12, 0}, {15 << 3, 0}, {8 << 3, 0}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := NewConformer(track(c.codec))
			for i, data := range fixture(t, c.name, c.codec) {
				au := &media.AccessUnit{PTS: int64(i) * 9000, Data: slices.Concat(c.extra, data, c.extra)}
				if !f.Conform(au) {
					t.Fatalf("unit %d dropped", i)
				}
				want := c.other
				if au.Keyframe {
					want = c.key
				}
				if got := types(c.codec, au.Data); !slices.Equal(got, want) {
					t.Errorf("unit %d: %v, want %v", i, got, want)
				}
			}
		})
	}
}

// F21, E31: sets come from the signalling, in any order and with start codes, when they are not in band.
func TestParameterSetsFromSignalling(t *testing.T) {
	for _, c := range []struct {
		name  string
		codec media.Codec
		key   []int
	}{
		{"h264_baseline.264", media.H264, []int{7, 8, 5}},
		{"h265_plain.265", media.H265, []int{32, 33, 34, 20}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sets, pictures [][]byte
			for _, n := range annexB(t, c.name, c.codec)[0] {
				switch typ := types(c.codec, [][]byte{n})[0]; {
				case typ == 7 || typ == 8 || typ >= 32 && typ <= 34:
					sets = append(sets, append([]byte{0, 0, 0, 1}, n...))
				default:
					pictures = append(pictures, n)
				}
			}
			slices.Reverse(sets)
			f := NewConformer(track(c.codec, sets...))
			au := &media.AccessUnit{Data: pictures}
			if !f.Conform(au) || !slices.Equal(types(c.codec, au.Data), c.key) {
				t.Errorf("got %v, want %v", types(c.codec, au.Data), c.key)
			}
			for i := range sets {
				f = NewConformer(track(c.codec, slices.Delete(slices.Clone(sets), i, i+1)...))
				if f.Conform(&media.AccessUnit{Data: pictures}) {
					t.Errorf("a keyframe passed without set %d", i)
				}
			}
		})
	}
}

// F21: nothing passes before the first keyframe whose parameter sets are known.
func TestNothingBeforeAKeyframe(t *testing.T) {
	for name, codec := range map[string]media.Codec{
		"h264_baseline.264": media.H264, "h265_plain.265": media.H265, "vp8.ivf": media.VP8,
		"vp9.ivf": media.VP9, "av1.ivf": media.AV1, "mpeg4.m4v": media.MPEG4Video,
	} {
		f := NewConformer(track(codec))
		passed := false
		for i, data := range fixture(t, name, codec)[1:] {
			au := &media.AccessUnit{PTS: int64(i), Data: data}
			ok := f.Conform(au)
			if ok && !passed && !au.Keyframe {
				t.Errorf("%s: a unit that needs an earlier one came first", name)
			}
			passed = passed || ok
		}
		if !passed {
			t.Errorf("%s: no unit passed", name)
		}
	}
}

// E40: a keyframe whose parameter sets never came takes with it what refers to it.
func TestNothingAfterADroppedKeyframe(t *testing.T) {
	for name, codec := range map[string]media.Codec{"h264_baseline.264": media.H264, "h265_plain.265": media.H265} {
		units := annexB(t, name, codec)
		f := NewConformer(track(codec))
		if !f.Conform(&media.AccessUnit{Data: units[0]}) {
			t.Fatalf("%s: first unit dropped", name)
		}
		key := units[0][len(units[0])-1]
		unknown := []byte{0x65, 0x88, 0x15, 0x01, 0x02, 0x03, 0x04} // of PPS 9
		if codec == media.H265 {
			unknown = []byte{key[0], key[1], 0x88, 0x80, 0x01, 0x02, 0x03} // of PPS 16
		}
		for i, c := range []struct {
			data [][]byte
			want bool
		}{{units[1], true}, {[][]byte{unknown}, false}, {units[1], false}, {[][]byte{key}, true}, {units[1], true}} {
			if got := f.Conform(&media.AccessUnit{PTS: int64(i), Data: c.data}); got != c.want {
				t.Errorf("%s: unit %d passed: %v, want %v", name, i, got, c.want)
			}
		}
	}
}

// E44: a change in band is adopted at the next keyframe, and what only the old SPS used is gone.
func TestParameterSetsChange(t *testing.T) {
	small := annexB(t, "h264_baseline.264", media.H264)
	high := annexB(t, "h264_bframes.264", media.H264)
	f := NewConformer(track(media.H264))
	for i, data := range high {
		f.Conform(&media.AccessUnit{PTS: int64(i), Data: data})
	}
	if !f.Track().BFrames {
		t.Fatal("B-frames not seen")
	}
	before := f.Track()
	alone := &media.AccessUnit{Data: small[0][:2]}
	if f.Conform(alone) {
		t.Error("parameter sets alone passed as a unit")
	}
	if !f.Track().Equal(before) {
		t.Error("the track changed before the keyframe")
	}
	au := &media.AccessUnit{Data: small[5][2:]}
	if !f.Conform(au) || !bytes.Equal(au.Data[0], small[0][0]) || !bytes.Equal(au.Data[1], small[0][1]) {
		t.Error("the keyframe did not get the new parameter sets")
	}
	if d := f.Track(); d.BFrames || d.Profile.ProfileLevelID != [3]byte{0x42, 0xc0, 0x0a} {
		t.Errorf("the track did not follow: %+v", d)
	}
}

// E42: start codes inside a NAL unit.
func TestAnnexBInside(t *testing.T) {
	units := annexB(t, "h264_baseline.264", media.H264)
	var joined []byte
	for _, n := range units[0] {
		joined = append(append(joined, n...), 0, 0, 0, 1)
	}
	for name, b := range map[string][]byte{"between": joined, "before": append([]byte{0, 0, 1}, joined...)} {
		au := &media.AccessUnit{Data: [][]byte{b}}
		if !NewConformer(track(media.H264)).Conform(au) || !slices.Equal(types(media.H264, au.Data), []int{7, 8, 5}) {
			t.Errorf("%s: got %v", name, types(media.H264, au.Data))
		}
	}
	for _, c := range []struct{ in, want string }{
		{"", "[]"}, {"\x00\x00\x01", "[]"}, {"a", "[a]"}, {"a\x00\x00\x01b", "[a b]"}, {"a\x00\x00\x00\x01\x00\x00\x01b", "[a b]"},
	} {
		if got := string(bytes.Join(AppendNALUs(nil, []byte(c.in)), []byte(" "))); "["+got+"]" != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

// F31, F33: a keyframe without its header gets the remembered one.
func TestRememberedHeader(t *testing.T) {
	for name, codec := range map[string]media.Codec{"av1.ivf": media.AV1, "mpeg4.m4v": media.MPEG4Video} {
		units := fixture(t, name, codec)
		f := NewConformer(track(codec))
		first := &media.AccessUnit{Data: units[0]}
		if !f.Conform(first) {
			t.Fatal("first unit dropped")
		}
		bare := units[3]
		if codec == media.AV1 {
			bare = bare[len(bare)-1:]
		} else {
			bare = [][]byte{bare[0][len(mpeg4Config(bare[0])):]}
		}
		au := &media.AccessUnit{Data: bare}
		if !f.Conform(au) || !au.Keyframe || !bytes.HasPrefix(bytes.Join(au.Data, nil), f.Track().ParameterSets[0]) {
			t.Errorf("%s: the keyframe lacks its header", name)
		}
	}
}

// F31: units of Chromium's temporal layers carry an extension in each OBU header; the facts are the same.
func TestAV1TemporalLayers(t *testing.T) {
	f := NewConformer(track(media.AV1))
	var got []bool
	for _, data := range fixture(t, "av1.ivf", media.AV1) {
		layered := make([][]byte, 0, len(data))
		for _, b := range data {
			o, ok := parseOBU(b)
			if !ok || o.header != 1 {
				t.Fatalf("%x", b)
			}
			layered = append(layered, slices.Concat([]byte{o.content[0] | 4, 0x20}, o.content[1:]))
		}
		au := &media.AccessUnit{Data: layered}
		if !f.Conform(au) || au.Keyframe != Keyframe(media.AV1, data) {
			t.Fatalf("unit %d: passed otherwise", len(got))
		}
		got = append(got, au.Keyframe)
	}
	if len(got) != 6 || !got[0] || f.Track().Width != 96 {
		t.Errorf("keyframes %v, track %+v", got, f.Track())
	}
}
