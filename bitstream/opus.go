package bitstream

import (
	codec "github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"

	"sluice/media"
)

// maxOpusPacket is the longest packet, in samples of 48 kHz: 120 ms (RFC 6716 3.2.5).
const maxOpusPacket = 5760

// opus conforms packets of Opus: one whose TOC tells no possible duration is dropped.
type opus struct{}

func (opus) inspect(au *media.AccessUnit, _ *media.Track) bool {
	au.Keyframe = true
	if len(au.Data) != 1 {
		return false
	}
	n := codec.PacketDuration2(au.Data[0])
	return n > 0 && n <= maxOpusPacket
}
