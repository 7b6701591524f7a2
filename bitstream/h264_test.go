package bitstream

import (
	"slices"
	"testing"

	"sluice/media"
)

// pictures returns a Conformer that has passed the first keyframe of a fixture, and all its units.
func pictures(t *testing.T, name string, codec media.Codec) (*Conformer, [][][]byte) {
	t.Helper()
	units := annexB(t, name, codec)
	f := NewConformer(track(codec))
	if !f.Conform(&media.AccessUnit{Data: units[0]}) {
		t.Fatal("first unit dropped")
	}
	return f, units
}

// E45: reversals of the PTS, three of them within 2 s.
func TestReversalsAreBFrames(t *testing.T) {
	const s = 90000
	for _, c := range []struct {
		name string
		pts  []int64
		want bool
	}{
		{"in order", []int64{1, 2, 3, 4, 5, 6, 7, 8}, false},
		{"one repeated", []int64{1, 2, 2, 3, 4, 5, 6, 7}, false},
		{"all repeated", []int64{1, 1, 1, 1, 1, 1}, false},
		{"two reversals", []int64{1, 4, 2, 3, 7, 5, 6}, false},
		{"three reversals", []int64{1, 4, 2, 3, 7, 5, 6, 10, 8, 9}, true},
		{"three, far apart", []int64{1, 4, 2, 3, 2 * s, 1 * s, 4 * s, 3 * s, 6 * s}, false},
	} {
		for _, name := range []string{"h264_baseline.264", "h265_plain.265"} {
			codec := media.H264
			if name == "h265_plain.265" {
				codec = media.H265
			}
			f, units := pictures(t, name, codec)
			for _, pts := range c.pts {
				f.Conform(&media.AccessUnit{PTS: pts, Data: units[1]})
			}
			if got := f.Track().BFrames; got != c.want {
				t.Errorf("%s, %s: BFrames %v, want %v", codec, c.name, got, c.want)
			}
		}
	}
}

