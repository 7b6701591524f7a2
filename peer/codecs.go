package peer

import (
	"fmt"
	"strings"

	"github.com/pion/webrtc/v4"

	"sluice/media"
	"sluice/negotiation"
)

var mimeTypes = map[media.Codec]string{
	media.H264: webrtc.MimeTypeH264, media.H265: webrtc.MimeTypeH265, media.AV1: webrtc.MimeTypeAV1,
	media.VP8: webrtc.MimeTypeVP8, media.VP9: webrtc.MimeTypeVP9, media.Opus: webrtc.MimeTypeOpus,
	media.G722: webrtc.MimeTypeG722, media.PCMU: webrtc.MimeTypePCMU, media.PCMA: webrtc.MimeTypePCMA,
}

// registerFormat makes the chosen payload known with the format parameters of the offer, so that they match to the
// letter, and its retransmission payload with it.
func registerFormat(m *webrtc.MediaEngine, choice negotiation.Choice) error {
	kind := webrtc.RTPCodecTypeVideo
	if choice.Kind == media.Audio {
		kind = webrtc.RTPCodecTypeAudio
	}
	f := choice.Format
	mime, ok := mimeTypes[f.Codec]
	if !ok {
		mime = string(choice.Kind) + "/" + f.Name
	}
	err := m.RegisterCodec(webrtc.RTPCodecParameters{
		PayloadType: webrtc.PayloadType(f.PayloadType),
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: mime, ClockRate: uint32(f.ClockRate), Channels: uint16(f.Channels),
			SDPFmtpLine: f.FMTP, RTCPFeedback: feedback(f.Feedback),
		},
	}, kind)
	if err != nil || f.RTX == 0 {
		return err
	}
	return m.RegisterCodec(webrtc.RTPCodecParameters{
		PayloadType: webrtc.PayloadType(f.RTX),
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeRTX, ClockRate: uint32(f.ClockRate), SDPFmtpLine: fmt.Sprintf("apt=%d", f.PayloadType),
		},
	}, kind)
}

// wantedFeedback is what we act on, of what may be offered (A57).
var wantedFeedback = []string{"nack", "nack pli", "ccm fir"}

func feedback(offered []string) []webrtc.RTCPFeedback {
	var all []webrtc.RTCPFeedback
	for _, want := range wantedFeedback {
		for _, o := range offered {
			if o == want {
				typ, parameter, _ := strings.Cut(o, " ")
				all = append(all, webrtc.RTCPFeedback{Type: typ, Parameter: parameter})
			}
		}
	}
	return all
}
