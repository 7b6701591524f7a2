package negotiation

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"sluice/media"
)

var mimeTypes = map[media.Codec]string{
	media.H264: webrtc.MimeTypeH264, media.H265: webrtc.MimeTypeH265, media.AV1: webrtc.MimeTypeAV1,
	media.VP8: webrtc.MimeTypeVP8, media.VP9: webrtc.MimeTypeVP9, media.Opus: webrtc.MimeTypeOpus,
	media.PCMU: webrtc.MimeTypePCMU, media.PCMA: webrtc.MimeTypePCMA, media.G722: webrtc.MimeTypeG722,
}

// pionAnswer has pion answer a normalised offer with the payloads of a plan.
func pionAnswer(t *testing.T, offer *Offer, plan *Plan, certificate webrtc.Certificate) string {
	t.Helper()
	pc := pionPeer(t, pionEngine(t, plan), certificate)
	defer closePeer(t, pc)
	if offer.Role == RolePlay {
		addTracks(t, pc, plan)
	}
	return pionAnswerTo(t, pc, offer.Normalised())
}

// pionExtensions are the header extensions that we want of a publisher.
var pionExtensions = []string{
	"urn:ietf:params:rtp-hdrext:sdes:mid", "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
	"urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
	"http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
	"http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
	"https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
	"urn:3gpp:video-orientation",
}

// pionEngine knows the payloads of a plan, their retransmissions, and more header extensions than we answer.
func pionEngine(t *testing.T, plan *Plan) *webrtc.MediaEngine {
	t.Helper()
	engine := &webrtc.MediaEngine{}
	for _, c := range plan.Sections {
		if c.Action == Disabled {
			continue
		}
		kind := webrtc.NewRTPCodecType(string(c.Kind))
		codec := webrtc.RTPCodecParameters{RTPCodecCapability: pionCapability(c), PayloadType: webrtc.PayloadType(c.Format.PayloadType)}
		if err := engine.RegisterCodec(codec, kind); err != nil {
			t.Fatal(err)
		}
		if c.Format.RTX != 0 {
			repair := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: fmt.Sprintf("apt=%d", c.Format.PayloadType)}
			if err := engine.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: repair, PayloadType: webrtc.PayloadType(c.Format.RTX)}, kind); err != nil {
				t.Fatal(err)
			}
		}
		for _, uri := range pionExtensions {
			if err := engine.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				t.Fatal(err)
			}
		}
	}
	return engine
}

func pionCapability(c Choice) webrtc.RTPCodecCapability {
	mime := mimeTypes[c.Format.Codec]
	if c.Format.is(multiopus) {
		mime = "audio/" + multiopus
	}
	return webrtc.RTPCodecCapability{
		MimeType: mime, ClockRate: uint32(c.Format.ClockRate), Channels: uint16(c.Format.Channels), SDPFmtpLine: c.Format.FMTP,
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}, {Type: "transport-cc"}},
	}
}

func pionPeer(t *testing.T, engine *webrtc.MediaEngine, certificate webrtc.Certificate) *webrtc.PeerConnection {
	t.Helper()
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() && ip.To4() != nil })
	if err := settings.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithSettingEngine(settings)).
		NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	return pc
}

func closePeer(t *testing.T, pc *webrtc.PeerConnection) {
	if err := pc.GracefulClose(); err != nil {
		t.Error(err)
	}
}

// addTracks has pion send what a plan passes on.
func addTracks(t *testing.T, pc *webrtc.PeerConnection, plan *Plan) {
	t.Helper()
	for _, c := range plan.Sections {
		if c.Action != Passthrough {
			continue
		}
		track, err := webrtc.NewTrackLocalStaticRTP(pionCapability(c), string(c.Kind), "stream")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
			t.Fatal(err)
		}
	}
}

// pionAnswerTo is pion's answer with all its candidates.
func pionAnswerTo(t *testing.T, pc *webrtc.PeerConnection, offer string) string {
	t.Helper()
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		t.Fatalf("%v\n%s", err, offer)
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		t.Fatal(err)
	}
	return applyLocal(t, pc, answer)
}

func applyLocal(t *testing.T, pc *webrtc.PeerConnection, d webrtc.SessionDescription) string {
	t.Helper()
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(d); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return pc.LocalDescription().SDP
}

func newCertificate(t *testing.T) webrtc.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := webrtc.GenerateCertificate(key)
	if err != nil {
		t.Fatal(err)
	}
	return *certificate
}

// The whole way with pion as the library: each stored offer, with both tracks, with a picture alone and with
// sound alone. A42, A50, A51, B1, B18.
func TestWithPion(t *testing.T) {
	certificate := newCertificate(t)
	opus := sound(media.Opus, 48000, 2)
	answers := 0
	for name, text := range viewerFixtures(t) {
		t.Run(name, func(t *testing.T) {
			offer := mustParse(t, text, RolePlay)
			for _, picture := range []media.Track{
				h264("640028"), video(media.VP8, 0, 0, 0), video(media.AV1, 0, 5, 0),
			} {
				for _, source := range [][]media.Track{{picture, opus}, {picture}, {opus}} {
					plan, err := Decide(source, offer, Policy{}, Capacity{})
					if err != nil {
						continue
					}
					answers++
					library := pionAnswer(t, offer, plan, certificate)
					for _, options := range []AnswerOptions{{Plan: plan}, {}, {Plan: plan, Unused: UnusedRejected}} {
						answer, err := FinishAnswer(library, offer, options)
						if err != nil {
							t.Fatalf("%v\n%s", err, library)
						}
						checkAnswer(t, answer, offer)
						checkDirections(t, answer, plan, options.Unused)
					}
				}
			}
		})
	}
	if answers < 100 {
		t.Errorf("only %d answers", answers)
	}
}

func checkDirections(t *testing.T, answer string, plan *Plan, unused UnusedMode) {
	t.Helper()
	for i, section := range strings.Split(answer, "\r\nm=")[1:] {
		c := plan.Sections[i]
		sends := strings.Contains(section, "\r\na=sendonly\r\n") && strings.Contains(section, "\r\na=msid:stream ")
		off := strings.Contains(section, "a=inactive")
		port0 := strings.Contains(section, c.MID) && strings.Split(section, " ")[1] == "0"
		if sends != (c.Action == Passthrough) || off == sends || port0 != (off && unused == UnusedRejected) {
			t.Errorf("%s of %q:\n%s", c.Action, c.MID, section)
		}
	}
}
