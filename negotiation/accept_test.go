package negotiation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"sluice/media"
)

// publishing is a publisher's offer of one section with the given formats, as offering is a viewer's.
func publishing(kind media.Kind, formats ...string) string {
	return strings.ReplaceAll(offering(kind, formats...), "recvonly", "sendonly")
}

const surround = "112 multiopus/48000/6 channel_mapping=0,4,1,2,3,5;num_streams=4;coupled_streams=2"

func TestAccept(t *testing.T) {
	for _, c := range []struct {
		name  string
		offer string
		wish  Wish
		want  uint8 // payload type; 0: nothing can be taken
		codec media.Codec
	}{
		{"the offer's order", publishing(media.Video, "98 VP8/90000", avc(96, "42e01f")), Wish{}, 98, media.VP8},                          // A56
		{"a wish", publishing(media.Video, "98 VP8/90000", avc(96, "42e01f")), Wish{Video: media.H264}, 96, media.H264},                   // A56
		{"a wish that can't be", publishing(media.Video, "98 VP8/90000", avc(96, "42e01f")), Wish{Video: media.AV1}, 98, media.VP8},       // A56
		{"a wish for the other kind", publishing(media.Video, "98 VP8/90000", avc(96, "42e01f")), Wish{Audio: media.H264}, 98, media.VP8}, // A56
		{"mode 1 before 0", publishing(media.Video, "97 H264/90000 profile-level-id=42e01f", avc(96, "42e01f")), Wish{}, 96, media.H264},  // A56
		{"mode 0 alone", publishing(media.Video, "97 H264/90000 profile-level-id=42e01f", "98 VP8/90000"), Wish{}, 97, media.H264},        // A56
		{"mode 1 of another profile", publishing(media.Video, "97 H264/90000 profile-level-id=640c1f;packetization-mode=0", avc(96, "42e01f"), avc(99, "640c1f")), Wish{}, 96, media.H264},
		{"a wish, several profiles", publishing(media.Video, "98 VP8/90000", "97 H264/90000 profile-level-id=640c1f", avc(99, "640c1f"), avc(96, "42e01f")), Wish{Video: media.H264}, 99, media.H264},
		{"interleaved", publishing(media.Video, "97 H264/90000 packetization-mode=2", avc(96, "42e01f")), Wish{}, 96, media.H264},
		{"interleaved alone", publishing(media.Video, "97 H264/90000 packetization-mode=2"), Wish{}, 0, ""},
		{"H.265 in several streams", publishing(media.Video, "97 H265/90000 tx-mode=MRST", "96 H265/90000 tx-mode=srst"), Wish{}, 96, media.H265},
		{"repair and noise first", publishing(media.Audio, "63 red/48000/2 111/111", "13 CN/8000", "126 telephone-event/8000", "111 opus/48000/2"), Wish{}, 111, media.Opus},
		{"FEC first", publishing(media.Video, "114 red/90000", "115 rtx/90000 apt=114", "116 ulpfec/90000", "49 flexfec-03/90000 repair-window=10000000", "98 VP8/90000"), Wish{}, 98, media.VP8},
		{"sound among pictures", publishing(media.Video, "111 opus/48000", "98 VP8/90000"), Wish{}, 98, media.VP8},
		{"pictures among sounds", publishing(media.Audio, "98 VP8/90000", "111 opus/48000/2"), Wish{}, 111, media.Opus},
		{"no parameters", publishing(media.Video, "97 H264/90000"), Wish{}, 97, media.H264},                                                                          // D21
		{"unknown codec first", publishing(media.Video, "99 theora/90000", "98 VP8/90000"), Wish{}, 98, media.VP8},                                                   // A42
		{"RTCP's payload type", publishing(media.Video, avc(72, "42e01f"), "98 VP8/90000"), Wish{}, 98, media.VP8},                                                   // A42
		{"other clock", publishing(media.Video, "97 VP9/48000", "98 VP8/90000"), Wish{}, 98, media.VP8},                                                              // A42
		{"H.265", publishing(media.Video, "97 H265/90000 profile-id=1"), Wish{}, 97, media.H265},                                                                     // A42
		{"AV1", publishing(media.Video, "97 AV1/90000"), Wish{}, 97, media.AV1},                                                                                      // A42
		{"Opus", publishing(media.Audio, "111 opus/48000/2", "0 PCMU/8000"), Wish{}, 111, media.Opus},                                                                // A42
		{"G.711 by wish", publishing(media.Audio, "111 opus/48000/2", "0 PCMU/8000", "8 PCMA/8000"), Wish{Audio: media.PCMA}, 8, media.PCMA},                         // A56
		{"G.722", publishing(media.Audio, "9 G722/8000"), Wish{}, 9, media.G722},                                                                                     // A42
		{"G.722 by its samples", publishing(media.Audio, "9 G722/16000"), Wish{}, 9, media.G722},                                                                     // A42
		{"surround", publishing(media.Audio, surround, "111 opus/48000/2"), Wish{}, 112, media.Opus},                                                                 // A42
		{"surround of no mapping", publishing(media.Audio, "112 multiopus/48000/6", "111 opus/48000/2"), Wish{}, 111, media.Opus},                                    // A42
		{"surround of two channels", publishing(media.Audio, strings.Replace(surround, "/6", "/2", 1), "111 opus/48000/2"), Wish{}, 111, media.Opus},                 // A42
		{"surround of a stream that is not there", publishing(media.Audio, strings.Replace(surround, "3,5", "3,6", 1), "111 opus/48000/2"), Wish{}, 111, media.Opus}, // A42
		{"Opus at 8 kHz", publishing(media.Audio, "111 opus/8000/2"), Wish{}, 0, ""},                                                                                 // A42, J40
		{"H.264 of a wrong clock", publishing(media.Video, "96 H264/8000"), Wish{}, 0, ""},                                                                           // A42, J40
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := Accept(mustParse(t, c.offer, RolePublish), c.wish)
			var none *NoCodecError
			if c.want == 0 {
				if !errors.As(err, &none) || !strings.Contains(none.Reason, " can, at their usual clock.") {
					t.Fatalf("%+v, %v", plan, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := plan.Sections[0]
			if got.Action != Passthrough || got.Format.PayloadType != c.want || got.Track.Codec != c.codec || got.Reason == "" {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A42, J40: one section without a codec refuses the whole.
func TestAcceptAllOrNothing(t *testing.T) {
	half := strings.ReplaceAll(replaced(t, "opus/48000/2", "opus/44100/2"), "recvonly", "sendonly")
	var none *NoCodecError
	if _, err := Accept(mustParse(t, half, RolePublish), Wish{}); !errors.As(err, &none) || none.Kind != media.Audio {
		t.Errorf("%v", err)
	}
}

// What is received, section by section. A41, A43, A44
func TestAcceptTracks(t *testing.T) {
	for _, c := range []struct {
		name, offer string
		want        []media.Track
	}{
		{"picture and sound", plainOffer, []media.Track{
			{ID: "video", Kind: media.Video, Codec: media.H264, ClockRate: 90000},
			{ID: "audio", Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 2},
		}},
		{"mono Opus", replaced(t, "opus/48000/2", "opus/48000"), []media.Track{ // A44
			{ID: "video", Kind: media.Video, Codec: media.H264, ClockRate: 90000},
			{ID: "audio", Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 2},
		}},
		{"G.722 by its samples", replaced(t, "opus/48000/2", "G722/16000"), []media.Track{
			{ID: "video", Kind: media.Video, Codec: media.H264, ClockRate: 90000},
			{ID: "audio", Kind: media.Audio, Codec: media.G722, ClockRate: 8000, Channels: 1},
		}},
		{"surround", replaced(t, "opus/48000/2", "multiopus/48000/3\na=fmtp:111 channel_mapping=0,2,1;num_streams=2;coupled_streams=1"), []media.Track{
			{ID: "video", Kind: media.Video, Codec: media.H264, ClockRate: 90000},
			{ID: "audio", Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 3, FMTP: map[string]string{
				"channel_mapping": "0,2,1", "num_streams": "2", "coupled_streams": "1",
			}},
		}},
		{"sound off", replaced(t, "audio 9", "audio 0"), []media.Track{{ID: "video", Kind: media.Video, Codec: media.H264, ClockRate: 90000}, {}}}, // A41
		{"data too", plainOffer + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:d\n", []media.Track{ // A43
			{ID: "video", Kind: media.Video, Codec: media.H264, ClockRate: 90000},
			{ID: "audio", Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 2},
			{},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := Accept(mustParse(t, strings.ReplaceAll(c.offer, "recvonly", "sendonly"), RolePublish), Wish{})
			if err != nil || len(plan.Sections) != len(c.want) {
				t.Fatalf("%+v, %v", plan, err)
			}
			for i, got := range plan.Sections {
				if !got.Track.Equal(c.want[i]) || (got.Action == Passthrough) != (c.want[i].ID != "") {
					t.Errorf("section %d: %+v", i, got)
				}
			}
		})
	}
}

// Surround sound from a publisher goes to those viewers that offer it in the same form.
func TestDecideSurround(t *testing.T) {
	track := sound(media.Opus, 48000, 6)
	track.FMTP = map[string]string{"channel_mapping": "0,4,1,2,3,5", "num_streams": "4", "coupled_streams": "2"}
	for _, c := range []struct {
		name    string
		track   media.Track
		formats []string
		want    uint8
	}{
		{"the same", track, []string{"111 opus/48000/2", surround}, 112},
		{"other mapping", track, []string{"111 opus/48000/2", strings.Replace(surround, "0,4,1", "0,1,4", 1)}, 0},
		{"other streams", track, []string{strings.Replace(surround, "num_streams=4;coupled_streams=2", "num_streams=5;coupled_streams=1", 1)}, 0},
		{"stereo only", track, []string{"111 opus/48000/2"}, 0},
		{"mapping unknown", sound(media.Opus, 48000, 6), []string{surround}, 0},
		{"stereo under surround", sound(media.Opus, 48000, 2), []string{surround, "111 opus/48000/2"}, 111},
		{"stereo, surround only", sound(media.Opus, 48000, 2), []string{surround}, 0},
	} {
		offer := mustParse(t, offering(media.Audio, c.formats...), RolePlay)
		plan, err := Decide([]media.Track{c.track}, offer, Policy{}, Capacity{})
		if c.want == 0 {
			if err == nil {
				t.Errorf("%s: %+v", c.name, plan)
			}
			continue
		}
		if err != nil || plan.Sections[0].Format.PayloadType != c.want {
			t.Errorf("%s: %+v, %v", c.name, plan, err)
			continue
		}
		if answer := finished(t, offer, AnswerOptions{}, c.track); c.want == 112 && !strings.Contains(answer, "a=rtpmap:112 multiopus/48000/6\r\n") {
			t.Error(answer)
		}
	}
}

// A58, J45: which layers are taken, and under which names they are published.
func TestLayers(t *testing.T) {
	rids := func(names ...string) (s string) {
		for _, name := range names {
			s += "a=rid:" + name + " send\n"
		}
		return s
	}
	for _, c := range []struct{ name, lines, want string }{
		{"none", "", "[]"},
		{"OBS", rids("0", "1", "2") + "a=simulcast:send 0;1;2\n", "[{0 0} {1 1} {2 2}]"},
		{"all that OBS can be set to", rids("0", "1", "2", "3") + "a=simulcast:send 0;1;2;3\n", "[{0 0} {1 1} {2 2} {3 3}]"},
		{"order of the simulcast line", rids("l", "m", "h") + "a=simulcast:send h;m;l\n", "[{h h} {m m} {l l}]"},
		{"no simulcast line", rids("l", "h"), "[{l l} {h h}]"},
		{"alternatives and paused", rids("1", "2", "3") + "a=simulcast:send 1,~2;~3\n", "[{1 1} {2 2} {3 3}]"},
		{"both directions", rids("1", "2") + "a=simulcast:recv 9 send 1;2\n", "[{1 1} {2 2}]"},
		{"old draft", rids("1", "2") + "a=simulcast: send rid=1;2\n", "[{1 1} {2 2}]"},
		{"restrictions", "a=rid:1 send pt=96;max-width=640\na=rid:2 send\na=simulcast:send 1;2\n", "[{1 1} {2 2}]"},
		{"for receiving", "a=rid:1 recv\na=simulcast:recv 1\n", "[]"},
		{"unknown rid", rids("1") + "a=simulcast:send 1;9\n", "[{1 1}]"},
		{"only unknown rids", rids("1") + "a=simulcast:send 8;9\n", "[]"},
		{"rid without a place", rids("1", "2") + "a=simulcast:send 1\n", "[{1 1}]"},
		{"rid twice", rids("1", "1") + "a=simulcast:send 1;1\n", "[{1 1}]"},
		{"rid with a blank", "a=rid:a b send\na=rid:c send\n", "[{c c}]"},
		{"rid of no characters", "a=rid: send\na=rid:c send\n", "[{c c}]"},
		{"more than four", rids("1", "2", "3", "4", "5"), "[{1 1} {2 2} {3 3} {4 4}]"},
		{"capitals", rids("Hi", "LO"), "[{Hi hi} {LO lo}]"},
		{"alike but for case", rids("a", "A"), "[{a a} {A layer2}]"},
		{"main twice", rids("Main", "main"), "[{Main main} {main layer2}]"},
		{"not a name", rids("_a", "b~c", "0123456789abcdefg"), "[{_a layer1} {b~c layer2} {0123456789abcdefg layer3}]"},
		{"taken name", rids("layer2", "*"), "[{layer2 layer2} {* layer3}]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := mustParse(t, strings.ReplaceAll(plainOffer, "recvonly", "sendonly")+c.lines, RolePublish)
			if got := fmt.Sprint(o.Sections[1].Layers); got != c.want {
				t.Errorf("%s", got)
			}
			normal := o.Normalised()
			for _, l := range o.Sections[1].Layers {
				if !strings.Contains(normal, "a=rid:"+l.RID+" send\r\n") {
					t.Errorf("no rid %s for the library in\n%s", l.RID, normal)
				}
			}
			if strings.Contains(normal, "a=simulcast") != (c.want != "[]") || strings.Contains(normal, "~;") {
				t.Errorf("simulcast for the library:\n%s", normal)
			}
			if viewer := mustParse(t, plainOffer+c.lines, RolePlay); len(viewer.Sections[1].Layers) != 0 {
				t.Error("a viewer has layers")
			}
		})
	}
}

// Every stored offer of a publisher is taken.
func TestAcceptFixtures(t *testing.T) {
	want := map[string]string{
		"aiortc-whip-h264": "opus h264", "aiortc-whip-vp8": "opus vp8", "chrome-publish-simulcast": "opus h264", "chromium-multiopus": "opus vp8",
		"chromium156-whip-av1": "opus av1", "chromium156-whip-h264": "opus h264", "chromium156-whip-vp8": "opus vp8", "chromium156-whip-vp9": "opus vp9",
		"ffmpeg-git-active": "opus h264", "ffmpeg8-active": "opus h264", "ffmpeg8-av": "opus h264", "ffmpeg8-badlevel": "opus h264", "ffmpeg8-mono": "opus h264",
		"ffmpeg8-video": "h264", "ffmpeg9-whip": "opus h264", "firefox153-whip-h264": "opus h264", "firefox153-whip-vp8": "opus vp8",
		"gst-whipclientsink": "vp8 opus", "larix-whip": "h264 opus", "libdatachannel-av1": "opus av1", "obs-32.2.2": "opus h264",
		"obs-32.2.2-simulcast2": "opus h264", "obs30": "opus h264", "pion-whip": "vp8 opus",
	}
	got := map[string]string{}
	for name, text := range publisherFixtures(t) {
		plan, err := Accept(mustParse(t, text, RolePublish), Wish{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var codecs []string
		for _, c := range plan.Sections {
			codecs = append(codecs, string(c.Track.Codec))
		}
		got[name] = strings.Join(codecs, " ")
	}
	if !maps.Equal(got, want) {
		for _, name := range slices.Sorted(maps.Keys(got)) {
			t.Logf("%s: %s", name, got[name])
		}
		t.Error("the table differs")
	}
}
