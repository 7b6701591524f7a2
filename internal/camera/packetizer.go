package camera

import (
	"fmt"

	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpav1"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpfragmented"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph265"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtplpcm"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmjpeg"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmpeg4audio"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpsimpleaudio"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpvp8"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpvp9"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"

	"sluice/media"
)

// packetizer cuts a unit into packets with sequence numbers and markers; their timestamps count from the unit's.
type packetizer func(data [][]byte) ([]*rtp.Packet, error)

// newPacketizer returns how a track stands in the SDP and how its units become packets with payloads of at
// most size bytes. pt is the payload type for codecs without one of their own.
func newPacketizer(t media.Track, pt uint8, size int) (format.Format, packetizer, error) {
	if t.Kind == media.Audio {
		return audioPacketizer(t, pt, size)
	}
	switch t.Codec {
	case media.H264, media.H265:
		return naluPacketizer(t, pt, size)
	case media.VP8:
		e := &rtpvp8.Encoder{PayloadType: pt, PayloadMaxSize: size}
		return &format.VP8{PayloadTyp: pt}, frame(e.Encode), e.Init()
	case media.VP9:
		e := &rtpvp9.Encoder{PayloadType: pt, PayloadMaxSize: size}
		return &format.VP9{PayloadTyp: pt}, frame(e.Encode), e.Init()
	case media.AV1:
		e := &rtpav1.Encoder{PayloadType: pt, PayloadMaxSize: size}
		return &format.AV1{PayloadTyp: pt}, e.Encode, e.Init()
	case media.MJPEG:
		e := &rtpmjpeg.Encoder{PayloadMaxSize: size}
		return &format.MJPEG{}, frame(e.Encode), e.Init()
	case media.MPEG4Video:
		e := &rtpfragmented.Encoder{PayloadType: pt, PayloadMaxSize: size}
		f := &format.MPEG4Video{PayloadTyp: pt, ProfileLevelID: 1, Config: t.ParameterSets[0]}
		return f, frame(e.Encode), e.Init()
	}
	return nil, nil, fmt.Errorf("a camera can't send %s", t.Codec.Title())
}

func naluPacketizer(t media.Track, pt uint8, size int) (format.Format, packetizer, error) {
	set := func(i int) []byte { // may be missing, they are in band too
		if i < len(t.ParameterSets) {
			return t.ParameterSets[i]
		}
		return nil
	}
	if t.Codec == media.H265 {
		e := &rtph265.Encoder{PayloadType: pt, PayloadMaxSize: size}
		return &format.H265{PayloadTyp: pt, VPS: set(0), SPS: set(1), PPS: set(2)}, e.Encode, e.Init()
	}
	e := &rtph264.Encoder{PayloadType: pt, PayloadMaxSize: size, PacketizationMode: 1}
	return &format.H264{PayloadTyp: pt, SPS: set(0), PPS: set(1), PacketizationMode: 1}, e.Encode, e.Init()
}

func audioPacketizer(t media.Track, pt uint8, size int) (format.Format, packetizer, error) {
	switch t.Codec {
	case media.Opus:
		e := &rtpsimpleaudio.Encoder{PayloadType: pt, PayloadMaxSize: size}
		return &format.Opus{PayloadTyp: pt, ChannelCount: t.Channels}, single(e.Encode), e.Init()
	case media.G722:
		f := &format.G722{}
		e := &rtpsimpleaudio.Encoder{PayloadType: f.PayloadType(), PayloadMaxSize: size}
		return f, single(e.Encode), e.Init()
	case media.PCMU, media.PCMA:
		pt = staticG711(t, pt)
		f := &format.G711{PayloadTyp: pt, MULaw: t.Codec == media.PCMU, SampleRate: t.ClockRate, ChannelCount: t.Channels}
		e := &rtplpcm.Encoder{PayloadType: pt, PayloadMaxSize: size, BitDepth: 8, ChannelCount: t.Channels}
		return f, frame(e.Encode), e.Init()
	case media.LPCM:
		f := &format.LPCM{PayloadTyp: pt, BitDepth: t.BitDepth, SampleRate: t.ClockRate, ChannelCount: t.Channels}
		e := &rtplpcm.Encoder{PayloadType: pt, PayloadMaxSize: size, BitDepth: t.BitDepth, ChannelCount: t.Channels}
		return f, frame(e.Encode), e.Init()
	case media.AAC:
		return aacPacketizer(t, pt, size)
	}
	return nil, nil, fmt.Errorf("a camera can't send %s", t.Codec.Title())
}

func aacPacketizer(t media.Track, pt uint8, size int) (format.Format, packetizer, error) {
	asc := &mpeg4audio.AudioSpecificConfig{}
	if err := asc.Unmarshal(t.ParameterSets[0]); err != nil {
		return nil, nil, fmt.Errorf("read the AudioSpecificConfig: %w", err)
	}
	f := &format.MPEG4Audio{PayloadTyp: pt, Config: asc, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}
	e := &rtpmpeg4audio.Encoder{PayloadType: pt, PayloadMaxSize: size, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}
	return f, e.Encode, e.Init()
}

// staticG711 is the payload type of RFC 3551 where it applies.
func staticG711(t media.Track, pt uint8) uint8 {
	switch {
	case t.ClockRate != 8000 || t.Channels != 1:
		return pt
	case t.Codec == media.PCMU:
		return 0
	}
	return 8
}

func frame(encode func([]byte) ([]*rtp.Packet, error)) packetizer {
	return func(data [][]byte) ([]*rtp.Packet, error) { return encode(data[0]) }
}

func single(encode func([]byte) (*rtp.Packet, error)) packetizer {
	return func(data [][]byte) ([]*rtp.Packet, error) {
		pkt, err := encode(data[0])
		return []*rtp.Packet{pkt}, err
	}
}
