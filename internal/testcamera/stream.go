package testcamera

import "encoding/binary"

// H264 is an SDP of one H264 track, as a tidy camera writes it.
const H264 = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=Camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n" +
	"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n" +
	"a=fmtp:96 packetization-mode=1;profile-level-id=42C028;sprop-parameter-sets=Z0LAKNkAeAIn5YQAAAMABAAAAwDwPGDJIA==,aMuDyyA=\r\n" +
	"a=control:trackID=0\r\n"

// PCMU is an SDP section to be added to H264.
const PCMU = "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:trackID=1\r\n"

// SPS and PPS are those of H264: baseline profile, 1920x1080, no reordering.
var (
	SPS = []byte{0x67, 0x42, 0xc0, 0x28, 0xd9, 0x00, 0x78, 0x02, 0x27, 0xe5, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc9, 0x20}
	PPS = []byte{0x68, 0xcb, 0x83, 0xcb, 0x20}
)

// gop is the number of pictures from one IDR to the next.
const gop = 5

// stream makes the packets of one track.
type stream struct {
	kind      string
	seq       uint16
	timestamp uint32
	count     int
}

// newStream begins shortly before the sequence numbers and timestamps wrap around.
func newStream(kind string) *stream {
	return &stream{kind: kind, seq: 65500, timestamp: 0xffff0000}
}

// next is the packets of one picture or one audio frame.
func (s *stream) next() [][]byte {
	defer func() { s.count++ }()
	if s.kind == "audio" {
		s.timestamp += 160
		return [][]byte{s.packet(0, true, make([]byte, 160))}
	}
	s.timestamp += 3600
	slice := make([]byte, 600)
	for i := range slice {
		slice[i] = byte(i) | 1
	}
	if s.count%gop != 0 {
		copy(slice, []byte{0x41, 0x9a}) // P slice
		return [][]byte{s.packet(96, true, slice)}
	}
	copy(slice, []byte{0x65, 0x88, 0x84}) // IDR
	return [][]byte{s.packet(96, false, SPS), s.packet(96, false, PPS), s.packet(96, true, slice)}
}

func (s *stream) packet(payloadType byte, marker bool, payload []byte) []byte {
	p := make([]byte, 12, 12+len(payload))
	p[0], p[1] = 0x80, payloadType
	if marker {
		p[1] |= 0x80
	}
	s.seq++
	binary.BigEndian.PutUint16(p[2:], s.seq)
	binary.BigEndian.PutUint32(p[4:], s.timestamp)
	binary.BigEndian.PutUint32(p[8:], 0x5eed0000)
	return append(p, payload...)
}
