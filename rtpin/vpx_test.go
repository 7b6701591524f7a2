package rtpin

import (
	"testing"

	"sluice/media"
)

// E41, E42, J118. The first byte of VP8: 10 begins a partition, its low bits number it; of VP9: 08 begins a layer, 04
// ends it, 20 tells which one it is in two more bytes.
func TestVPXPackets(t *testing.T) {
	const m = true
	for _, c := range []struct {
		name  string
		codec media.Codec
		steps []step
		want  string
	}{
		{"one packet", media.VP8, []step{{1, m, "\x10\xaa", false}}, "aa"},
		{"several", media.VP8, []step{{1, false, "\x10\xaa", false}, {1, false, "\x00\xbb", false}, {1, m, "\x00\xcc", false}}, "aabbcc"},
		{"partitions of GStreamer", media.VP8, []step{
			{1, false, "\x90\x80\x8a\xbc\xaa", false},
			{1, false, "\x80\x80\x8a\xbc\xbb", false},
			{1, false, "\x91\x80\x8a\xbc\xcc", false},
			{1, m, "\x81\x80\x8a\xbc\xdd", false},
			{2, m, "\x90\x80\x8a\xbd\xee", false},
		}, "aabbccdd|ee"},
		{"temporal layers of Chromium", media.VP8, []step{{1, m, "\x90\xe0\x81\x02\x07\x20\xaa", false}}, "aa"},
		{"never a marker", media.VP8, []step{{1, false, "\x10\xaa", false}, {1, false, "\x00\xbb", false}, {2, false, "\x10\xcc", false}}, "aabb"},
		{"begins in the middle", media.VP8, []step{{1, false, "\x00\xaa", false}, {1, m, "\x11\xbb", false}, {2, m, "\x10\xcc", false}}, "cc"},
		{"begins with the second partition", media.VP8, []step{{1, m, "\x11\xbb", false}, {2, m, "\x10\xcc", false}}, "cc"},
		{"start lost", media.VP8, []step{{1, m, "\x10\xaa", false}, {2, false, "\x00\xbb", true}, {2, m, "\x00\xcc", false}, {3, m, "\x10\xdd", false}}, "aa|dd"},
		{"end lost", media.VP8, []step{{1, false, "\x10\xaa", false}, {2, m, "\x10\xbb", true}}, "bb"},
		{"no start", media.VP8, []step{{1, m, "\x10\xaa", false}, {2, m, "\x00\xbb", false}, {3, m, "\x10\xcc", false}}, "aa|!|cc"},
		{"no descriptor", media.VP8, []step{{1, m, "\x10\xaa", false}, {2, false, "\x90", false}, {2, m, "\x00\xbb", false}, {3, m, "\x10\xcc", false}}, "aa|!|cc"},
		{"nothing behind the descriptor", media.VP8, []step{{1, m, "\x10", false}, {2, m, "\x10\xaa", false}}, "aa"},
		{"one packet", media.VP9, []step{{1, m, "\x0c\xaa", false}}, "aa"},
		{"several", media.VP9, []step{{1, false, "\x88\x81\x02\xaa", false}, {1, m, "\x84\x81\x02\xbb", false}}, "aabb"},
		{"layers", media.VP9, []step{{1, false, "\x2c\x00\x00\xaa", false}, {1, false, "\x28\x02\x00\xbb", false}, {1, m, "\x24\x02\x00\xcc", false}}, "aabbcc"},
		{"lowest layer lost", media.VP9, []step{{1, m, "\x2c\x02\x00\xbb", true}, {2, m, "\x2c\x00\x00\xaa", false}}, "aa"},
		{"flexible mode", media.VP9, []step{{1, m, "\xdc\x05\x02\xaa", false}}, "aa"},
		{"references without end", media.VP9, []step{{1, m, "\x5c\x03\x03\x03\x03\x03\xaa", false}}, "!"},
		{"ninth layer", media.VP9, []step{{1, m, "\x2c\x0f\x00\xaa", false}}, "!"},
	} {
		t.Run(string(c.codec)+" "+c.name, func(t *testing.T) {
			if got := run(t, c.codec, c.steps); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
