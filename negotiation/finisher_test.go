package negotiation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"

	"sluice/media"
)

// libraryAnswer is what pion writes for an offer whose first sections have the given mids, kinds and formats.
func libraryAnswer(offer *Offer, plan *Plan, candidates ...string) string {
	w := &writer{}
	w.line("v=0\r\no=- 7 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=msid-semantic:WMS*")
	w.line("a=fingerprint:sha-256 " + hash256)
	w.line("a=extmap-allow-mixed\r\na=group:BUNDLE all of them")
	for i := range offer.Sections {
		s := &offer.Sections[i]
		c, _ := plan.Choice(s.MID)
		if c.Action == Disabled {
			continue
		}
		w.mline(s.Media, 9, "UDP/TLS/RTP/SAVPF", []Format{c.Format})
		w.line("a=setup:passive\r\na=mid:" + s.MID + "\r\na=ice-ufrag:lib1\r\na=ice-pwd:libPwd0123456789012345\r\na=rtcp-mux\r\na=rtcp-rsize")
		f := c.Format
		f.Feedback = []string{"nack", "nack", "nack pli", "ccm fir", "x-own"}
		w.format(&f)
		w.line("a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:200 urn:ietf:params:rtp-hdrext:sdes:mid")
		if c.Action == Unused {
			w.line("a=inactive")
		} else {
			w.line("a=ssrc:5 cname:x\r\na=ssrc:5 msid:own-" + s.MID + " track-" + s.MID + "\r\na=ssrc:5 mslabel:x")
			w.line("a=msid:own-" + s.MID + " track-" + s.MID + "\r\na=sendrecv")
		}
		for _, cand := range candidates {
			w.attr("candidate", cand)
			w.attr("candidate", strings.Replace(cand, " 1 ", " 2 ", 1))
		}
		w.line("a=end-of-candidates")
	}
	return w.String()
}

var libraryCandidates = []string{
	"1 1 udp 99 198.51.100.7 40000 typ relay raddr 0.0.0.0 rport 0",
	"2 1 udp 2130706431 127.0.0.1 8189 typ host",
	"3 1 tcp 1671430143 192.0.2.5 8189 typ host tcptype passive",
	"4 1 udp 2130706431 2001:db8::5 8189 typ host",
	"5 1 udp 1694498815 203.0.113.5 8189 typ srflx raddr 0.0.0.0 rport 0",
	"6 1 udp 2130706431 192.0.2.5 8189 typ host",
	"6 1 udp 2130706431 192.0.2.5 8189 typ host",
	"7 1 tcp 1671430143 192.0.2.5 9 typ host tcptype active",
}

// finished decides and answers an offer for a camera of H264 and Opus.
func finished(t *testing.T, offer *Offer, o AnswerOptions, source ...media.Track) string {
	t.Helper()
	if source == nil {
		source = []media.Track{h264("42e01f"), sound(media.Opus, 48000, 2), video(media.VP8, 0, 0, 0)}
	}
	plan, err := Decide(source, offer, Policy{}, Capacity{})
	if err != nil {
		t.Fatal(err)
	}
	o.Plan = plan
	answer, err := FinishAnswer(libraryAnswer(offer, plan, libraryCandidates...), offer, o)
	if err != nil {
		t.Fatal(err)
	}
	checkAnswer(t, answer, offer)
	return answer
}

