package peer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pion/webrtc/v4"

	"sluice/media"
	"sluice/negotiation"
)

// UnsupportedCodecError tells that WebRTC has no payload format for a track.
type UnsupportedCodecError struct{ Codec media.Codec }

func (e *UnsupportedCodecError) Error() string {
	return e.Codec.Title() + " cannot go over WebRTC"
}

var mimeTypes = map[media.Codec]string{
	media.H264: webrtc.MimeTypeH264, media.H265: webrtc.MimeTypeH265, media.AV1: webrtc.MimeTypeAV1,
	media.VP8: webrtc.MimeTypeVP8, media.VP9: webrtc.MimeTypeVP9, media.Opus: webrtc.MimeTypeOpus,
	media.G722: webrtc.MimeTypeG722, media.PCMU: webrtc.MimeTypePCMU, media.PCMA: webrtc.MimeTypePCMA,
}

// headerExtensions are what both directions know. Which of them are used is for the SDP to say.
var headerExtensions = []string{
	"urn:ietf:params:rtp-hdrext:sdes:mid",
	"urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
	"urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
	transportCC,
}

const transportCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

// planned knows the chosen payloads alone, with the format parameters of the offer so that they match to the letter,
// and their retransmission payloads with them.
func planned(plan *negotiation.Plan) (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	for _, choice := range plan.Sections {
		if choice.Action == negotiation.Disabled {
			continue
		}
		f := choice.Format
		p := payload{
			number: f.PayloadType, rtx: f.RTX, mime: mimeTypes[f.Codec], clock: f.ClockRate, channels: f.Channels,
			fmtp: f.FMTP, feedback: f.Feedback,
		}
		if p.mime == "" || !strings.EqualFold(p.mime, string(choice.Kind)+"/"+f.Name) {
			p.mime = string(choice.Kind) + "/" + f.Name // multiopus is Opus by another name
		}
		if err := p.register(m, choice.Kind); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// payload is one payload type and that of its retransmissions, 0 for none.
type payload struct {
	number, rtx     uint8
	mime            string
	clock, channels int
	fmtp            string
	feedback        []string
}

func (p *payload) register(m *webrtc.MediaEngine, kind media.Kind) error {
	typ := codecType(kind)
	err := m.RegisterCodec(webrtc.RTPCodecParameters{
		PayloadType: webrtc.PayloadType(p.number),
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: p.mime, ClockRate: uint32(p.clock), Channels: uint16(p.channels),
			SDPFmtpLine: p.fmtp, RTCPFeedback: wanted(p.feedback),
		},
	}, typ)
	if err == nil && p.rtx != 0 {
		err = m.RegisterCodec(webrtc.RTPCodecParameters{
			PayloadType: webrtc.PayloadType(p.rtx),
			RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: webrtc.MimeTypeRTX, ClockRate: uint32(p.clock), SDPFmtpLine: fmt.Sprintf("apt=%d", p.number),
			},
		}, typ)
	}
	if err != nil {
		return fmt.Errorf("register %s: %w", p.mime, err)
	}
	return nil
}

func codecType(kind media.Kind) webrtc.RTPCodecType {
	if kind == media.Audio {
		return webrtc.RTPCodecTypeAudio
	}
	return webrtc.RTPCodecTypeVideo
}

// actedOn is what we act on, of what may be offered (A57).
var actedOn = []string{"nack", "nack pli", "ccm fir", "transport-cc"}

func wanted(offered []string) []webrtc.RTCPFeedback {
	var all []webrtc.RTCPFeedback
	for _, want := range actedOn {
		if slices.Contains(offered, want) {
			typ, parameter, _ := strings.Cut(want, " ")
			all = append(all, webrtc.RTCPFeedback{Type: typ, Parameter: parameter})
		}
	}
	return all
}

var (
	videoFeedback = []string{"nack", "nack pli", "ccm fir", "transport-cc"}
	audioFeedback = []string{"transport-cc"}
)

