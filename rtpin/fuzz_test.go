package rtpin

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"sluice/media"
)

// fuzzReceiver feeds a Receiver with packets made of the fuzzer's bytes: six say sequence number, timestamp
// and flags, one the size, the rest is the payload. Whatever comes, PTS of audio runs forward, units are
// never empty, the first of video is a keyframe, nothing piles up, and keyframes are asked for each 500 ms at most.
func fuzzReceiver(f *testing.F, codec media.Codec, payloads ...string) {
	var all []byte
	for i, p := range payloads {
		one := append([]byte{0, byte(i), 0, 0, byte(i), 0x80, byte(len(p))}, p...)
		f.Add(one)
		all = append(all, one...)
	}
	f.Add(all)
	f.Add(append([]byte{0, 1, 0, 0, 1, 0x40, 1, 0xff}, all...))
	f.Fuzz(func(t *testing.T, b []byte) {
		track := media.Track{Codec: codec, Kind: media.Video, ClockRate: 90000}
		switch codec {
		case media.AAC, media.Opus, media.LPCM, media.MP3:
			track.Kind, track.ClockRate = media.Audio, 48000
		}
		if len(b) > 0 && b[0] == 1 {
			track.FMTP = map[string]string{"cpresent": "1"}
		}
		last, first, now := int64(0), true, start
		var asked []time.Time
		o := Options{Track: track, Unordered: len(b)%3 == 1, Resent: len(b)%3 == 2, OnLost: func() { asked = append(asked, now) }}
		o.OnUnit = func(au *media.AccessUnit) {
			switch {
			case au.Size() == 0:
				t.Fatal("an empty unit")
			case track.Kind == media.Audio && !first && au.PTS <= last:
				t.Fatalf("PTS of audio goes from %d to %d", last, au.PTS)
			case first && !au.Keyframe:
				t.Fatal("the first unit is no keyframe")
			}
			last, first = au.PTS, false
		}
		r, err := NewReceiver(o)
		if err != nil {
			t.Fatal(err)
		}
		for len(b) >= 7 {
			size := min(int(b[6]), len(b)-7)
			h := rtp.Header{
				Version: 2, SequenceNumber: binary.BigEndian.Uint16(b), Timestamp: uint32(binary.BigEndian.Uint16(b[2:])) << (b[4] % 17),
				Marker: b[5]&0x80 != 0, SSRC: uint32(b[5] & 1),
			}
			r.Push(&rtp.Packet{Header: h, Payload: b[7 : 7+size : 7+size]}, now)
			if b[5]&0x40 != 0 {
				r.Report(&rtcp.SenderReport{NTPTime: uint64(b[4]) << 56, RTPTime: h.Timestamp}, now)
			}
			now = now.Add(time.Duration(b[4]) * time.Millisecond)
			r.Tick(now)
			b = b[7+size:]
		}
		if r.order.waiting > len(r.order.slots) {
			t.Fatalf("%d packets wait", r.order.waiting)
		}
		for i := 1; i < len(asked); i++ {
			if asked[i].Sub(asked[i-1]) < wishInterval {
				t.Fatalf("keyframes are asked for at %v", asked)
			}
		}
	})
}

func FuzzReceiverH264(f *testing.F) {
	sets, key, other := pictures(f)
	fuzzReceiver(f, media.H264, string(sets[0]), string(sets[1]), string(key[:40]), string(other),
		"\x78\x00\x02\x67\x42\x00\x02\x65\x88", "\x7c\x85\x88", "\x7c\x45\x02", "\x65\x88\x00\x00\x01\x65\x88")
}

func FuzzReceiverH265(f *testing.F) {
	fuzzReceiver(f, media.H265, "\x40\x01\x0c", "\x60\x01\x00\x03\x40\x01\x0c\x00\x03\x26\x01\x80",
		"\x62\x01\x93\x80", "\x62\x01\x13\x01", "\x62\x01\x53\x02", "\x64\x01\x80\x00")
}

func FuzzReceiverVP8(f *testing.F) {
	fuzzReceiver(f, media.VP8, "\x10\x10\x02\x00\x9d\x01\x2a\x60\x00\x40\x00\x01", "\x00\x01", "\x90\x80", "\x91\x80\x8a\xbc\xcc", "\x90\xe0\x81\x02\x07\x20\x01")
}

func FuzzReceiverVP9(f *testing.F) {
	fuzzReceiver(f, media.VP9, "\x0c\x82\x49\x83\x42\x00\x05\xf0\x03\xf0", "\x08\x82", "\x04\x01", "\x0e\x08\xff\x01", "\x2c\x02\x00\x86\x01", "\xdc\x05\x02\x86")
}

func FuzzReceiverAV1(f *testing.F) {
	fuzzReceiver(f, media.AV1, "\x28\x0b\x08\x00\x00\x00\x04\x3c\xff\xbc\xff\xf9\x80\x30\x10\x00", "\x40\x30\x10", "\x80\x01", "\x00\x7f\x30")
}

func FuzzReceiverMJPEG(f *testing.F) {
	fuzzReceiver(f, media.MJPEG, "\x00\x00\x00\x00\x01\x50\x08\x08\x01\x02", "\x00\x00\x00\x02\x01\x50\x08\x08\x01\x02", "\x00\x00\x00\x00\x01\xff\x08\x08\x00\x00\x00\x80\x00")
}

func FuzzReceiverMPEG4(f *testing.F) {
	fuzzReceiver(f, media.MPEG4Video, "\x00\x00\x01\xb0\x01\x00\x00\x01\x20\x08", "\x00\x00\x01\xb6\x10", "\x01")
}

func FuzzReceiverAAC(f *testing.F) {
	fuzzReceiver(f, media.AAC, "\x00\x10\x00\x10ab", "\x00\x20\x00\x10\x00\x08abc", "\x00\x10\x00\x20ab", "\xff\xff\xff")
}

func FuzzReceiverOpus(f *testing.F) { fuzzReceiver(f, media.Opus, "\xfc\x01", "\x03", "\x03\x3f") }

func FuzzReceiverLPCM(f *testing.F) { fuzzReceiver(f, media.LPCM, "\x01\x02", "\x01") }
