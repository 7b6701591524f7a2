package negotiation

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"sluice/media"
)

func h264(id string) media.Track {
	b, ok := parseProfileLevelID(id)
	return media.Track{
		ID: "video", Kind: media.Video, Codec: media.H264, ClockRate: 90000, Width: 1920, Height: 1080, BitDepth: 8,
		Profile: media.VideoProfile{ProfileLevelID: b, ChromaFormat: 1, Known: ok},
	}
}

func video(codec media.Codec, profile, level, tier int) media.Track {
	return media.Track{
		ID: "video", Kind: media.Video, Codec: codec, ClockRate: 90000, Width: 1920, Height: 1080,
		Profile: media.VideoProfile{Profile: profile, Level: level, Tier: tier, ChromaFormat: 1, Known: true},
	}
}

func sound(codec media.Codec, clock, channels int) media.Track {
	return media.Track{ID: "audio", Kind: media.Audio, Codec: codec, ClockRate: clock, Channels: channels}
}

func with(t media.Track, change func(*media.Track)) media.Track {
	change(&t)
	return t
}

// offering is the plain offer with other formats: "96 H264/90000 packetization-mode=1".
func offering(kind media.Kind, formats ...string) string {
	var pts, lines string
	for _, f := range formats {
		part := strings.SplitN(f, " ", 3)
		pts += " " + part[0]
		if len(part) > 1 {
			lines += "a=rtpmap:" + part[0] + " " + part[1] + "\n"
		}
		if len(part) > 2 {
			lines += "a=fmtp:" + part[0] + " " + part[2] + "\n"
		}
	}
	return "v=0\no=- 1 1\na=fingerprint:sha-256 " + hash256 + "\nm=" + string(kind) + " 9 UDP/TLS/RTP/SAVPF" + pts +
		"\na=recvonly\na=rtcp-mux\na=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\n" + lines
}

func avc(pt int, id string) string {
	return fmt.Sprintf("%d H264/90000 packetization-mode=1;profile-level-id=%s", pt, id)
}

