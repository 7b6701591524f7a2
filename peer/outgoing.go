package peer

import (
	"math/rand/v2"

	"github.com/pion/webrtc/v4"

	"sluice/media"
	"sluice/rtpout"
)

// streamID is the one MediaStream that sound and picture belong to, so that browsers keep them in step (B8).
const streamID = "sluice"

// outgoing is one track on its way to a viewer. pion binds it once the offer has been answered.
type outgoing struct {
	connection *Connection // fixed
	track      media.Track // fixed

	sender *rtpout.Sender          // set by Bind, before Connected is closed
	stream webrtc.TrackLocalWriter // likewise
}

// Bind is called by pion once it is known how the packets are to look.
func (t *outgoing) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	codec := ctx.CodecParameters()[0]
	t.stream = ctx.WriteStream()
	t.sender = rtpout.NewSender(uint32(ctx.SSRC()), uint8(codec.PayloadType), t.track.ClockRate,
		uint16(rand.Uint32()), rand.Uint32())
	t.connection.stepDone()
	return codec, nil
}

// Unbind is called by pion when the connection is over.
func (t *outgoing) Unbind(webrtc.TrackLocalContext) error { return nil }

// ID names the track in the answer.
func (t *outgoing) ID() string { return t.track.ID }

// RID is empty: there is one layer.
func (t *outgoing) RID() string { return "" }

// StreamID names the MediaStream in the answer.
func (t *outgoing) StreamID() string { return streamID }

// Kind is audio or video.
func (t *outgoing) Kind() webrtc.RTPCodecType {
	if t.track.Kind == media.Audio {
		return webrtc.RTPCodecTypeAudio
	}
	return webrtc.RTPCodecTypeVideo
}
