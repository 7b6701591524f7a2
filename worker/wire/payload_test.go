package wire

import (
	"bytes"
	"reflect"
	"testing"

	"sluice/media"
)

var payloadCases = map[string]struct {
	codec   media.Codec
	data    [][]byte
	payload []byte
}{
	"H264": {media.H264, [][]byte{{0x67, 1, 2}, {0x68, 3}, {0x65, 0, 0, 3, 1}}, []byte{0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x65, 0, 0, 3, 1}},
	"H265": {media.H265, [][]byte{{0x40, 1}, {0x26, 1, 9}}, []byte{0, 0, 0, 1, 0x40, 1, 0, 0, 0, 1, 0x26, 1, 9}},
	"AV1":  {media.AV1, [][]byte{{0x08, 7}, {0x34, 0x20, 5, 6}}, []byte{0x12, 0, 0x0a, 1, 7, 0x36, 0x20, 2, 5, 6}},
	"VP8":  {media.VP8, [][]byte{{1, 2, 3}}, []byte{1, 2, 3}},
	"Opus": {media.Opus, [][]byte{{0xfc, 0, 0, 1}}, []byte{0xfc, 0, 0, 1}},
	"AAC":  {media.AAC, [][]byte{{0x21, 0x10}}, []byte{0x21, 0x10}},
}

func TestJoinAndSplit(t *testing.T) {
	for name, c := range payloadCases {
		t.Run(name, func(t *testing.T) {
			if got := bytes.Join(Join(c.codec, c.data), nil); !bytes.Equal(got, c.payload) {
				t.Errorf("Join = %x, want %x", got, c.payload)
			}
			before := bytes.Clone(c.payload)
			if got := Split(c.codec, c.payload); !reflect.DeepEqual(got, c.data) {
				t.Errorf("Split = %x, want %x", got, c.data)
			}
			if !bytes.Equal(c.payload, before) {
				t.Error("Split has changed the payload")
			}
		})
	}
}

func TestSplitOfWhatIsNotWellFormed(t *testing.T) {
	for name, c := range map[string]struct {
		codec   media.Codec
		payload []byte
		want    [][]byte
	}{
		"nothing, H264":       {media.H264, nil, nil},
		"nothing, VP8":        {media.VP8, nil, nil},
		"no start code":       {media.H264, []byte{1, 2, 3}, nil},
		"bytes before it":     {media.H264, []byte{9, 0, 0, 1, 5}, [][]byte{{5}}},
		"trailing zeros":      {media.H264, []byte{0, 0, 1, 5, 0, 0, 0, 0, 1, 6, 0}, [][]byte{{5}, {6}}},
		"empty NAL unit":      {media.H264, []byte{0, 0, 1, 0, 0, 1, 6}, [][]byte{{6}}},
		"OBU cut short":       {media.AV1, []byte{0x0a, 1, 7, 0x32, 200, 1}, [][]byte{{0x08, 7}}},
		"OBU without size":    {media.AV1, []byte{0x0a, 1, 7, 0x30, 5, 6}, [][]byte{{0x08, 7}, {0x30, 5, 6}}},
		"endless size":        {media.AV1, bytes.Repeat([]byte{0xff}, 12), nil},
		"extension cut short": {media.AV1, []byte{0x0e}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Split(c.codec, c.payload); !reflect.DeepEqual(got, c.want) {
				t.Errorf("Split = %x, want %x", got, c.want)
			}
		})
	}
}

func TestJoinOfOBUsThatHaveASize(t *testing.T) {
	got := bytes.Join(Join(media.AV1, [][]byte{{0x0a, 1, 7}, {}}), nil)
	if want := []byte{0x12, 0, 0x0a, 1, 7}; !bytes.Equal(got, want) {
		t.Errorf("Join = %x, want %x", got, want)
	}
}

// What Split gives, Join and Split must give again.
func FuzzSplit(f *testing.F) {
	codecs := []media.Codec{media.H264, media.H265, media.AV1, media.VP8}
	for _, c := range payloadCases {
		for i := range codecs {
			f.Add(i, c.payload)
		}
	}
	f.Fuzz(func(t *testing.T, codec int, payload []byte) {
		c := codecs[uint(codec)%uint(len(codecs))]
		before := bytes.Clone(payload)
		data := Split(c, payload)
		if !bytes.Equal(before, payload) {
			t.Fatal("Split has changed the payload")
		}
		again := Split(c, bytes.Join(Join(c, data), nil))
		if !reflect.DeepEqual(again, data) {
			t.Fatalf("%s: %x became %x", c, data, again)
		}
	})
}