// receivable is what we offer to receive, the best-known codecs first: of H264 the profiles that cameras and browsers
// send, High as browsers name it (F3).
var receivable = map[media.Kind][]payload{
	media.Video: {
		{number: 96, rtx: 97, mime: webrtc.MimeTypeH264, clock: 90000, fmtp: h264FMTP("42e01f"), feedback: videoFeedback},
		{number: 98, rtx: 99, mime: webrtc.MimeTypeH264, clock: 90000, fmtp: h264FMTP("42001f"), feedback: videoFeedback},
		{number: 100, rtx: 101, mime: webrtc.MimeTypeH264, clock: 90000, fmtp: h264FMTP("4d001f"), feedback: videoFeedback},
		{number: 102, rtx: 103, mime: webrtc.MimeTypeH264, clock: 90000, fmtp: h264FMTP("640c1f"), feedback: videoFeedback},
		{number: 104, rtx: 105, mime: webrtc.MimeTypeH264, clock: 90000, fmtp: h264FMTP("64001f"), feedback: videoFeedback},
		{number: 106, rtx: 107, mime: webrtc.MimeTypeH265, clock: 90000, feedback: videoFeedback},
		{number: 108, rtx: 109, mime: webrtc.MimeTypeVP8, clock: 90000, feedback: videoFeedback},
		{number: 112, rtx: 113, mime: webrtc.MimeTypeVP9, clock: 90000, fmtp: "profile-id=0", feedback: videoFeedback},
		{number: 114, rtx: 115, mime: webrtc.MimeTypeAV1, clock: 90000, feedback: videoFeedback},
	},
	media.Audio: {
		{number: 111, mime: webrtc.MimeTypeOpus, clock: 48000, channels: 2, fmtp: "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1", feedback: audioFeedback},
		{number: 9, mime: webrtc.MimeTypeG722, clock: 8000, channels: 1, feedback: audioFeedback},
		{number: 0, mime: webrtc.MimeTypePCMU, clock: 8000, channels: 1, feedback: audioFeedback},
		{number: 8, mime: webrtc.MimeTypePCMA, clock: 8000, channels: 1, feedback: audioFeedback},
	},
}

func h264FMTP(profileLevelID string) string {
	return "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=" + profileLevelID
}

// offeredToReceive knows all that we can take.
func offeredToReceive() (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	for kind, all := range receivable {
		for _, p := range all {
			if err := p.register(m, kind); err != nil {
				return nil, err
			}
		}
	}
	return m, registerExtensions(m)
}

// offered knows one payload for each track that we offer to send; an H264 stream is offered under its own profile and
// under the one that everybody takes, since browsers decode it all the same.
func offered(tracks []media.Track) (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	for _, t := range tracks {
		all := outgoingPayloads(t)
		if len(all) == 0 {
			return nil, &UnsupportedCodecError{Codec: t.Codec}
		}
		for _, p := range all {
			if err := p.register(m, t.Kind); err != nil {
				return nil, err
			}
		}
	}
	return m, registerExtensions(m)
}

func outgoingPayloads(t media.Track) []payload {
	var all []payload
	for _, p := range receivable[t.Kind] {
		if p.mime == mimeTypes[t.Codec] && (t.Codec != media.H264 || p.number == 96) {
			all = append(all, p)
		}
	}
	if t.Codec == media.H264 && t.Profile.Known {
		own := all[0]
		own.number, own.rtx = 98, 99
		own.fmtp = h264FMTP(fmt.Sprintf("%x", t.Profile.ProfileLevelID))
		all = append([]payload{own}, all...)
		if own.fmtp == all[1].fmtp {
			all = all[1:]
		}
	}
	if t.Codec == media.VP9 && t.Profile.Known {
		all[0].fmtp = fmt.Sprintf("profile-id=%d", t.Profile.Profile)
	}
	for i := range all {
		all[i].feedback = slices.DeleteFunc(slices.Clone(all[i].feedback), func(f string) bool { return f == "transport-cc" })
	}
	return all
}

// registerExtensions makes what publishers put on their packets known: which section and layer they belong to, and
// the number that bandwidth estimation goes by.
func registerExtensions(m *webrtc.MediaEngine) error {
	for _, uri := range headerExtensions {
		for _, typ := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio} {
			if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, typ); err != nil {
				return fmt.Errorf("register header extension %s: %w", uri, err)
			}
		}
	}
	return nil
}