// E45: what slices and parameter sets say, weighed.
func TestBSlicesAreWeighed(t *testing.T) {
	for _, c := range []struct {
		name string
		a    announced
		b    []bool
		want bool
	}{
		{"reordering announced, no B slice", reorderSome, []bool{false, false, false}, false},
		{"reordering announced, one B slice", reorderSome, []bool{false, true}, true},
		{"nothing announced, two", reorderUnknown, []bool{true, false, true}, false},
		{"nothing announced, three", reorderUnknown, []bool{true, true, true}, true},
		{"low-delay B", reorderNone, []bool{true, true, true, true, true}, false},
	} {
		r := newReordering(90000)
		got := false
		for i, b := range c.b {
			got = r.seen(&media.AccessUnit{PTS: int64(i)}, b, c.a)
		}
		if got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// F23: of SEI only the recovery point stays.
func TestRecoveryPointStays(t *testing.T) {
	point := []byte{6, 6, 1, 0xc4, 0x80}
	for _, c := range []struct {
		name string
		sei  []byte
		want bool
	}{
		{"alone", point, true},
		{"after user data", []byte{6, 5, 2, 1, 2, 6, 1, 0xc4, 0x80}, true},
		{"after a long message", slices.Concat([]byte{6, 5, 0xff, 1}, make([]byte, 256), []byte{6, 1, 0xc4, 0x80}), true},
		{"user data", []byte{6, 5, 2, 1, 2, 0x80}, false},
		{"size too great", []byte{6, 6, 200, 1, 0x80}, false},
		{"cut short", []byte{6, 0xff, 0xff}, false},
		{"empty", []byte{6}, false},
	} {
		got, ok := recoveryPoint(c.sei)
		if ok != c.want || ok && !slices.Equal(got, point) {
			t.Errorf("%s: got %x, %v", c.name, got, ok)
		}
	}
}

// F21: a stream that never has an IDR, or only a first one, starts at I pictures with a recovery point.
func TestRecoveryPointStarts(t *testing.T) {
	units := annexB(t, "h264_baseline.264", media.H264)
	sei := []byte{6, 6, 1, 0xc4, 0x80}
	intra := []byte{0x61, 0b1_011_1_000, 0, 0, 0x80} // first_mb 0, slice_type 2, PPS 0
	f := NewConformer(track(media.H264, units[0][0], units[0][1]))
	if f.Conform(&media.AccessUnit{Data: [][]byte{intra}}) {
		t.Error("an I picture without recovery point passed")
	}
	if f.Conform(&media.AccessUnit{Data: [][]byte{sei, units[1][0]}}) {
		t.Error("a P picture with recovery point passed")
	}
	au := &media.AccessUnit{Data: [][]byte{sei, intra}}
	if !f.Conform(au) || !au.Keyframe || !slices.Equal(types(media.H264, au.Data), []int{7, 8, 6, 1}) {
		t.Errorf("I picture with recovery point: keyframe %v, %v", au.Keyframe, types(media.H264, au.Data))
	}
	f.Conform(&media.AccessUnit{Data: units[0]})
	au = &media.AccessUnit{Data: [][]byte{sei, intra}}
	if !f.Conform(au) || au.Keyframe {
		t.Error("after an IDR a recovery point must be no keyframe")
	}
	au = &media.AccessUnit{PTS: 11 * 90000, Data: [][]byte{sei, intra}}
	if !f.Conform(au) || !au.Keyframe {
		t.Error("11 s after the only IDR a recovery point must be a keyframe")
	}
}

// F6: what the profile does not tell.
func TestUnusual(t *testing.T) {
	for _, c := range []struct {
		name string
		add  []byte
		want string
	}{
		{"partition A", []byte{0x62, 0xe0, 0, 0x80}, unusualPartitions},
		{"prefix", []byte{0x6e, 0x40, 0x80, 0x07}, unusualScalable},
		{"subset SPS", []byte{0x6f, 0x53, 0, 0x1f}, unusualScalable},
		{"extension slice", []byte{0x74, 0x40, 0x80, 0x07}, unusualScalable},
		{"FMO", []byte{0x68, 0b1_1_0_0_010_1}, unusualFMO}, // PPS 0 of SPS 0 with two slice groups
	} {
		f, units := pictures(t, "h264_baseline.264", media.H264)
		if f.Track().Unusual != "" {
			t.Fatal("unusual from the start")
		}
		f.Conform(&media.AccessUnit{Data: append(slices.Clone(units[1]), c.add)})
		if got := f.Track().Unusual; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// F21: all sets a picture may want, the current ones, in order; a new PPS in mid-GOP goes along once.
func TestSeveralPPS(t *testing.T) {
	units := annexB(t, "h264_baseline.264", media.H264)
	second := []byte{0x68, 0b010_1_0_0_1_1, 0b1_1_00_1_1_1_0, 0b0_0_1_00000} // PPS 1 of SPS 0
	f := NewConformer(track(media.H264))
	f.Conform(&media.AccessUnit{Data: units[0]})
	au := &media.AccessUnit{Data: append([][]byte{second}, units[1]...)}
	if !f.Conform(au) || !slices.Equal(types(media.H264, au.Data), []int{8, 1}) {
		t.Errorf("new PPS in mid-GOP: %v", types(media.H264, au.Data))
	}
	au = &media.AccessUnit{Data: append([][]byte{second}, units[2]...)}
	if !f.Conform(au) || !slices.Equal(types(media.H264, au.Data), []int{1}) {
		t.Errorf("repeated PPS: %v", types(media.H264, au.Data))
	}
	au = &media.AccessUnit{Data: slices.Concat(units[5][:2], units[5][:2], units[5][2:])}
	if !f.Conform(au) || !slices.Equal(types(media.H264, au.Data), []int{7, 8, 8, 5}) {
		t.Errorf("keyframe: %v", types(media.H264, au.Data))
	}
}

// J116: parameter sets and slices that lie.
func TestH264Hostile(t *testing.T) {
	units := annexB(t, "h264_baseline.264", media.H264)
	sps, pps, idr := units[0][0], units[0][1], units[0][len(units[0])-1]
	for name, data := range map[string][][]byte{
		"nothing":              {},
		"empty NAL unit":       {{}},
		"SPS of 1 byte":        {{0x67}, pps, idr},
		"Exp-Golomb of 2^31":   {{0x67, 66, 0, 10, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff}, pps, idr},
		"poc type 3":           {{0x67, 66, 0, 10, 0b1_1_00100_1, 0xff}, pps, idr},
		"width 65536":          {{0x67, 66, 0, 10, 0b1_1_011_1_1_0, 0, 0, 0b01000000, 0, 0b10000000, 1, 0xff, 0xff}, pps, idr},
		"PPS without SPS":      {pps, idr},
		"slice without PPS":    {sps, idr},
		"PPS of 1 byte":        {sps, {0x68}, idr},
		"PPS id 300":           {sps, {0x68, 0, 0x96, 0x80, 0}, idr},
		"slice of 1 byte":      {sps, pps, {0x65}},
		"slice type 10":        {sps, pps, {0x65, 0b1_0001011, 0x80}},
		"forbidden bit":        {sps, pps, {0xe5, 0xb8, 0x40}},
		"SPS of 64 KiB":        {append(slices.Clone(sps), make([]byte, 64<<10)...), pps, idr},
		"slices of two SPSs":   {sps, pps, {0x68, 0b010_010_0_0, 0x80}, {0x65, 0b1_011_010_0, 0}, idr},
		"only parameter sets":  {sps, pps},
		"reserved types alone": {{0x70, 1}, {0x7f, 1}},
	} {
		if NewConformer(track(media.H264)).Conform(&media.AccessUnit{Data: data}) {
			t.Errorf("%s: passed", name)
		}
	}
}

// A fault in the VUI doesn't cost the picture.
func TestBrokenVUI(t *testing.T) {
	units := annexB(t, "h264_baseline.264", media.H264)
	cut := slices.Clone(units[0][0][:10])
	f := NewConformer(track(media.H264))
	if !f.Conform(&media.AccessUnit{Data: append([][]byte{cut}, units[0][1:]...)}) || f.Track().Width != 96 {
		t.Errorf("dropped, or width %d", f.Track().Width)
	}
}
