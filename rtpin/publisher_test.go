package rtpin

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpav1"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
	"github.com/pion/rtp"

	"sluice/bitstream"
	"sluice/media"
)

// published is a real stream of a codec in packets: those of a keyframe, and those of a picture after it.
func published(tb testing.TB, codec media.Codec) (key, other []*rtp.Packet) {
	tb.Helper()
	switch codec {
	case media.H264, media.H265:
		return publishedNALs(tb, codec)
	case media.AV1:
		frames := ivf(tb, "av1.ivf")
		return encodeAV1(tb, frames[0]), encodeAV1(tb, frames[1])
	default:
		frames := ivf(tb, string(codec)+".ivf")
		return encode(tb, codec, frames[0]), encode(tb, codec, frames[1])
	}
}

// publishedNALs puts each NAL unit in a packet.
func publishedNALs(tb testing.TB, codec media.Codec) (key, other []*rtp.Packet) {
	tb.Helper()
	name, first := "h264_baseline.264", h264Syntax{}.picture
	if codec == media.H265 {
		name, first = "h265_plain.265", h265Syntax{}.picture
	}
	b, err := os.ReadFile(filepath.Join("..", "bitstream", "testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	for _, n := range bitstream.AppendNALUs(nil, b) {
		isPicture, _ := first(n)
		isKey := bitstream.Keyframe(codec, [][]byte{n})
		p := packet(0, 0, isPicture, n...)
		if key == nil || !key[len(key)-1].Marker {
			key = append(key, p)
		} else if isPicture && !isKey {
			return key, []*rtp.Packet{p}
		}
	}
	tb.Fatal("no picture after the keyframe")
	return nil, nil
}

// ivf reads the frames of a file.
func ivf(tb testing.TB, name string) (frames [][]byte) {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("..", "bitstream", "testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	for b = b[32:]; len(b) >= 12; {
		n := int(binary.LittleEndian.Uint32(b))
		frames, b = append(frames, b[12:12+n]), b[12+n:]
	}
	return frames
}

func encodeAV1(tb testing.TB, frame []byte) []*rtp.Packet {
	tb.Helper()
	var unit av1.Bitstream
	if err := unit.Unmarshal(frame); err != nil {
		tb.Fatal(err)
	}
	e := &rtpav1.Encoder{PayloadType: 96}
	_ = e.Init()
	pkts, err := e.Encode(unit)
	if err != nil {
		tb.Fatal(err)
	}
	return pkts
}

// picture sends the packets of a picture, 40 ms after the one before.
func (h *harness) picture(pkts []*rtp.Packet) {
	h.now = h.now.Add(40 * ms)
	ts := uint32(h.now.Sub(start)/ms) * 90
	for _, p := range pkts {
		h.send(ts, p.Marker, slices.Clone(p.Payload)...)
	}
}

// J116, J117, J118: a packet that lies costs the pictures up to the next keyframe, which is asked for once.
func TestPublishersThatLie(t *testing.T) {
	for codec, payloads := range map[media.Codec][]string{
		media.H264: {
			"\x7c\x85\x88\x01", "\x7c\x45\x01", "\x7c\x05\x01", "\x78\x00\x00\x00\x02\x41\x88", "\x78\x00\x09\x41", "\x7c\xd8\x00\x02\x41\x88",
			"\x78\x00\x05\x78\x00\x02\x41\x88", "\x79\x00\x00", "\x41", "\x65\x00", "\x7c",
		},
		media.H265: {"\x60\x01\x00\x09\x02\x01\x80", "\x64\x01\x80\x00", "\x62\x01\xf1\x80", "\x02", "\x62\x01\x93\x80"},
		media.VP8:  {"\x90", "\x90\x80", "\x10", "\x00\x01", "\x10\x00"},
		media.VP9:  {"\x8c", "\x0e\x08\xff\x01", "\x04\x86", "\x08\x00", "\x0c\x82\x00\x00", "\x2c\x0f\x00\x86"},
		media.AV1:  {"\x00", "\x00\x7f\x30\x10", "\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x30", "\x80\x01\x30", "\x30\x01\x30"},
	} {
		key, other := published(t, codec)
		for _, payload := range payloads {
			for _, marker := range []bool{true, false} {
				asked := 0
				h := newHarness(t, Options{Track: videoTrack(codec), Resent: true, OnLost: func() { asked++ }})
				for range 20 {
					h.picture(other) // before the first keyframe
				}
				asked = 0
				h.picture(key)
				h.now = h.now.Add(time.Second)
				h.picture(other)
				h.picture([]*rtp.Packet{packet(0, 0, marker, []byte(payload)...)})
				h.picture(other)
				h.picture(key)
				h.picture(other)
				got := keys(h.units)
				lied := slices.Equal(got, []bool{true, false, true, false}) && asked == 1
				harmless := slices.Equal(got, []bool{true, false, false, true, false}) && asked == 0
				if !lied && !harmless {
					t.Errorf("%s, %x, marker %v: keyframes %v, asked for %d", codec, payload, marker, got, asked)
				}
			}
		}
	}
}

// J119: sound that lies is dropped, and nothing else.
func TestSoundThatLies(t *testing.T) {
	h := newHarness(t, Options{Track: audioTrack(media.Opus, 48000), Resent: true})
	for i, payload := range []string{"\xfc\x01", "", "\x03", "\xff\x00", "\xff\x3f", "\x1b\x3f", "\xfc\x01", "\xf8"} {
		h.now = start.Add(time.Duration(i) * 20 * ms)
		h.send(uint32(i)*960, false, []byte(payload)...)
	}
	if s := h.Stats(); len(h.units) != 3 || s.Lost != 0 || s.Dropped != 4 {
		t.Errorf("%d units, %+v", len(h.units), s)
	}
}

// A packet of sound that is lost holds the others up for 60 ms.
func TestLostSound(t *testing.T) {
	h := newHarness(t, Options{Track: audioTrack(media.Opus, 48000), Resent: true})
	for i := range 20 {
		h.now = start.Add(time.Duration(i) * 20 * ms)
		if i == 10 {
			h.seq++
			continue
		}
		h.send(uint32(i)*960, false, 0xfc, 1)
		want := i // one is missing
		if i < 10 {
			want = i + 1
		} else if i < 14 {
			want = 10
		}
		if len(h.units) != want {
			t.Errorf("packet %d: %d units, want %d", i, len(h.units), want)
		}
	}
}

// Opus that is silent sends a byte each 400 ms; its time goes on as it was.
func TestDiscontinuousSound(t *testing.T) {
	h := newHarness(t, Options{Track: audioTrack(media.Opus, 48000), Resent: true})
	at := 0
	for i := range 40 {
		step, payload := 20, []byte{0xfc, 1, 2}
		if i >= 10 && i < 30 {
			step, payload = 400, []byte{0xf8}
		}
		at += step
		h.now = start.Add(time.Duration(at) * ms)
		h.send(uint32(at*48), i == 30, payload...)
	}
	if len(h.units) != 40 || h.Stats().Resyncs != 0 {
		t.Fatalf("%d units, %+v", len(h.units), h.Stats())
	}
	if d := h.units[39].PTS - h.units[0].PTS; d != int64(at-20)*48 {
		t.Errorf("%d ticks, want %d", d, (at-20)*48)
	}
}

// Chromium probes with packets of padding between pictures: they take sequence numbers and mean nothing.
func TestPaddingBetweenPictures(t *testing.T) {
	for _, codec := range []media.Codec{media.H264, media.H265, media.VP8, media.VP9, media.AV1} {
		key, other := published(t, codec)
		h := newHarness(t, Options{Track: videoTrack(codec), Resent: true, OnLost: func() { t.Errorf("%s: a keyframe was asked for", codec) }})
		for i := range 10 {
			if i == 0 {
				h.picture(key)
			} else {
				h.picture(other)
			}
			for range 3 {
				h.send(uint32(h.now.Sub(start)/ms)*90, false)
			}
		}
		if s := h.Stats(); len(h.units) != 10 || s.Lost+s.Malformed+s.Dropped > 0 {
			t.Errorf("%s: %d units, %+v", codec, len(h.units), s)
		}
	}
}

// A keyframe of 400 packets is whole although one of them was lost and came 60 ms later, after 100 others.
func TestResentPacketOfALargeKeyframe(t *testing.T) {
	const parts, lost, late = 400, 100, 300
	sets, key, other := pictures(t)
	h := newHarness(t, Options{Track: videoTrack(media.H264), Resent: true, OnLost: func() { t.Error("a keyframe was asked for") }})
	h.send(0, false, sets[0]...)
	h.send(0, false, sets[1]...)
	var all []*rtp.Packet
	for i := range parts {
		fu := append([]byte{0x7c, 5}, bytes.Repeat([]byte{0x5a}, 1100)...)
		switch i {
		case 0:
			fu = append([]byte{0x7c, 0x85}, key[1:]...)
		case parts - 1:
			fu[1] = 0x45
		}
		all = append(all, packet(h.seq+uint16(i), 0, i == parts-1, fu...))
	}
	all = append(all, packet(h.seq+parts, 3600, true, other...))
	resent := all[lost]
	all = slices.Insert(slices.Delete(all, lost, lost+1), late, resent)
	for i, p := range all {
		h.Push(p, start.Add(time.Duration(i-lost)*60*ms/(late-lost)))
		h.Tick(start.Add(time.Duration(i-lost) * 60 * ms / (late - lost)))
	}
	if got := keys(h.units); !slices.Equal(got, []bool{true, false}) {
		t.Fatalf("keyframes %v", got)
	}
	if s := h.Stats(); s.Lost+s.Late+s.Malformed > 0 || h.units[0].Size() < (parts-2)*1100 {
		t.Errorf("%+v, %d bytes", s, h.units[0].Size())
	}
}

// F25: a keyframe is asked for when the picture can't go on without one, then each 500 ms until it comes, and at no
// other time.
func TestAskingForKeyframes(t *testing.T) {
	key, other := published(t, media.VP8)
	var asked []int
	n := 0
	h := newHarness(t, Options{Track: videoTrack(media.VP8), Resent: true, OnLost: func() { asked = append(asked, n) }})
	for n = range 100 { // 4 s
		switch {
		case n == 0 || n == 60:
			h.picture(key)
		case n == 30:
			h.seq += 2 // lost for ever
			h.picture(other)
		default:
			h.picture(other)
		}
		h.Tick(h.now)
	}
	if want := []int{35, 48}; !slices.Equal(asked, want) { // 200 ms after the loss, and 500 ms later
		t.Errorf("asked at pictures %v, want %v", asked, want)
	}
	if len(h.units) != 30+40 {
		t.Errorf("%d units", len(h.units))
	}
	asked = nil
	h = newHarness(t, Options{Track: videoTrack(media.VP8), OnLost: func() { asked = append(asked, n) }})
	for n = range 30 {
		h.picture(other)
	}
	if want := []int{13, 26}; !slices.Equal(asked, want) {
		t.Errorf("with no keyframe at the start: asked at pictures %v, want %v", asked, want)
	}
}

// J120: markers on all packets or on none, and timestamps at random: little is kept, and time stays near ours.
func TestPublishersOutOfTheirMinds(t *testing.T) {
	for _, codec := range []media.Codec{media.H264, media.H265, media.VP8, media.VP9, media.AV1} {
		key, other := published(t, codec)
		for name, spoil := range map[string]func(r *rand.Rand, p *rtp.Packet){
			"markers on all":             func(_ *rand.Rand, p *rtp.Packet) { p.Marker = true },
			"markers on none":            func(_ *rand.Rand, p *rtp.Packet) { p.Marker = false },
			"timestamps at random":       func(r *rand.Rand, p *rtp.Packet) { p.Timestamp = r.Uint32() },
			"timestamps all the same":    func(_ *rand.Rand, p *rtp.Packet) { p.Timestamp = 7 },
			"sequence by leaps":          func(_ *rand.Rand, p *rtp.Packet) { p.SequenceNumber *= 32767 },
			"sequence there and back":    func(_ *rand.Rand, p *rtp.Packet) { p.SequenceNumber *= 32768 },
			"sequence numbers at random": func(r *rand.Rand, p *rtp.Packet) { p.SequenceNumber = uint16(r.Uint32()) },
		} {
			r := rand.New(rand.NewPCG(1, 2))
			h := newHarness(t, Options{Track: videoTrack(codec), Resent: true})
			for i := range 3000 {
				pkts := other
				if i%10 == 0 {
					pkts = key
				}
				h.now = h.now.Add(33 * ms)
				before := len(h.units)
				for _, p := range pkts {
					p = packet(h.seq, uint32(i)*2970, p.Marker, slices.Clone(p.Payload)...)
					h.seq++
					spoil(r, p)
					h.Push(p, h.now)
				}
				h.Tick(h.now)
				if n := len(h.units); n > before {
					if off := media.Instant(h.units[n-1].PTS, 90000).Sub(h.now); off > 3*time.Second || off < -3*time.Second {
						t.Fatalf("%s, %s: PTS %v from the arrival", codec, name, off)
					}
				}
			}
			if h.order.waiting > resendWindow {
				t.Errorf("%s, %s: %d packets wait", codec, name, h.order.waiting)
			}
			if whole := strings.HasPrefix(name, "timestamps"); whole && len(h.units) == 0 && len(key) == 1 {
				t.Errorf("%s, %s: nothing came", codec, name)
			}
		}
	}
}
