package e2e

import (
	"fmt"
	"slices"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpav1"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph265"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpvp8"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpvp9"
	"github.com/pion/rtp"

	"sluice/media"
)

// maxPayload is the largest RTP payload that goes to a viewer (F20).
const maxPayload = 1188

// checkPackets looks at what every viewer may expect of a track's packets: one gapless row of sequence numbers of
// one source, small payloads, time that does not run backwards.
func checkPackets(t *testing.T, kind media.Kind, packets []*rtp.Packet) {
	t.Helper()
	for i, p := range packets {
		if len(p.Payload) > maxPayload || len(p.Payload) == 0 {
			t.Fatalf("packet %d has a payload of %d bytes, want 1 to %d", i, len(p.Payload), maxPayload)
		}
		if i == 0 {
			continue
		}
		before := packets[i-1]
		switch {
		case p.SequenceNumber != before.SequenceNumber+1:
			t.Fatalf("packet %d has sequence number %d after %d", i, p.SequenceNumber, before.SequenceNumber)
		case p.SSRC != before.SSRC || p.PayloadType != before.PayloadType:
			t.Fatalf("packet %d changes SSRC or payload type: %v after %v", i, p.Header, before.Header)
		case int32(p.Timestamp-before.Timestamp) < 0:
			t.Fatalf("packet %d goes back in time: %d after %d", i, p.Timestamp, before.Timestamp)
		case kind == media.Video && (p.Timestamp != before.Timestamp) != before.Marker:
			t.Fatalf("packet %d: a marker has to end each picture, and nothing else: %v after %v", i, p.Header, before.Header)
		}
	}
}

// unpacker puts packets together again to the parts of a picture.
type unpacker func(*rtp.Packet) ([][]byte, error)

// newUnpacker returns gortsplib's, which shares no code with the packetiser under test.
func newUnpacker(t *testing.T, codec media.Codec) unpacker {
	t.Helper()
	one := func(decode func(*rtp.Packet) ([]byte, error)) unpacker {
		return func(p *rtp.Packet) ([][]byte, error) {
			frame, err := decode(p)
			return [][]byte{frame}, err
		}
	}
	switch codec {
	case media.H264:
		d := &rtph264.Decoder{PacketizationMode: 1}
		return initialised(t, d.Init, d.Decode)
	case media.H265:
		d := &rtph265.Decoder{}
		return initialised(t, d.Init, d.Decode)
	case media.AV1:
		d := &rtpav1.Decoder{}
		return initialised(t, d.Init, d.Decode)
	case media.VP8:
		d := &rtpvp8.Decoder{}
		return initialised(t, d.Init, one(d.Decode))
	case media.VP9:
		d := &rtpvp9.Decoder{}
		return initialised(t, d.Init, one(d.Decode))
	}
	t.Fatalf("no unpacker for %s", codec)
	return nil
}

func initialised(t *testing.T, initialise func() error, u unpacker) unpacker {
	t.Helper()
	if err := initialise(); err != nil {
		t.Fatal(err)
	}
	return u
}

// pictures puts packets together to pictures, which the first packet has to begin. A picture that has not ended is
// left out.
func pictures(t *testing.T, codec media.Codec, packets []*rtp.Packet) [][][]byte {
	t.Helper()
	last := len(packets)
	for last > 0 && !packets[last-1].Marker {
		last--
	}
	unpack := newUnpacker(t, codec)
	var all [][][]byte
	for i, p := range packets[:last] {
		parts, err := unpack(p)
		switch {
		case err == nil:
			all = append(all, parts)
		case p.Marker:
			t.Fatalf("packet %d ends no picture of %s: %v", i, codec, err)
		}
	}
	return all
}

// checkFirst wants a keyframe with its parameter sets in the first picture (B12, F21). It may have many slices.
func checkFirst(t *testing.T, codec media.Codec, first [][]byte) {
	t.Helper()
	var types []int
	for _, part := range first {
		if kind := partType(codec, part); !slices.Contains(remarks[codec], kind) {
			types = append(types, kind)
		}
	}
	types = slices.Compact(types)
	if got, want := fmt.Sprint(types), firstParts[codec]; !slices.Contains(want, got) {
		t.Errorf("the first picture has parts of type %s, want one of %s", got, want)
	}
}

// firstParts are the types of the parts that a first picture may have: parameter sets, then an IDR or CRA picture.
var firstParts = map[media.Codec][]string{
	media.H264: {"[7 8 5]"},
	media.H265: {"[32 33 34 19]", "[32 33 34 20]", "[32 33 34 21]"},
	media.VP8:  {"[0]"}, media.VP9: {"[0]"},
	media.AV1: {"[1 6]", "[1 3 4]"},
}

// remarks are the types of parts that a picture can do without: delimiters and supplemental information.
var remarks = map[media.Codec][]int{media.H264: {6, 9}, media.H265: {35, 39, 40}}

// partType is the type of a NAL unit or OBU; for VP8 and VP9 0 if the frame is a keyframe.
func partType(codec media.Codec, part []byte) int {
	switch codec {
	case media.H264:
		return int(part[0] & 0x1f)
	case media.H265:
		return int(part[0] >> 1 & 0x3f)
	case media.AV1:
		return int(part[0] >> 3 & 0xf)
	case media.VP8:
		return int(part[0] & 1)
	default: // VP9, profile 0 to 2: two bits of marker, two of profile, show_existing_frame, frame_type
		return int(part[0] >> 2 & 1)
	}
}