// F3, F4, F5, F6, F30 to F37, F40, B5, B18, D21, D30 to D34, D46: the payload that each section gets, "-" for an
// unused section, "off" for a disabled one, or what the error says.
func TestDecide(t *testing.T) {
	all := viewerFixtures(t)
	mono := sound(media.Opus, 48000, 1)
	opus := sound(media.Opus, 48000, 2)
	strict := Policy{H264: H264Strict}
	onlyVideo := func(f ...string) string { return offering(media.Video, f...) }
	onlyAudio := func(f ...string) string { return offering(media.Audio, f...) }
	tracks := func(t ...media.Track) []media.Track { return t }
	for _, c := range []struct {
		name   string
		source []media.Track
		offer  string
		policy Policy
		want   string // payload types, in the offer's order
		reason string // in one of the reasons
	}{
		// H264 by profile, in the offers of real programs
		{"baseline camera, Chromium", tracks(h264("42001f"), opus), all["chromium-play"], Policy{}, "102 111", "as it is."},
		{"constrained baseline camera, Chromium", tracks(h264("42e01f"), opus), all["chromium-play"], Policy{}, "108 111", "as it is."},
		{"main camera, Chromium", tracks(h264("4d0028"), opus), all["chromium-play"], Policy{}, "116 111", "as it is."},
		{"high camera, Chromium", tracks(h264("640028"), opus), all["chromium-play"], Policy{}, "41 111", "4:4:4 Predictive includes it"},
		{"high camera, Chromium, strict", tracks(h264("640028"), opus), all["chromium-play"], strict, "41 111", "includes it"},
		{"high camera, Firefox", tracks(h264("640028"), opus), all["firefox-play"], Policy{}, "126 109", "decode all the same"},
		{"high camera, Firefox, strict", tracks(h264("640028"), opus), all["firefox-play"], strict, "error", "lenient"},
		{"baseline camera, Firefox", tracks(h264("420029"), opus), all["firefox-play"], Policy{}, "105 109", ""},
		{"constrained baseline camera, Firefox", tracks(h264("42c01e"), opus), all["firefox-play"], Policy{}, "126 109", ""},
		{"high camera, Safari", tracks(h264("640028"), opus), all["safari-play"], Policy{}, "96 111", "Constrained High includes it"},
		{"constrained high camera, Safari", tracks(h264("640c1f"), opus), all["safari-play"], Policy{}, "96 111", "as it is."},
		{"main camera, Safari", tracks(h264("4d401f"), opus), all["safari-play"], Policy{}, "96 111", "includes it"},
		{"constrained baseline camera, Safari", tracks(h264("42e01f"), opus), all["safari-play"], Policy{}, "98 111", "as it is."},
		{"baseline camera, Safari", tracks(h264("42001f"), opus), all["safari-play"], Policy{}, "98 111", "all the same"},
		{"baseline camera, Safari, strict", tracks(h264("42001f"), opus), all["safari-play"], strict, "error", "only as Constrained High, Constrained Baseline"},
		{"high camera, aiortc", tracks(h264("640028"), mono), all["aiortc-whep"], Policy{}, "101 96", "all the same"},
		{"high camera, go2rtc", tracks(h264("640028"), opus), all["go2rtc-whep"], Policy{}, "98 101", "as it is."},
		{"high camera, GStreamer", tracks(h264("640028"), opus), all["gst122-whep"], Policy{}, "96 97", "all the same"},
		{"high camera, MediaMTX", tracks(h264("640028"), opus), all["mediamtx-whep"], Policy{}, "106 111", ""},
		{"high camera, werift", tracks(h264("640028"), opus), all["werift-whep"], Policy{}, "97 96", ""},
		{"H264 camera, wrtc", tracks(h264("640028"), opus), all["wrtc-whep"], Policy{}, "error", "sends H.264 1920×1080; this browser offers VP8, VP9, AV1."},
		{"any H264, whepsrc without fmtp", tracks(h264("640028"), opus), all["gst-whepsrc"], Policy{}, "96 102", "accepts any H.264"},
		{"any H264, whepsrc without fmtp, strict", tracks(h264("640028"), opus), all["gst-whepsrc"], strict, "96 102", "accepts any"},
		{"the plain offer", tracks(h264("42e01f"), opus), plainOffer, Policy{}, "96 111", ""},
		// H264 in offers made for one question
		{"exact before superset", tracks(h264("4d001f")), onlyVideo(avc(96, "64001f"), avc(97, "4d001f")), Policy{}, "97", ""},
		{"superset before lenient", tracks(h264("4d001f")), onlyVideo(avc(96, "42e01f"), avc(97, "64001f")), Policy{}, "97", "High includes"},
		{"closest superset", tracks(h264("42e01f")), onlyVideo(avc(96, "64001f"), avc(97, "4d001f")), Policy{}, "97", "Main includes"},
		{"closest lenient", tracks(h264("64001f")), onlyVideo(avc(96, "42001f"), avc(97, "42e01f"), avc(98, "4d001f")), Policy{}, "98", "Main, which"},
		{"first of equals", tracks(h264("42e01f")), onlyVideo(avc(96, "42e01f"), avc(97, "42c01f")), Policy{}, "96", ""},
		{"level that suffices first", tracks(h264("42e028")), onlyVideo(avc(96, "42e01f"), avc(97, "42e034")), Policy{}, "97", ""},
		{"level too low is no refusal", tracks(h264("42e034")), onlyVideo(avc(96, "42e01f")), Policy{}, "96", ""},
		{"level 6.0", tracks(h264("64003c")), onlyVideo(avc(96, "64003c")), Policy{}, "error", "level 6.0"},
		{"mode 0 alone", tracks(h264("42e01f")), onlyVideo("96 H264/90000 packetization-mode=0;profile-level-id=42e01f"), Policy{}, "error", "single-packet"},
		{"mode absent", tracks(h264("42e01f")), onlyVideo("96 H264/90000 profile-level-id=42e01f"), Policy{}, "error", "single-packet"},
		{"mode 1 with broken profile", tracks(h264("42e01f")), onlyVideo(avc(96, "zz")), Policy{}, "96", ""},
		{"mode 1 with broken profile, high", tracks(h264("640028")), onlyVideo(avc(96, "5")), Policy{}, "96", "all the same"},
		{"mode 1 with broken profile, high, strict", tracks(h264("640028")), onlyVideo(avc(96, "5")), strict, "error", "profile unnamed"},
		{"high beside a profile nobody knows", tracks(h264("640028")), onlyVideo(avc(96, "530000"), avc(97, "42e01f")), Policy{}, "97", ""},
		{"profile in capitals", tracks(h264("42e01f")), onlyVideo("96 h264/90000 Packetization-Mode=1; Profile-Level-ID=42E01F"), Policy{}, "96", ""},
		{"profile not known yet", tracks(h264("")), onlyVideo(avc(96, "64001f"), avc(97, "42e01f")), Policy{}, "97", ""},
		{"profile not known yet, strict", tracks(h264("")), onlyVideo(avc(97, "42e01f")), strict, "error", "H.264"},
		{"High 10 with 8 bits", tracks(h264("6e001f")), onlyVideo(avc(96, "42e01f")), Policy{}, "error", "High 10; this"},
		{"payload type that looks like RTCP", tracks(h264("42e01f")), onlyVideo(avc(72, "42e01f"), avc(97, "42001f")), Policy{}, "97", ""},
		// what is never passed on
		{"B-frames", tracks(with(h264("64001f"), func(t *media.Track) { t.BFrames = true }), opus), all["chromium-play"], Policy{}, "error", "Turn B-frames off"},
		{"B-frames in H265", tracks(with(video(media.H265, 1, 93, 0), func(t *media.Track) { t.BFrames = true })), all["safari-play"], Policy{}, "error", "H.265 with B-frames"},
		{"interlaced", tracks(with(h264("4d001f"), func(t *media.Track) { t.Interlaced = true })), all["chromium-play"], Policy{}, "error", "interlaced"},
		{"4:2:2", tracks(with(h264("7a001f"), func(t *media.Track) { t.Profile.ChromaFormat = 2 })), all["chromium-play"], Policy{}, "error", "4:2:2"},
		{"4:4:4", tracks(with(h264("f4001f"), func(t *media.Track) { t.Profile.ChromaFormat = 3 })), all["chromium-play"], Policy{}, "error", "4:4:4"},
		{"grey", tracks(with(h264("64001f"), func(t *media.Track) { t.Profile.ChromaFormat = 0 })), all["chromium-play"], Policy{}, "error", "4:0:0"},
		{"10 bits", tracks(with(h264("6e001f"), func(t *media.Track) { t.BitDepth = 10 })), all["chromium-play"], Policy{}, "error", "10 bits"},
		{"Motion JPEG", tracks(video(media.MJPEG, 0, 0, 0)), all["chromium-play"], Policy{}, "error", "Motion JPEG 1920×1080; this browser offers VP8, VP9, H.264, AV1. Motion JPEG cannot"},
		{"MPEG-4", tracks(video(media.MPEG4Video, 0, 0, 0)), all["firefox-play"], Policy{}, "error", "MPEG-4 Visual"},
		// other video
		{"H265, Chromium without", tracks(video(media.H265, 1, 93, 0), opus), all["chromium-play"], Policy{}, "error", "The camera sends H.265 1920×1080; this browser offers VP8, VP9, H.264, AV1."},
		{"H265, Chromium with", tracks(video(media.H265, 1, 120, 0), opus), all["chromium-play-h265"], Policy{}, "49 111", "H.265 1920×1080 profile 1 is passed"},
		{"H265 of higher level", tracks(video(media.H265, 1, 153, 0)), all["safari-play"], Policy{}, "100 -", ""},
		{"H265 Main10", tracks(video(media.H265, 2, 93, 0)), all["safari-play"], Policy{}, "error", "profile 2; this browser offers H.265 only as profile 1."},
		{"H265 Main10, MediaMTX", tracks(video(media.H265, 2, 93, 0)), all["mediamtx-whep"], Policy{}, "103 -", ""},
		{"H265 Main, MediaMTX", tracks(video(media.H265, 1, 93, 0)), all["mediamtx-whep"], Policy{}, "104 -", ""},
		{"H265 high tier", tracks(video(media.H265, 1, 93, 1)), all["safari-play"], Policy{}, "error", "high tier"},
		{"H265 default profile", tracks(video(media.H265, 1, 93, 0)), all["go2rtc-whep"], Policy{}, "100 -", ""},
		{"H265 by many sessions", tracks(video(media.H265, 1, 93, 0)), onlyVideo("96 H265/90000 tx-mode=MRST"), Policy{}, "error", "H.265"},
		{"H265 Main10, whepsrc without fmtp", tracks(video(media.H265, 2, 93, 0)), all["gst-whepsrc"], Policy{}, "- 104", "any H.265"},
		{"H265 not known yet", tracks(with(video(media.H265, 0, 0, 0), func(t *media.Track) { t.Profile.Known = false })), all["safari-play"], Policy{}, "100 -", ""},
		{"AV1", tracks(video(media.AV1, 0, 8, 0), opus), all["chromium-play"], Policy{}, "45 111", ""},
		{"AV1 profile 1", tracks(video(media.AV1, 1, 5, 0)), all["chromium-play"], Policy{}, "47 -", ""},
		{"AV1 profile 2", tracks(video(media.AV1, 2, 5, 0)), all["chromium-play"], Policy{}, "error", "profile 2; this browser offers AV1 only as profile 0, profile 1."},
		{"AV1 high tier", tracks(video(media.AV1, 0, 8, 1)), all["chromium-play"], Policy{}, "error", "high tier"},
		{"AV1 without parameters, Firefox", tracks(video(media.AV1, 0, 5, 0)), all["firefox-play"], Policy{}, "99 -", ""},
		{"AV1, Safari without", tracks(video(media.AV1, 0, 5, 0)), all["safari-play"], Policy{}, "error", "H.264, H.265, VP8, VP9."},
		{"VP9 profile 0", tracks(video(media.VP9, 0, 0, 0)), all["chromium-play"], Policy{}, "98 -", ""},
		{"VP9 profile 2", tracks(video(media.VP9, 2, 0, 0)), all["chromium-play"], Policy{}, "100 -", ""},
		{"VP9 profile 0, Firefox", tracks(video(media.VP9, 0, 0, 0)), all["firefox-play"], Policy{}, "121 -", ""},
		{"VP9 profile 2, Firefox", tracks(video(media.VP9, 2, 0, 0)), all["firefox-play"], Policy{}, "error", "profile 2"},
		{"VP9 with a broken profile", tracks(video(media.VP9, 0, 0, 0)), onlyVideo("96 VP9/90000 profile-id=x"), Policy{}, "error", "VP9"},
		{"VP8", tracks(video(media.VP8, 0, 0, 0), opus), all["wrtc-whep"], Policy{}, "96 111", "VP8 1920×1080 is passed"},
		// sound
		{"mono Opus", tracks(h264("42e01f"), mono), all["firefox-play"], Policy{}, "126 109", ""},
		{"Opus 5.1", tracks(h264("42e01f"), sound(media.Opus, 48000, 6)), all["mediamtx-whep"], Policy{}, "106 -", "with 6 channels"},
		{"PCMU", tracks(h264("42e01f"), sound(media.PCMU, 8000, 1)), all["chromium-play"], Policy{}, "108 0", ""},
		{"PCMA", tracks(h264("42e01f"), sound(media.PCMA, 8000, 1)), all["aiortc-whep"], Policy{}, "101 8", ""},
		{"PCMU without rtpmap", tracks(sound(media.PCMU, 8000, 1)), onlyAudio("0"), Policy{}, "0", ""},
		{"PCMA without rtpmap", tracks(sound(media.PCMA, 8000, 0)), onlyAudio("8"), Policy{}, "8", ""},
		{"G722 without rtpmap", tracks(sound(media.G722, 8000, 1)), onlyAudio("9"), Policy{}, "9", ""},
		{"G722 with the clock of its samples", tracks(sound(media.G722, 8000, 1)), onlyAudio("9 G722/16000"), Policy{}, "9", ""},
		{"G722, Firefox with channels", tracks(sound(media.G722, 8000, 1)), all["firefox-play"], Policy{}, "- 9", ""},
		{"G722, werift without", tracks(h264("42e01f"), sound(media.G722, 8000, 1)), all["werift-whep"], Policy{}, "97 -", "sends G.722; this browser offers Opus."},
		{"stereo G711", tracks(h264("42e01f"), sound(media.PCMU, 8000, 2)), all["chromium-play"], Policy{}, "108 -", "8000 Hz stereo; this browser offers G.711 µ-law only as 8000 Hz mono."},
		{"stereo G711, MediaMTX", tracks(h264("42e01f"), sound(media.PCMU, 8000, 2)), all["mediamtx-whep"], Policy{}, "106 118", ""},
		{"G711 at 16 kHz", tracks(h264("42e01f"), sound(media.PCMA, 16000, 1)), all["chromium-play"], Policy{}, "108 -", "16000 Hz"},
		{"AAC beside video", tracks(h264("42e01f"), sound(media.AAC, 48000, 2)), all["chromium-play"], Policy{}, "108 -", "AAC cannot go over WebRTC"},
		{"LPCM beside video", tracks(h264("42e01f"), sound(media.LPCM, 48000, 2)), all["mediamtx-whep"], Policy{}, "106 -", "LPCM"},
		{"AAC alone", tracks(sound(media.AAC, 48000, 2)), all["chromium-play"], Policy{}, "error", "The camera sends AAC; this browser offers Opus, G.722"},
		{"PCMU on a payload type of RTCP", tracks(sound(media.PCMU, 8000, 1)), onlyAudio("72 PCMU/8000", "111 opus/48000/2"), Policy{}, "error", "offers Opus."},
		// what is there and what is not
		{"no sound", tracks(h264("42e01f")), all["chromium-play"], Policy{}, "108 -", "no sound"},
		{"no picture", tracks(opus), all["chromium-play"], Policy{}, "- 111", "no picture"},
		{"no picture, sound first", tracks(opus), all["gst-whepsrc"], Policy{}, "96 -", "no picture"},
		{"nothing", nil, all["chromium-play"], Policy{}, "error", "no picture"},
		{"picture wanted, sound there", tracks(opus), onlyVideo(avc(96, "42e01f")), Policy{}, "error", "no picture"},
		{"sound wanted, picture there", tracks(h264("42e01f")), onlyAudio("0"), Policy{}, "error", "no sound"},
		{"sound wanted alone", tracks(h264("42e01f"), opus), onlyAudio("111 opus/48000/2"), Policy{}, "111", ""},
		{"picture wanted alone", tracks(h264("42e01f"), opus), onlyVideo(avc(96, "42e01f")), Policy{}, "96", ""},
		{"video that does not pass beside sound", tracks(video(media.H265, 1, 93, 0), opus), all["firefox-play"], Policy{}, "error", "H.265"},
		{"neither passes", tracks(video(media.MJPEG, 0, 0, 0), sound(media.AAC, 48000, 2)), all["firefox-play"], Policy{}, "error", "Motion JPEG"},
		{"no picture, sound that does not pass", tracks(sound(media.AAC, 48000, 2)), all["firefox-play"], Policy{}, "error", "AAC"},
		{"audio section off", tracks(h264("42e01f"), opus), replaced(t, "audio 9", "audio 0"), Policy{}, "96 off", "switched"},
		{"video section off", tracks(h264("42e01f"), opus), replaced(t, "video 9", "video 0"), Policy{}, "off 111", ""},
		{"data channel", tracks(h264("42e01f"), opus), plainOffer + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:d\n", Policy{}, "96 111 off", "Data"},
		{"skipped track", tracks(media.Track{Kind: media.Video, Skipped: "Its codec is unknown."}, opus), all["chromium-play"], Policy{}, "- 111", "Its codec is unknown."},
		{"skipped track before another", tracks(media.Track{Kind: media.Video, Skipped: "x"}, h264("42e01f")), all["chromium-play"], Policy{}, "108 -", ""},
		{"first of two", tracks(h264("42e01f"), video(media.VP8, 0, 0, 0)), all["chromium-play"], Policy{}, "108 -", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			offer := mustParse(t, c.offer, RolePlay)
			plan, err := Decide(c.source, offer, c.policy, Capacity{})
			if again, err2 := Decide(c.source, offer, c.policy, Capacity{}); !reflect.DeepEqual(plan, again) || !reflect.DeepEqual(err, err2) {
				t.Error("the second decision differs")
			}
			got, reasons := summary(plan, err)
			if got != c.want || !strings.Contains(reasons, c.reason) {
				t.Errorf("got %s for %q, want %s", got, reasons, c.want)
			}
			if err == nil {
				checkPlan(t, plan, offer)
			}
		})
	}
}

