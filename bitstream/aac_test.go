package bitstream

import (
	"bytes"
	"testing"

	"sluice/media"
)

// E32: the configuration comes from ADTS when the signalling has none, and no header stays.
func TestAACInADTS(t *testing.T) {
	frame := []byte{0xff, 0xf1, 0x4c, 0x80, 0x1, 0x3f, 0xfc, 0xaa, 0xbb}
	for _, c := range []struct {
		name       string
		sets       [][]byte
		in, out    []byte
		wantConfig []byte
	}{
		{"config from ADTS", nil, frame, frame[7:], []byte{0x11, 0x90}},
		{"config from signalling", [][]byte{{0x12, 0x10}}, frame, frame[7:], []byte{0x12, 0x10}},
		{"no ADTS", nil, []byte{0x21, 1, 2}, []byte{0x21, 1, 2}, nil},
		{"length is a lie", nil, frame[:8], frame[:8], nil},
	} {
		f := NewConformer(media.Track{Codec: media.AAC, ClockRate: 48000, ParameterSets: c.sets})
		au := &media.AccessUnit{Data: [][]byte{c.in}}
		if !f.Conform(au) || !bytes.Equal(au.Data[0], c.out) {
			t.Errorf("%s: got %x", c.name, au.Data)
		}
		if got := bytes.Join(f.Track().ParameterSets, nil); !bytes.Equal(got, c.wantConfig) {
			t.Errorf("%s: config %x, want %x", c.name, got, c.wantConfig)
		}
	}
}
