package negotiation

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
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
	engine := &webrtc.MediaEngine{}
	var tracks []webrtc.TrackLocal
	for _, c := range plan.Sections {
		if c.Action == Disabled {
			continue
		}
		capability := webrtc.RTPCodecCapability{
			MimeType: mimeTypes[c.Format.Codec], ClockRate: uint32(c.Format.ClockRate), Channels: uint16(c.Format.Channels),
			SDPFmtpLine: c.Format.FMTP, RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}},
		}
		codec := webrtc.RTPCodecParameters{RTPCodecCapability: capability, PayloadType: webrtc.PayloadType(c.Format.PayloadType)}
		if err := engine.RegisterCodec(codec, webrtc.NewRTPCodecType(string(c.Kind))); err != nil {
			t.Fatal(err)
		}
		if c.Action == Passthrough {
			track, err := webrtc.NewTrackLocalStaticRTP(capability, string(c.Kind), "stream")
			if err != nil {
				t.Fatal(err)
			}
			tracks = append(tracks, track)
		}
	}
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
	defer func() {
		if err := pc.GracefulClose(); err != nil {
			t.Error(err)
		}
	}()
	for _, track := range tracks {
		if _, err := pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
			t.Fatal(err)
		}
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer.Normalised()}); err != nil {
		t.Fatal(err)
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(answer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return pc.LocalDescription().SDP
}

// The whole way with pion as the library: each stored offer, with both tracks, with a picture alone and with
// sound alone. A42, A50, A51, B1, B18.
func TestWithPion(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := webrtc.GenerateCertificate(key)
	if err != nil {
		t.Fatal(err)
	}
	opus := sound(media.Opus, 48000, 2)
	answers := 0
	for name, text := range viewerFixtures(t) {
		t.Run(name, func(t *testing.T) {
			offer := mustParse(t, text, RolePlay)
			for _, picture := range []media.Track{
				h264("640028"), video(media.VP8, 0, 0, 0), video(media.AV1, 0, 5, 0),
			} {
				for _, source := range [][]media.Track{{picture, opus}, {picture}, {opus}} {
					plan, err := Decide(source, offer, Policy{})
					if err != nil {
						continue
					}
					answers++
					library := pionAnswer(t, offer, plan, *certificate)
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