func summary(plan *Plan, err error) (string, string) {
	var none *NoCodecError
	if errors.As(err, &none) {
		return "error", none.Error()
	}
	var got, reasons []string
	for _, s := range plan.Sections {
		word := map[Action]string{Passthrough: fmt.Sprint(s.Format.PayloadType), Unused: "-", Disabled: "off"}[s.Action]
		got, reasons = append(got, word), append(reasons, s.Reason)
	}
	return strings.Join(got, " "), strings.Join(reasons, " ")
}

// checkPlan holds what is true of every plan. F41.
func checkPlan(t *testing.T, plan *Plan, offer *Offer) {
	t.Helper()
	if len(plan.Sections) != len(offer.Sections) {
		t.Fatalf("%d choices for %d sections", len(plan.Sections), len(offer.Sections))
	}
	served := false
	for i, c := range plan.Sections {
		s := offer.Sections[i]
		offered := false
		for _, f := range s.Formats {
			offered = offered || reflect.DeepEqual(f, c.Format)
		}
		switch {
		case c.MID != s.MID || c.Kind != s.Kind || c.Reason == "":
			t.Errorf("choice %+v for section %q", c, s.MID)
		case (c.Action == Disabled) == s.serves():
			t.Errorf("%s is %s", c.MID, c.Action)
		case c.Action != Disabled && !offered:
			t.Errorf("%s goes on payload type %d, which is not offered", c.MID, c.Format.PayloadType)
		case c.Action.Sends() && (c.Format.Codec != c.Track.Codec || c.Track.Kind != c.Kind || c.Source.Kind != c.Kind):
			t.Errorf("%s of %s goes on %s", c.Track.Codec, c.Source.Codec, c.Format.Codec)
		case c.Action == Passthrough && !c.Track.Equal(c.Source):
			t.Errorf("%s is passed on as %s", c.Source.Codec, c.Track.Codec)
		case c.Action.Sends():
			served = true
		}
	}
	if !served {
		t.Error("nothing is served")
	}
}

