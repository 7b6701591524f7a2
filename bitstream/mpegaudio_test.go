package bitstream

import (
	"testing"

	"sluice/media"
)

// Frames as ffmpeg makes them follow each other without a gap, and all say the same.
func TestMPEGAudioFrames(t *testing.T) {
	for _, c := range []struct {
		name   string
		frames int
		want   MPEGAudioFrame // Size is that of the first
	}{
		{"layer3_44100_stereo.mp3", 7, MPEGAudioFrame{Layer: 3, SampleRate: 44100, Channels: 2, Samples: 1152, Size: 417}},
		{"layer3_16000_mono.mp3", 7, MPEGAudioFrame{Layer: 3, SampleRate: 16000, Channels: 1, Samples: 576, Size: 108}},
		{"layer3_8000_mono.mp3", 5, MPEGAudioFrame{Layer: 3, SampleRate: 8000, Channels: 1, Samples: 576, Size: 144}},
		{"layer2_48000_stereo.mp2", 5, MPEGAudioFrame{Layer: 2, SampleRate: 48000, Channels: 2, Samples: 1152, Size: 576}},
	} {
		t.Run(c.name, func(t *testing.T) {
			conformer, n := NewConformer(track(media.MP3)), 0
			for b := read(t, c.name); len(b) > 0; n++ {
				f, ok := ParseMPEGAudioFrame(b)
				if !ok || f.Size > len(b) {
					t.Fatalf("frame %d: %+v, %v; %d bytes are left", n, f, ok, len(b))
				}
				au := &media.AccessUnit{Data: [][]byte{b[:f.Size]}}
				if !conformer.Conform(au) || !au.Keyframe {
					t.Fatalf("frame %d is dropped", n)
				}
				b = b[f.Size:]
				if f.Size -= c.want.Size; f.Size > 1 || f.Size < 0 {
					t.Errorf("frame %d is %d bytes longer than the first", n, f.Size)
				}
				if f.Size = c.want.Size; f != c.want {
					t.Errorf("frame %d: %+v, want %+v", n, f, c.want)
				}
			}
			if got := conformer.Track().Channels; n != c.frames || got != c.want.Channels {
				t.Errorf("%d frames of %d channels", n, got)
			}
		})
	}
}

func TestMPEGAudioHeaders(t *testing.T) {
	for _, c := range []struct {
		name, header string
		size         int // 0: none
	}{
		{"layer 1", "\xff\xff\x14\x00", 32},
		{"layer 1 with padding", "\xff\xff\x16\x00", 36},
		{"layer 1 of MPEG-2", "\xff\xf7\xe4\x00", 512},
		{"layer 3 with padding", "\xff\xfb\x92\x00", 418},
		{"largest", "\xff\xff\xe8\x00", 672},
		{"short", "\xff\xfb\x92", 0},
		{"no sync word", "\xff\x1b\x92\x00", 0},
		{"no sync word at all", "\x00\xfb\x92\x00", 0},
		{"reserved version", "\xff\xeb\x92\x00", 0},
		{"reserved layer: ADTS", "\xff\xf1\x50\x80", 0},
		{"free bit rate", "\xff\xfb\x02\x00", 0},
		{"bad bit rate", "\xff\xfb\xf2\x00", 0},
		{"reserved sampling rate", "\xff\xfb\x9e\x00", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, ok := ParseMPEGAudioFrame([]byte(c.header))
			if ok != (c.size > 0) || f.Size != c.size {
				t.Errorf("%+v, %v; want %d bytes", f, ok, c.size)
			}
		})
	}
}
