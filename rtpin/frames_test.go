package rtpin

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpav1"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpfragmented"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtplpcm"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmjpeg"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpsimpleaudio"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpvp8"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpvp9"
	"github.com/pion/rtp"

	"sluice/media"
)

// frame is bytes that start as head and are too many for one packet.
func frame(head ...byte) []byte { return append(head, bytes.Repeat([]byte{0x5a}, 4000)...) }

// encode makes packets of data as a camera does.
func encode(tb testing.TB, codec media.Codec, data []byte) []*rtp.Packet {
	tb.Helper()
	var pkts []*rtp.Packet
	var err error
	switch codec {
	case media.VP8:
		e := &rtpvp8.Encoder{PayloadType: 96}
		_ = e.Init()
		pkts, err = e.Encode(data)
	case media.VP9:
		e := &rtpvp9.Encoder{PayloadType: 96}
		_ = e.Init()
		pkts, err = e.Encode(data)
	case media.AV1:
		e := &rtpav1.Encoder{PayloadType: 96}
		_ = e.Init()
		pkts, err = e.Encode([][]byte{data})
	case media.MJPEG:
		e := &rtpmjpeg.Encoder{}
		_ = e.Init()
		pkts, err = e.Encode(data)
	case media.MPEG4Video:
		e := &rtpfragmented.Encoder{PayloadType: 96}
		_ = e.Init()
		pkts, err = e.Encode(data)
	case media.LPCM:
		e := &rtplpcm.Encoder{PayloadType: 96, BitDepth: 16, ChannelCount: 2}
		_ = e.Init()
		pkts, err = e.Encode(data)
	default:
		e := &rtpsimpleaudio.Encoder{PayloadType: 96}
		_ = e.Init()
		var p *rtp.Packet
		p, err = e.Encode(data)
		pkts = []*rtp.Packet{p}
	}
	if err != nil {
		tb.Fatal(err)
	}
	return pkts
}

// What an encoder cuts, the depacketizer of the codec joins; with a packet missing nothing comes.
func TestFramesRoundTrip(t *testing.T) {
	for codec, data := range map[media.Codec][]byte{
		media.VP8: frame(0x10, 1, 2, 0x9d, 1, 0x2a), media.VP9: frame(0x86, 0x49, 0x83), media.AV1: frame(0x30, 0x10),
		media.MPEG4Video: frame(0, 0, 1, 0xb6), media.Opus: {0xfc, 1}, media.PCMA: {1, 2}, media.PCMU: {1, 2},
		media.G722: {1, 2}, media.LPCM: {1, 2, 3, 4},
	} {
		for _, drop := range []int{-1, 0, 1, 2} {
			r := &record{}
			track := media.Track{Codec: codec, BitDepth: 16, Channels: 2, ClockRate: 48000}
			d, err := newDepacketizer(&track, r)
			if err != nil {
				t.Fatal(err)
			}
			pkts := encode(t, codec, data)
			for i, p := range pkts {
				if i == drop {
					d.lost()
					continue
				}
				d.push(p, start)
			}
			whole := len(r.got) == 1 && len(r.got[0]) == 2*len(data)
			if drop < 0 && !whole || drop >= 0 && drop < len(pkts) && whole {
				t.Errorf("%s, packet %d of %d lost: whole is %v", codec, drop, len(pkts), whole)
			}
		}
	}
}

// J118 and the like: packets that lie.
func TestHostileFrames(t *testing.T) {
	const m = true
	for _, c := range []struct {
		name  string
		codec media.Codec
		steps []step
	}{
		{"OBU size overflow", media.AV1, []step{{1, m, "\x00\x7f\x30\x10", false}}},
		{"LEB128 of 10 bytes", media.AV1, []step{{1, m, "\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", false}}},
		{"1 byte", media.AV1, []step{{1, m, "\x00", false}}},
		{"wrong W", media.AV1, []step{{1, m, "\x30\x01\x30", false}}},
		{"1 byte", media.VP8, []step{{1, m, "\x90", false}}},
		{"extension cut off", media.VP8, []step{{1, m, "\x90\x80", false}}},
		{"255 picture groups", media.VP9, []step{{1, m, "\x0e\x08\xff\x01", false}}},
		{"1 byte", media.VP9, []step{{1, m, "\x8c", false}}},
		{"short header", media.MJPEG, []step{{1, m, "\x00\x00\x00\x00\x01\x50", false}}},
		{"quantization 0", media.MJPEG, []step{{1, m, "\x00\x00\x00\x00\x01\x00\x08\x08\x00\x00", false}}},
		{"tables cut off", media.MJPEG, []step{{1, m, "\x00\x00\x00\x00\x01\xff\x08\x08\x00\x00\x00\x80\x00", false}}},
		{"wrong offset", media.MJPEG, []step{{1, false, "\x00\x00\x00\x00\x01\x50\x08\x08\x01\x02", false}, {1, m, "\x00\x00\x07\x00\x01\x50\x08\x08\x01\x02", false}}},
		{"half a sample", media.LPCM, []step{{1, m, "\x01", false}}},
	} {
		if got := run(t, c.codec, c.steps); strings.ReplaceAll(strings.ReplaceAll(got, "!", ""), "|", "") != "" {
			t.Errorf("%s, %s: got %q", c.codec, c.name, got)
		}
	}
}

// E43: fragments without bytes or end are given up.
func TestFrameLimits(t *testing.T) {
	for codec, payload := range map[media.Codec]string{
		media.VP8: "\x00\x01", media.MJPEG: "\x00\x00\x02\x00\x01\x50\x08\x08", media.MPEG4Video: "\x01",
	} {
		first := payload
		switch codec {
		case media.VP8:
			first = "\x10\x01"
		case media.MJPEG:
			first = "\x00\x00\x00\x00\x01\x50\x08\x08\x01\x02"
			payload = "\x00\x00\x02\x00\x01\x50\x08\x08"
			payload = strings.Replace(payload, "\x00\x00\x02\x00", "\x00\x00\x00\x02", 1)
		}
		steps := append([]step{{1, false, first, false}}, slices.Repeat([]step{{1, false, payload, false}}, maxUnitPackets)...)
		if got := run(t, codec, steps); got != "!" {
			t.Errorf("%s: got %q", codec, got)
		}
	}
}
