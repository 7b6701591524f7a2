package rtpin

import (
	"time"

	"github.com/pion/rtp"

	"sluice/media"
)

// Limits to one unit; what exceeds them is dropped and counted.
const (
	maxUnit        = 8 << 20 // bytes
	maxUnitNALUs   = 100
	maxUnitPackets = 8192
)

// unit is one access unit as the packets had it.
type unit struct {
	data        [][]byte
	timestamp   uint32
	first, last time.Time // arrival of its first and last packet
	config      []byte    // AudioSpecificConfig that came with it, if any
}

// depacketizer puts units together out of packets in order.
type depacketizer interface {
	push(pkt *rtp.Packet, arrived time.Time)
	// lost tells that packets are missing before the next one: what isn't finished is dropped.
	lost()
}

// sink is told what a depacketizer makes.
type sink interface {
	finished(u unit)
	broken()  // the unit at hand can't be put together
	ignored() // a packet that means nothing
}

// newDepacketizer returns the depacketizer for a track, and completes the track by what the format
// parameters say.
func newDepacketizer(t *media.Track, s sink) (depacketizer, error) {
	switch t.Codec {
	case media.H264:
		return &nalAssembler{sink: s, syntax: h264Syntax{}, suspect: true}, nil
	case media.H265:
		return &nalAssembler{sink: s, syntax: h265Syntax{}, suspect: true}, nil
	case media.VP8:
		return newVP8(s), nil
	case media.VP9:
		return newVP9(s), nil
	case media.AV1, media.MJPEG, media.MPEG4Video:
		return newFrames(t, s), nil
	case media.Opus, media.PCMU, media.PCMA, media.G722, media.LPCM:
		return newFrames(t, s), nil
	case media.AAC:
		return newAAC(t, s), nil
	case media.MP3:
		return newMPA(t, s), nil
	default:
		return nil, &UnsupportedCodecError{Codec: t.Codec}
	}
}
