package negotiation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"sluice/media"
)

// ourPlan is what our own offers have: one payload for picture and sound.
var ourPlan = &Plan{Sections: []Choice{
	{MID: "0", Kind: media.Video, Action: Passthrough, Format: Format{
		PayloadType: 102, RTX: 103, Codec: media.H264, Name: "H264", ClockRate: 90000, FMTP: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
	}},
	{MID: "1", Kind: media.Audio, Action: Passthrough, Format: Format{
		PayloadType: 111, Codec: media.Opus, Name: "opus", ClockRate: 48000, Channels: 2, FMTP: "minptime=10;useinbandfec=1",
	}},
}}

// offerer is pion about to offer what our plan has.
func offerer(t *testing.T, direction Direction, certificate webrtc.Certificate) *webrtc.PeerConnection {
	t.Helper()
	pc := pionPeer(t, pionEngine(t, ourPlan), certificate)
	t.Cleanup(func() { closePeer(t, pc) })
	if direction == SendOnly {
		addTracks(t, pc, ourPlan)
		return pc
	}
	for _, c := range ourPlan.Sections {
		_, err := pc.AddTransceiverFromKind(webrtc.NewRTPCodecType(string(c.Kind)), webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		if err != nil {
			t.Fatal(err)
		}
	}
	return pc
}

func createOffer(t *testing.T, pc *webrtc.PeerConnection, restart bool) webrtc.SessionDescription {
	t.Helper()
	offer, err := pc.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err != nil {
		t.Fatal(err)
	}
	return offer
}

func mustFinishOffer(t *testing.T, library string, o OfferOptions) string {
	t.Helper()
	text, err := FinishOffer(library, o)
	if err != nil {
		t.Fatalf("%v\n%s", err, library)
	}
	return text
}

// C5: what each section of an offer of ours has.
func TestFinishOffer(t *testing.T) {
	certificate := newCertificate(t)
	for _, direction := range []Direction{SendOnly, RecvOnly} {
		library := createOffer(t, offerer(t, direction, certificate), false).SDP
		candidates := []string{
			"1 2 udp 2130706431 192.0.2.5 8189 typ host", "1 1 udp 2130706431 192.0.2.5 8189 typ host",
			"1 1 udp 2130706431 192.0.2.5 8189 typ host", "2 1 udp 1 198.51.100.1 8189 typ srflx",
		}
		text := mustFinishOffer(t, library, OfferOptions{Candidates: candidates, StreamID: "cam", Complete: true})
		role := map[Direction]Role{SendOnly: RolePublish, RecvOnly: RolePlay}[direction]
		offer := mustParse(t, text, role)
		if !offer.Trickle || !strings.HasPrefix(text, "v=0\r\n") || !strings.Contains(text, "\r\na=group:BUNDLE 0 1\r\n") ||
			!strings.Contains(text, "\r\na=ice-options:trickle ice2\r\n") || !strings.Contains(text, "\r\na=extmap-allow-mixed\r\n") {
			t.Errorf("%s", text)
		}
		if got := lines(text, "a=candidate:"); fmt.Sprint(got) != "[a=candidate:"+candidates[1]+" a=candidate:"+candidates[3]+"]" { // A54
			t.Errorf("candidates %q", got)
		}
		for i, section := range strings.Split(text, "\r\nm=")[1:] {
			want := []string{"a=setup:actpass", "a=rtcp-mux", "a=rtcp-mux-only", "a=rtcp-rsize", "a=" + string(direction)}
			if direction == SendOnly {
				want = append(want, "a=msid:cam "+string(ourPlan.Sections[i].Kind))
			}
			for _, line := range want {
				if got := lines(section, line); !slices.Contains(got, line) {
					t.Errorf("section %d: no %s in\n%s", i, line, section)
				}
			}
			if (strings.Contains(section, "a=candidate:") && strings.Contains(section, "a=end-of-candidates")) != (i == 0) {
				t.Errorf("section %d: candidates\n%s", i, section)
			}
			if strings.Contains(section, "video-orientation") {
				t.Errorf("section %d: unknown extension\n%s", i, section)
			}
		}
	}
}

// C6: with nothing to tell yet, there is no end of candidates, and pion's own are taken if none are given.
func TestFinishOfferCandidates(t *testing.T) {
	pc := offerer(t, SendOnly, newCertificate(t))
	gathered := applyLocal(t, pc, createOffer(t, pc, false))
	if bare := mustFinishOffer(t, gathered, OfferOptions{Candidates: []string{}}); strings.Contains(bare, "candidate") {
		t.Error(bare)
	}
	if own := mustFinishOffer(t, gathered, OfferOptions{Complete: true}); len(lines(own, "a=candidate:")) != 1 || strings.Count(own, "a=msid:stream ") != 2 {
		t.Error(own)
	}
}

func TestFinishOfferFaults(t *testing.T) {
	library := createOffer(t, offerer(t, SendOnly, newCertificate(t)), false).SDP
	for name, text := range map[string]string{
		"empty":          "",
		"no sections":    "v=0\r\no=- 1 1\r\n",
		"no mid":         strings.Replace(library, "a=mid:1\r\n", "", 1),
		"one mid twice":  strings.Replace(library, "a=mid:1\r\n", "a=mid:0\r\n", 1),
		"no ufrag":       strings.ReplaceAll(library, "a=ice-ufrag:", "a=x:"),
		"no fingerprint": strings.ReplaceAll(library, "a=fingerprint:", "a=x:"),
	} {
		var invalid *InvalidOfferError
		if _, err := FinishOffer(text, OfferOptions{}); !errors.As(err, &invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// C5, C7, C9, A73, A75: pion offers, pion answers, both restart ICE, and each side's texts go through our hands.
func TestOfferAndAnswerWithPion(t *testing.T) {
	certificate := newCertificate(t)
	for _, direction := range []Direction{SendOnly, RecvOnly} {
		t.Run(string(direction), func(t *testing.T) {
			ours := offerer(t, direction, certificate)
			text := mustFinishOffer(t, applyLocal(t, ours, createOffer(t, ours, false)), OfferOptions{Complete: true})
			theirs := pionPeer(t, pionEngine(t, ourPlan), certificate)
			t.Cleanup(func() { closePeer(t, theirs) })
			role, plan := RolePublish, ourPlan
			if direction == RecvOnly {
				role = RolePlay
				addTracks(t, theirs, ourPlan)
			}
			offer := mustParse(t, text, role)
			reply := mustFinishAnswer(t, pionAnswerTo(t, theirs, offer.NormalisedWith(CandidatePolicy{Loopback: true})), offer, plan)
			answer, err := ParseAnswer(reply, text)
			if err != nil {
				t.Fatal(err)
			}
			applyAnswer(t, ours, answer)

			asked := mustFragmentOf(t, mustFinishOffer(t, applyLocal(t, ours, createOffer(t, ours, true)), OfferOptions{}))
			if asked.ICEUfrag == offer.Sections[0].ICEUfrag || asked.MID != "0" || asked.Kind != media.Video || len(asked.Candidates) != 1 {
				t.Fatalf("%+v", asked)
			}
			again := offer.Restarted(mustParseFragment(t, asked.String()))
			renewed := mustFinishAnswer(t, pionAnswerTo(t, theirs, again.NormalisedWith(CandidatePolicy{Loopback: true})), again, plan)
			told := mustFragmentOf(t, renewed)
			if told.ICEUfrag == answer.ICEUfrag || !told.EndOfCandidates || len(told.Candidates) != 1 {
				t.Fatalf("%+v", told)
			}
			applyAnswer(t, ours, answer.Restarted(mustParseFragment(t, told.String())))
		})
	}
}

func mustFinishAnswer(t *testing.T, library string, offer *Offer, plan *Plan) string {
	t.Helper()
	answer, err := FinishAnswer(library, offer, AnswerOptions{Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func mustFragmentOf(t *testing.T, description string) *Fragment {
	t.Helper()
	f, err := FragmentOf(description)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func applyAnswer(t *testing.T, pc *webrtc.PeerConnection, a *Answer) {
	t.Helper()
	text := a.NormalisedWith(CandidatePolicy{Loopback: true})
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: text}); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if got := pc.RemoteDescription().SDP; strings.Count(got, "a=candidate:") != 1 || !strings.Contains(got, "a=ice-ufrag:"+a.ICEUfrag+"\r\n") {
		t.Errorf("%s", got)
	}
}
