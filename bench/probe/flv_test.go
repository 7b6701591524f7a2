package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"
)

// tag is an FLV tag with the size behind it.
func tag(kind byte, body ...byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(kind)<<24|uint32(len(body)))
	out = append(out, 0, 0, 0, 0, 0, 0, 0)
	out = append(out, body...)
	return binary.BigEndian.AppendUint32(out, uint32(11+len(body)))
}

var (
	flvBegin  = []byte{'F', 'L', 'V', 1, 1, 0, 0, 0, 9, 0, 0, 0, 0}
	flvConfig = tag(flvVideo, 0x17, 0, 0, 0, 0, 1, 66, 0, 31, 0xFF, 0xE1, 0, 2, 0x67, 1, 1, 0, 1, 0x68)
	flvKey    = tag(flvVideo, 0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 9)
	flvOther  = tag(flvVideo, 0x27, 1, 0, 0, 0, 0, 0, 0, 1, 0x41)
	flvScript = tag(18, 2, 0, 0)
)

var flvFiles = map[string]struct {
	data     []byte
	pictures [][]string
	err      error
}{
	"two pictures": {
		slices.Concat(flvBegin, flvScript, flvConfig, flvKey, flvOther),
		[][]string{{"\x67\x01", "\x68", "\x65\x09"}, {"\x41"}},
		io.EOF,
	},
	"empty":               {nil, nil, io.EOF},
	"no FLV":              {[]byte("RIFF123456789"), nil, errFLV},
	"other codec":         {slices.Concat(flvBegin, tag(flvVideo, 0x12, 1, 0, 0, 0)), nil, errFLV},
	"cut off":             {slices.Concat(flvBegin, flvKey[:14]), nil, io.ErrUnexpectedEOF},
	"tag without a codec": {slices.Concat(flvBegin, tag(flvVideo, 0x17)), nil, errFLV},
	"long NAL unit":       {slices.Concat(flvBegin, tag(flvVideo, 0x17, 1, 0, 0, 0, 0, 0, 0, 9, 0x65)), nil, errFLV},
	"long SPS":            {slices.Concat(flvBegin, tag(flvVideo, 0x17, 0, 0, 0, 0, 1, 66, 0, 31, 0xFF, 0xE1, 0, 9, 0x67)), nil, errFLV},
	"huge tag":            {slices.Concat(flvBegin, []byte{9, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0}), nil, errFLV},
}

func TestFLV(t *testing.T) {
	for name, c := range flvFiles {
		t.Run(name, func(t *testing.T) {
			f := newFLVReader(bytes.NewReader(c.data))
			for _, want := range c.pictures {
				nalus, err := f.next()
				if err != nil || !slices.EqualFunc(nalus, want, func(a []byte, b string) bool { return string(a) == b }) {
					t.Fatalf("got %x and %v, want %x", nalus, err, want)
				}
			}
			if _, err := f.next(); !errors.Is(err, c.err) {
				t.Errorf("then %v, want %v", err, c.err)
			}
		})
	}
}

func FuzzFLV(f *testing.F) {
	for _, c := range flvFiles {
		f.Add(c.data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newFLVReader(bytes.NewReader(data))
		for {
			nalus, err := r.next()
			if err != nil {
				return
			}
			if slices.ContainsFunc(nalus, func(n []byte) bool { return len(n) > len(data) }) {
				t.Fatalf("%d bytes have NAL units of more: %d", len(data), len(nalus))
			}
		}
	})
}