// F41: whatever the source and the offer.
func TestDecideProperties(t *testing.T) {
	sources := []media.Track{
		h264("42e01f"), h264("640028"), h264("4d001f"), h264("f4001f"), h264(""), video(media.H265, 1, 93, 0), video(media.H265, 2, 93, 1),
		video(media.AV1, 0, 5, 0), video(media.VP9, 2, 0, 0), video(media.VP8, 0, 0, 0), video(media.MJPEG, 0, 0, 0),
	}
	sounds := []media.Track{
		sound(media.Opus, 48000, 2), sound(media.PCMA, 8000, 1), sound(media.G722, 8000, 1), sound(media.AAC, 44100, 2), sound(media.LPCM, 8000, 1),
	}
	plans := 0
	for _, sdp := range viewerFixtures(t) {
		offer := mustParse(t, sdp, RolePlay)
		for _, v := range sources {
			for _, a := range sounds {
				for _, source := range [][]media.Track{{v, a}, {a, v}, {v}, {a}} {
					plan, err := Decide(source, offer, Policy{}, Capacity{})
					var none *NoCodecError
					if err != nil && (!errors.As(err, &none) || none.Reason == "") || (plan == nil) != (err != nil) {
						t.Fatalf("%v, %v", plan, err)
					}
					if err == nil {
						plans++
						checkPlan(t, plan, offer)
					}
				}
			}
		}
	}
	if plans < 1000 {
		t.Errorf("only %d plans", plans)
	}
}

// B5: what a program can tell of the error.
func TestNoCodecErrorFields(t *testing.T) {
	offer := mustParse(t, fixtures(t)["chromium-play"], RolePlay)
	_, err := Decide([]media.Track{video(media.H265, 1, 93, 0), sound(media.AAC, 48000, 2)}, offer, Policy{}, Capacity{})
	var none *NoCodecError
	if !errors.As(err, &none) {
		t.Fatal(err)
	}
	if none.Kind != media.Video || none.Sends != "H.265 1920×1080" || strings.Join(none.Offers, " ") != "VP8 VP9 H.264 AV1" {
		t.Errorf("%+v", none)
	}
}

func TestPlanChoice(t *testing.T) {
	p := &Plan{Sections: []Choice{{MID: "a", Action: Unused}}}
	if c, ok := p.Choice("a"); !ok || c.Action != Unused {
		t.Errorf("%+v", c)
	}
	if _, ok := p.Choice("b"); ok {
		t.Error("found a section that is not there")
	}
}