// checkAnswer holds what is true of every answer to a viewer. A25, A51, A52, A54, B1.
func checkAnswer(t *testing.T, answer string, offer *Offer) {
	t.Helper()
	var d sdp.SessionDescription
	if err := d.UnmarshalString(answer); err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
	if len(d.MediaDescriptions) != len(offer.Sections) {
		t.Fatalf("%d sections for %d", len(d.MediaDescriptions), len(offer.Sections))
	}
	if !strings.HasPrefix(answer, "v=0\r\n") || strings.Count(answer, "\n") != strings.Count(answer, "\r\n") || len(answer) > maxAnswerSize {
		t.Errorf("form of the answer: %q", answer)
	}
	for i, m := range d.MediaDescriptions {
		s := offer.Sections[i]
		if m.MediaName.Media != s.Media || strings.Join(m.MediaName.Protos, "/") != s.Proto {
			t.Errorf("section %d is %v", i, m.MediaName)
		}
		for _, pt := range m.MediaName.Formats {
			if !slices.Contains(strings.Fields(s.formats), pt) {
				t.Errorf("payload type %s was not offered", pt)
			}
		}
		_, mux := m.Attribute("rtcp-mux")
		_, only := m.Attribute("rtcp-mux-only")
		if live := m.MediaName.Port.Value != 0; live != mux || live != only {
			t.Errorf("section %d: rtcp-mux %v, rtcp-mux-only %v", i, mux, only)
		}
	}
	if strings.Count(answer, "a=end-of-candidates\r\n") != 1 {
		t.Error("end-of-candidates does not stand once")
	}
}

func lines(answer, prefix string) []string {
	return slices.DeleteFunc(strings.Split(answer, "\r\n"), func(line string) bool { return !strings.HasPrefix(line, prefix) })
}

// A50 to A57, A60, B1, B8, B9: answers to the offers of real viewers.
func TestFinishAnswerFixtures(t *testing.T) {
	for name, text := range viewerFixtures(t) {
		t.Run(name, func(t *testing.T) {
			offer := mustParse(t, text, RolePlay)
			source := []media.Track{h264("42e01f"), sound(media.Opus, 48000, 2)}
			if _, err := Decide(source, offer, Policy{}, Capacity{}); err != nil {
				source[0] = video(offer.Sections[len(offer.Sections)-1].Formats[0].Codec, 0, 0, 0)
				if first := offer.Sections[0]; first.Kind == media.Video {
					source[0] = video(first.Formats[0].Codec, 0, 0, 0)
				}
			}
			golden(t, "testdata/answers/"+name+".sdp", finished(t, offer, AnswerOptions{StreamID: "cam"}, source...))
		})
	}
}

// A52, A53, A54
func TestFinishAnswerCandidates(t *testing.T) {
	offer := mustParse(t, plainOffer, RolePlay)
	for loopback, want := range map[bool]string{false: "6 4 3 5 1 2", true: "2 6 4 3 5 1"} {
		answer := finished(t, offer, AnswerOptions{Loopback: loopback})
		var got []string
		for _, line := range lines(answer, "a=candidate:") {
			got = append(got, strings.Fields(strings.TrimPrefix(line, "a=candidate:"))[0])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("loopback %v: %v", loopback, got)
		}
		if first, _, _ := strings.Cut(answer, "m=audio"); strings.Count(first, "a=candidate") != 6 {
			t.Error("the candidates are not in the first section")
		}
	}
}

