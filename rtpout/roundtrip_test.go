package rtpout_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpav1"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph265"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpvp8"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpvp9"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"sluice/hub"
	"sluice/media"
	"sluice/rtpout"
)

// depacketizer puts a unit together again; nil until it has its last packet.
type depacketizer func(*rtp.Packet) ([][]byte, error)

// depacketizers are the independent readers of each codec.
func depacketizers(t *testing.T, codec media.Codec) map[string]depacketizer {
	t.Helper()
	one := func(decode func(*rtp.Packet) ([]byte, error)) depacketizer {
		return func(p *rtp.Packet) ([][]byte, error) {
			frame, err := decode(p)
			return [][]byte{frame}, err
		}
	}
	initialised := func(init func() error) {
		if err := init(); err != nil {
			t.Fatal(err)
		}
	}
	switch codec {
	case media.H264:
		d := &rtph264.Decoder{PacketizationMode: 1}
		initialised(d.Init)
		return map[string]depacketizer{"gortsplib": d.Decode, "pion": pionH264()}
	case media.H265:
		d := &rtph265.Decoder{}
		initialised(d.Init)
		return map[string]depacketizer{"gortsplib": d.Decode}
	case media.AV1:
		d := &rtpav1.Decoder{}
		initialised(d.Init)
		return map[string]depacketizer{"gortsplib": d.Decode, "pion": pionAV1()}
	case media.VP8:
		d := &rtpvp8.Decoder{}
		initialised(d.Init)
		return map[string]depacketizer{"gortsplib": one(d.Decode)}
	default:
		d := &rtpvp9.Decoder{}
		initialised(d.Init)
		return map[string]depacketizer{"gortsplib": one(d.Decode)}
	}
}

// pionH264 gathers Annex B and splits it: the units below hold no start code.
func pionH264() depacketizer {
	d, all := &codecs.H264Packet{}, []byte(nil)
	return func(p *rtp.Packet) ([][]byte, error) {
		part, err := d.Unmarshal(p.Payload)
		all = append(all, part...)
		if err != nil || !p.Marker {
			return nil, err
		}
		return bytes.Split(all, []byte{0, 0, 0, 1})[1:], nil
	}
}

// pionAV1 takes off the size fields that pion puts on.
func pionAV1() depacketizer {
	d, all := &codecs.AV1Depacketizer{}, []byte(nil)
	return func(p *rtp.Packet) ([][]byte, error) {
		part, err := d.Unmarshal(p.Payload)
		all = append(all, part...)
		if err != nil || !p.Marker {
			return nil, err
		}
		var obus [][]byte
		for len(all) > 0 {
			header, size, n := all[0], 0, 1
			for shift := 0; ; shift += 7 {
				b := all[n]
				n++
				size |= int(b&0x7F) << shift
				if b < 0x80 {
					break
				}
			}
			obus = append(obus, append([]byte{header &^ 2}, all[n:n+size]...))
			all = all[n+size:]
		}
		return obus, nil
	}
}

// unitOf makes a unit with parts of the given sizes, without a zero in them, whose headers are of the codec.
func unitOf(codec media.Codec, keyframe bool, sizes ...int) *media.AccessUnit {
	au := &media.AccessUnit{PTS: 90000, Keyframe: keyframe}
	for i, size := range sizes {
		part := bytes.Repeat([]byte{0xA5}, size)
		for j := range part {
			part[j] = byte(1 + (i+j)%255)
		}
		copy(part, header(codec, keyframe))
		au.Data = append(au.Data, part)
	}
	return au
}

func header(codec media.Codec, keyframe bool) []byte {
	switch codec {
	case media.H264:
		return []byte{0x65}
	case media.H265:
		return []byte{19 << 1, 1}
	case media.AV1:
		return []byte{6 << 3} // OBU_FRAME
	case media.VP9:
		if keyframe { // 1920×804, of a browser
			return []byte{0x82, 0x49, 0x83, 0x42, 0x00, 0x77, 0xf0, 0x32, 0x34, 0x30, 0x38, 0x24, 0x1c, 0x19, 0x40, 0x18, 0x03, 0x40, 0x5f, 0xb4}
		}
		return []byte{0x86, 1, 1, 1}
	default: // VP8: the low bit of a keyframe is 0
		return []byte{map[bool]byte{true: 0x10, false: 0x11}[keyframe], 1, 1, 0x9d, 0x01, 0x2a, 1, 1, 1, 1}
	}
}

