package rtpin

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"os"
	"strings"
	"testing"

	"github.com/pion/rtp"

	"sluice/bitstream"
	"sluice/media"
)

// captured reads packets that ffmpeg 5.1 has sent (-f rtp, with a small pkt_size), one a line in base64.
func captured(tb testing.TB, name string) []*rtp.Packet {
	tb.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	var pkts []*rtp.Packet
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		b, err := base64.StdEncoding.DecodeString(lines.Text())
		if err != nil {
			tb.Fatal(err)
		}
		p := &rtp.Packet{}
		if err := p.Unmarshal(b); err != nil {
			tb.Fatal(err)
		}
		pkts = append(pkts, p)
	}
	return pkts
}

// RFC 2250 3.5, as ffmpeg has it: what comes out is what was put in, and the track learns its channels.
func TestMPAOfFFmpeg(t *testing.T) {
	for _, c := range []struct {
		name, source    string
		frames          int
		channels, ticks int // ticks from frame to frame
	}{
		{"mpa_fragments.rtp", "layer3_44100_stereo.mp3", 2, 2, 2351},
		{"mpa_frames.rtp", "layer3_16000_mono.mp3", 6, 1, 3240},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, Options{Track: media.Track{ID: "audio", Kind: media.Audio, Codec: media.MP3, ClockRate: 90000}})
			for _, p := range captured(t, c.name) {
				h.Push(p, start)
			}
			if len(h.units) != c.frames || h.Stats().Malformed > 0 {
				t.Fatalf("%d frames, %+v", len(h.units), h.Stats())
			}
			source, err := os.ReadFile("../bitstream/testdata/" + c.source)
			if err != nil {
				t.Fatal(err)
			}
			for i, au := range h.units {
				f, _ := bitstream.ParseMPEGAudioFrame(source)
				if !bytes.Equal(au.Data[0], source[:f.Size]) || !au.Keyframe {
					t.Errorf("frame %d is %x, want %x", i, au.Data[0], source[:f.Size])
				}
				if i > 0 && au.PTS-h.units[i-1].PTS != int64(c.ticks) {
					t.Errorf("frame %d comes %d ticks after the one before", i, au.PTS-h.units[i-1].PTS)
				}
				source = source[f.Size:]
			}
			if len(h.tracks) != 1 || h.tracks[0].Channels != c.channels {
				t.Errorf("tracks: %+v", h.tracks)
			}
		})
	}
}

// Frames of 36 bytes are layer 3 of MPEG-2 with 8 kbit/s and 16 kHz.
func TestMPAPackets(t *testing.T) {
	const zero = "\x00\x00\x00\x00"
	head := "\xff\xf3\x18\xc0"
	frame := head + strings.Repeat("a", 32)
	half := func(offset int) string { return "\x00\x00\x00" + string(rune(offset)) + frame[offset:offset+18] }
	for _, c := range []struct {
		name  string
		steps []step
		want  string // of each unit its timestamp
	}{
		{"one", []step{{1, true, zero + frame, false}}, "@1"},
		{"no marker", []step{{1, false, zero + frame, false}}, "@1"},
		{"two", []step{{1, true, zero + frame + frame, false}}, "@1|@3241"},
		{"something in the first word", []step{{1, true, "ab\x00\x00" + frame, false}}, "@1"},
		{"in two parts", []step{{1, true, half(0), false}, {1, true, half(18), false}}, "@1"},
		{"after a part", []step{{1, true, half(0), false}, {1, true, half(18), false}, {9, true, zero + frame, false}}, "@1|@9"},
		{"second part only", []step{{1, true, half(18), false}, {9, true, zero + frame, false}}, "@9"},
		{"second part lost", []step{{1, true, half(0), false}, {9, true, zero + frame, true}}, "@9"},
		{"second part never sent", []step{{1, true, half(0), false}, {9, true, zero + frame, false}}, "!|@9"},
		{"first part lost", []step{{1, true, half(18), true}, {9, true, zero + frame, false}}, "@9"},
		{"part at the wrong place", []step{{1, true, half(0), false}, {1, true, half(17), false}}, "!"},
		{"part too long", []step{{1, true, half(0), false}, {1, true, half(18) + "a", false}}, "!"},
		{"second frame cut off", []step{{1, true, zero + frame + head, false}}, "@1|!"},
		{"no frame", []step{{1, true, zero + "abcd", false}}, "!"},
		{"free bit rate", []step{{1, true, zero + "\xff\xf3\x08\xc0aa", false}}, "!"},
		{"header alone", []step{{1, true, zero, false}}, "!"},
		{"1 byte", []step{{1, true, "\x00", false}}, "!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &timed{}
			track := audioTrack(media.MP3, 90000)
			d, err := newDepacketizer(&track, r)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range c.steps {
				if s.lost {
					d.lost()
				}
				d.push(packet(uint16(i), s.ts, s.marker, []byte(s.payload)...), start)
			}
			whole := (&strings.Builder{})
			for i, got := range r.got {
				if i > 0 {
					whole.WriteString("|")
				}
				data, at, _ := strings.Cut(got, "@")
				if at == "" {
					whole.WriteString(data)
				} else if whole.WriteString("@" + at); len(data) != 2*len(frame) {
					t.Errorf("unit %d is %s", i, data)
				}
			}
			if whole.String() != c.want {
				t.Errorf("got %q, want %q", whole, c.want)
			}
		})
	}
}

func FuzzReceiverMPA(f *testing.F) {
	fuzzReceiver(f, media.MP3, "\x00\x00\x00\x00\xff\xf3\x18\xc0"+strings.Repeat("a", 32), "\x00\x00\x00\x00\xff\xf3\x18\xc0aa", "\x00\x00\x00\x06"+strings.Repeat("a", 30), "\xff\xff\xff\xff\xff")
}