func TestFinishAnswerSections(t *testing.T) {
	data := plainOffer + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:d\n"
	picture, both := []media.Track{h264("42e01f")}, []media.Track{h264("42e01f"), sound(media.Opus, 48000, 2)}
	for _, c := range []struct {
		name, offer string
		source      []media.Track
		options     AnswerOptions
		has, lacks  []string
	}{
		{"plain", plainOffer, both, AnswerOptions{}, []string{ // A50, A51, A52, A57, B1
			"a=group:BUNDLE v a\r\n", "a=ice-options:trickle ice2\r\n", "a=rtcp-fb:96 nack\r\n", "a=sendonly\r\n", "a=setup:passive\r\n", "a=extmap:1 urn",
		}, []string{"x-own", "nack pli", "ccm fir", "sendrecv", "extmap:200", "mslabel", "a=rtcp-rsize", "ice-lite"}},
		{"own stream", plainOffer, both, AnswerOptions{}, []string{ // B8
			"a=msid:own-v track-v\r\n", "a=msid:own-v track-a\r\n", "a=ssrc:5 msid:own-v track-a\r\n", "a=ssrc:5 cname:x\r\n",
		}, []string{"own-a"}},
		{"given stream", plainOffer, both, AnswerOptions{StreamID: "cam"}, []string{"a=msid:cam track-v\r\n", "a=msid:cam track-a\r\n"}, []string{"own-"}},   // B8
		{"rtcp-rsize", replaced(t, "a=rtcp-mux\n", "a=rtcp-mux\na=rtcp-rsize\n"), both, AnswerOptions{}, []string{"a=rtcp-rsize\r\n"}, nil},                  // A60
		{"section off", replaced(t, "audio 9", "audio 0"), both, AnswerOptions{}, []string{"BUNDLE v\r\n", "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\n"}, nil},      // A41
		{"section off without mid", replaced(t, "audio 9", "audio 0", "a=mid:a\n", ""), both, AnswerOptions{}, []string{"m=audio 0 "}, []string{"mid:\r\n"}}, // A41
		{"data channel", data, both, AnswerOptions{}, []string{"m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n", "BUNDLE v a\r\n"}, nil},               // A43
		{"no sound", plainOffer, picture, AnswerOptions{}, []string{"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "a=inactive\r\n", "BUNDLE v a\r\n"}, nil},         // B18
		{"no sound, rejected", plainOffer, picture, AnswerOptions{Unused: UnusedRejected}, []string{"m=audio 0 ", "BUNDLE v\r\n"}, nil},                      // B18
		{"no picture", plainOffer, both[1:], AnswerOptions{}, []string{"m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "a=inactive\r\n"}, nil},                         // B18
		{"no picture, rejected", plainOffer, both[1:], AnswerOptions{Unused: UnusedRejected}, []string{"m=video 0 ", "BUNDLE a\r\n"}, nil},                   // B18
		{"no group offered", strings.Replace(plainOffer[:strings.Index(plainOffer, "m=audio")], "a=group:BUNDLE v a\n", "", 1), picture, AnswerOptions{}, nil, []string{"a=group"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := finished(t, mustParse(t, c.offer, RolePlay), c.options, c.source...)
			for _, want := range c.has {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
			for _, not := range c.lacks {
				if strings.Contains(got, not) {
					t.Errorf("%q in\n%s", not, got)
				}
			}
		})
	}
}

// A50, A58: a publisher is answered recvonly, with all its layers, even if the library has another view of them.
func TestFinishAnswerPublisher(t *testing.T) {
	offer := mustParse(t, fixtures(t)["obs-32.2.2-simulcast2"], RolePublish)
	plan := &Plan{}
	for _, s := range offer.Sections {
		plan.Sections = append(plan.Sections, Choice{MID: s.MID, Action: Passthrough, Format: s.Formats[0]})
	}
	library := libraryAnswer(offer, plan, libraryCandidates...) + "a=rid:0 recv pt=96\r\na=simulcast:recv 0\r\n"
	answer, err := FinishAnswer(library, offer, AnswerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	checkAnswer(t, answer, offer)
	if strings.Count(answer, "a=recvonly\r\n") != 2 || !strings.Contains(answer, "a=rid:0 recv\r\na=rid:1 recv\r\na=simulcast:recv 0;1\r\n") {
		t.Error(answer)
	}
}

// A58: OBS gives up unless the simulcast line of the answer has as many semicolons as its own, up to four layers.
func TestFinishAnswerLayersOfOBS(t *testing.T) {
	text := fixtures(t)["obs-32.2.2-simulcast2"]
	for sent, received := range map[string]string{"0;1;2": "a=simulcast:recv 0;1;2\r\n", "0;1;2;3": "a=simulcast:recv 0;1;2;3\r\n"} {
		more := "a=rid:" + strings.ReplaceAll(strings.TrimPrefix(sent, "0;1;"), ";", " send\na=rid:") + " send\na=simulcast:send "
		changed := strings.Replace(text, "a=simulcast:send 0;1", more+sent, 1)
		offer := mustParse(t, changed, RolePublish)
		plan, err := Accept(offer, Wish{})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := FinishAnswer(libraryAnswer(offer, plan, libraryCandidates...), offer, AnswerOptions{Plan: plan})
		if err != nil || !strings.Contains(answer, received) || len(answer) > maxAnswerSize {
			t.Errorf("%s: %v\n%s", sent, err, answer)
		}
	}
}

// A25: candidates at the end of the list give way.
func TestFinishAnswerSize(t *testing.T) {
	offer := mustParse(t, plainOffer, RolePlay)
	plan, _ := Decide([]media.Track{h264("42e01f")}, offer, Policy{}, Capacity{})
	var many []string
	for i := range 200 {
		many = append(many, fmt.Sprintf("%d 1 udp %d 192.0.2.5 %d typ host", i, 1000-i, 2000+i))
	}
	answer, err := FinishAnswer(libraryAnswer(offer, plan, many...), offer, AnswerOptions{Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	checkAnswer(t, answer, offer)
	if got := lines(answer, "a=candidate"); len(got) < 50 || got[0] != "a=candidate:"+many[0] {
		t.Errorf("%d candidates, the first %s", len(got), got[0])
	}
	var invalid *InvalidAnswerError
	long := strings.Replace(libraryAnswer(offer, plan, many...), "a=fingerprint:sha-256 ", "a=fingerprint:sha-256 "+strings.Repeat("0", maxAnswerSize), 1)
	if _, err := FinishAnswer(long, offer, AnswerOptions{Plan: plan}); !errors.As(err, &invalid) {
		t.Errorf("%v", err)
	}
}

// A25, J50: a publisher's parameter sets do not come back, and all that may be repeated leaves room for candidates.
func TestFinishAnswerSizePublisher(t *testing.T) {
	long := "x=" + strings.Repeat("y", maxFMTP-len("packetization-mode=1;profile-level-id=42e01f;x="))
	text := strings.ReplaceAll(replaced(t, "42e01f", "42e01f;"+long+";sprop-parameter-sets="+strings.Repeat("A", maxSprop), "opus/48000/2\n", "opus/48000/2\na=fmtp:111 "+long+"\n"), "recvonly", "sendonly")
	offer := mustParse(t, text, RolePublish)
	plan, err := Accept(offer, Wish{})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := FinishAnswer(libraryAnswer(offer, plan, slices.Repeat(libraryCandidates, 20)...), offer, AnswerOptions{Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	checkAnswer(t, answer, offer)
	if strings.Contains(answer, "sprop") || len(lines(answer, "a=candidate:")) != 6 {
		t.Errorf("%s", answer)
	}
}

// A42: a library that does not accept what the plan has is no answer.
func TestFinishAnswerFaults(t *testing.T) {
	offer := mustParse(t, plainOffer, RolePlay)
	plan, err := Decide([]media.Track{h264("42e01f"), sound(media.Opus, 48000, 2)}, offer, Policy{}, Capacity{})
	if err != nil {
		t.Fatal(err)
	}
	library := libraryAnswer(offer, plan)
	rejected := new(*RejectedSectionError)
	invalid := new(*InvalidAnswerError)
	for _, c := range []struct {
		name, answer string
		want         any
	}{
		{"port 0", strings.Replace(library, "m=audio 9", "m=audio 0", 1), rejected},
		{"section absent", library[:strings.Index(library, "m=audio")], rejected},
		{"other payload type", strings.Replace(library, "SAVPF 96", "SAVPF 98", 1), rejected},
		{"payload type not offered", strings.Replace(library, "SAVPF 96", "SAVPF 100", 1), rejected},
		{"no SDP", "hello", invalid},
		{"empty", "", invalid},
		{"no ufrag", strings.ReplaceAll(library, "a=ice-ufrag:lib1\r\n", ""), invalid},
		{"no fingerprint", strings.ReplaceAll(library, "a=fingerprint:", "a=x:"), invalid},
		{"no setup", strings.ReplaceAll(library, "a=setup:passive\r\n", ""), invalid},
	} {
		if _, err := FinishAnswer(c.answer, offer, AnswerOptions{Plan: plan}); !errors.As(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