// checkRoundTrip sends a unit and holds what comes out of every depacketizer to what went in.
func checkRoundTrip(t *testing.T, codec media.Codec, au *media.AccessUnit) {
	t.Helper()
	u := &hub.Unit{AccessUnit: au, Track: &media.Track{Codec: codec}, Count: 1}
	packets := packets(t, rtpout.NewSender(1, 96, 90000, 65534, 0), u)
	for i, p := range packets {
		if len(p.Payload) > rtpout.MaxPayload || len(p.Payload) == 0 { // F20
			t.Errorf("packet %d has %d bytes", i, len(p.Payload))
		}
		if last := i == len(packets)-1; p.Marker != last { // F22
			t.Errorf("the marker of packet %d of %d is %v", i, len(packets), p.Marker)
		}
		if p.Timestamp != 90000 {
			t.Errorf("timestamp %d", p.Timestamp)
		}
	}
	for name, decode := range depacketizers(t, codec) {
		var got [][]byte
		for i, p := range packets {
			out, err := decode(p)
			if last := i == len(packets)-1; last && err != nil {
				t.Fatalf("%s: %v", name, err)
			} else if last {
				got = out
			}
		}
		if !slices.EqualFunc(got, au.Data, bytes.Equal) {
			t.Errorf("%s puts together other parts, of sizes %v, than went in, of sizes %v", name, sizes(got), sizes(au.Data))
		}
	}
}

func sizes(parts [][]byte) (all []int) {
	for _, p := range parts {
		all = append(all, len(p))
	}
	return all
}

var videoCodecs = []media.Codec{media.H264, media.H265, media.VP8, media.VP9, media.AV1}

// F20, F22, F30, F31, F32: what is cut can be put together again, around every limit of size.
func TestRoundTripAroundTheLimits(t *testing.T) {
	for _, codec := range videoCodecs {
		for _, keyframe := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/keyframe=%v", codec, keyframe), func(t *testing.T) {
				for _, n := range []int{1, 2, 3, 4, 10, 20} {
					for _, by := range []int{-14, -13, -12, -11, -10, -4, -3, -2, -1, 0, 1, 2, 3, 4} {
						checkRoundTrip(t, codec, unitOf(codec, keyframe, n*rtpout.MaxPayload+by))
					}
				}
				checkRoundTrip(t, codec, unitOf(codec, keyframe, 100_000))
				checkRoundTrip(t, codec, unitOf(codec, keyframe, 24))
			})
		}
	}
}

// F20, F31: units of many parts, of random sizes.
func TestRoundTripOfRandomUnits(t *testing.T) {
	for _, codec := range []media.Codec{media.H264, media.H265, media.AV1} {
		t.Run(string(codec), func(t *testing.T) {
			for seed := range uint64(300) {
				r := rand.New(rand.NewPCG(seed, 1))
				all := make([]int, 1+r.IntN(9))
				for i := range all {
					if all[i] = 3 + r.IntN(60); r.IntN(2) == 0 {
						all[i] = 3 + r.IntN(4*rtpout.MaxPayload)
					}
				}
				au := unitOf(codec, true, all...)
				for i := range au.Data { // any type of part, parameter sets among them
					switch codec {
					case media.H264:
						au.Data[i][0] = 0x60 | byte(1+r.IntN(8))
					case media.H265:
						au.Data[i][0] = byte(r.IntN(41)) << 1
					}
				}
				checkRoundTrip(t, codec, au)
				if t.Failed() {
					t.Fatalf("seed %d: sizes %v", seed, all)
				}
			}
		})
	}
}
