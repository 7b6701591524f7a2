package peer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pion/webrtc/v4"

	"sluice/media"
	"sluice/negotiation"
	"sluice/rtpout"
)

// streamID is the one MediaStream that sound and picture belong to, so that browsers keep them in step (B8).
const streamID = "sluice"

// outgoing is one track on its way to a viewer. pion binds it once the offer has been answered.
type outgoing struct {
	connection *Connection // fixed
	track      media.Track // fixed

	out    rtpout.Outgoing         // set by Bind, before Connected is closed
	stream webrtc.TrackLocalWriter // likewise
}

// Bind is called by pion once it is known how the packets are to look.
func (t *outgoing) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	codec := ctx.CodecParameters()[0]
	t.stream = ctx.WriteStream()
	t.out = rtpout.Outgoing{
		Track: t.track, SSRC: uint32(ctx.SSRC()), PayloadType: uint8(codec.PayloadType),
		NACK:         slices.Contains(codec.RTCPFeedback, webrtc.RTCPFeedback{Type: "nack"}),
		PlayoutDelay: extensionID(ctx.HeaderExtensions(), negotiation.PlayoutDelay),
	}
	if rtx := resendType(codec, ctx.CodecParameters()); rtx != 0 && ctx.SSRCRetransmission() != 0 {
		t.out.RTX, t.out.RTXSSRC = rtx, uint32(ctx.SSRCRetransmission())
	}
	t.connection.stepDone()
	return codec, nil
}

// resendType is the payload type of a codec's retransmissions (RFC 4588 8.1); 0: none was negotiated.
func resendType(codec webrtc.RTPCodecParameters, all []webrtc.RTPCodecParameters) uint8 {
	of := fmt.Sprintf("apt=%d", codec.PayloadType)
	for _, c := range all {
		if strings.EqualFold(c.MimeType, webrtc.MimeTypeRTX) && c.SDPFmtpLine == of {
			return uint8(c.PayloadType)
		}
	}
	return 0
}

// extensionID is under which number a header extension goes; 0: it was not negotiated.
func extensionID(all []webrtc.RTPHeaderExtensionParameter, uri string) uint8 {
	for _, e := range all {
		if e.URI == uri {
			return uint8(e.ID)
		}
	}
	return 0
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
