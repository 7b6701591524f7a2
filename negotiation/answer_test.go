package negotiation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/media"
)

// ourOffer is an offer of ours in one direction, plainOffer with nothing else changed.
func ourOffer(direction Direction) string {
	return strings.ReplaceAll(plainOffer, "a=recvonly", "a="+string(direction))
}

// plainAnswer accepts what ourOffer(SendOnly) has, with nothing unusual in it.
const plainAnswer = `v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE v a
a=fingerprint:sha-256 43:92:CB:0B:DE:3B:F5:7F:82:24:86:1A:DD:3F:8F:79:DE:E7:84:DC:6C:F5:37:A0:32:17:92:D4:7D:42:CF:90
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=mid:v
a=recvonly
a=setup:passive
a=ice-ufrag:wxyz
a=ice-pwd:abcdefghijklmnopqrstuv
a=rtcp-mux
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1;profile-level-id=42001f
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host
a=candidate:2 1 udp 2130706430 127.0.0.1 5000 typ host
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:a
a=recvonly
a=setup:passive
a=ice-ufrag:wxyz
a=ice-pwd:abcdefghijklmnopqrstuv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
`

// answered changes the plain answer in some places and fails if there are no such places.
func answered(t testing.TB, pairs ...string) string {
	t.Helper()
	sdp := plainAnswer
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(sdp, pairs[i]) {
			t.Fatalf("the answer has no %q", pairs[i])
		}
		sdp = strings.Replace(sdp, pairs[i], pairs[i+1], 1)
	}
	return sdp
}

func mustParseAnswer(t testing.TB, answer, offer string) *Answer {
	t.Helper()
	a, err := ParseAnswer(answer, offer)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// C9: what is accepted of an answer, and what is said of the others.
func TestParseAnswerRules(t *testing.T) {
	sub := func(pairs ...string) string { return answered(t, pairs...) }
	video := plainAnswer[:strings.Index(plainAnswer, "m=audio")]
	audio := plainAnswer[strings.Index(plainAnswer, "m=audio"):]
	tagOnly := strings.NewReplacer("a=setup:passive\n", "", "a=ice-ufrag:wxyz\n", "", "a=ice-pwd:abcdefghijklmnopqrstuv\n", "", "a=rtcp-mux\n", "").Replace(audio)
	for _, c := range []struct {
		name, sdp string
		want      string // in the error's text; "" if it is accepted
	}{
		{"plain", plainAnswer, ""}, // D42, D43: no rtcp-mux-only, no end-of-candidates
		{"CRLF", strings.ReplaceAll(plainAnswer, "\n", "\r\n"), ""},
		{"sendrecv", strings.ReplaceAll(plainAnswer, "recvonly", "sendrecv"), ""},
		{"no direction", strings.ReplaceAll(plainAnswer, "a=recvonly\n", ""), ""},
		{"sendonly", sub("a=recvonly", "a=sendonly"), `section "v" of the answer cannot be used: it is sendonly, in answer to sendonly`},
		{"inactive", sub("a=recvonly", "a=inactive"), `section "v" of the answer cannot be used: it is answered inactive`},
		{"port 0", sub("audio 9", "audio 0"), `section "a" of the answer cannot be used: it is refused with port 0`},
		{"section missing", video, "has 1 sections; 2 were offered"},
		{"section more", plainAnswer + "m=application 0 x y\n", "has 3 sections; 2 were offered"},
		{"other order", plainAnswer[:strings.Index(plainAnswer, "m=")] + audio + video[strings.Index(video, "m="):], `it is "audio"; video was offered`},
		{"other mid", sub("mid:a", "mid:b"), `section "a" of the answer cannot be used: its mid is "b"`},
		{"two mids", sub("mid:a", "mid:a\na=mid:b"), "line 25 of the answer is malformed"},
		{"no mids", sub("a=mid:a\n", "", "a=mid:v\n", ""), ""}, // D43
		{"md5", sub("sha-256 "+hash256, "md5 "+hash256[:47]), "md5"},
		{"no fingerprint", sub("a=fingerprint:sha-256 "+hash256+"\n", ""), "no fingerprint"},
		{"sha-384", sub("sha-256 "+hash256, "sha-384 "+hash256+":"+hash256[:47]), ""},
		{"two certificates", sub("a=mid:a", "a=mid:a\na=fingerprint:sha-256 "+strings.Replace(hash256, "43", "44", 1)), "contradict"},
		{"actpass", strings.ReplaceAll(plainAnswer, "setup:passive", "setup:actpass"), "active or passive is required"},
		{"active", strings.ReplaceAll(plainAnswer, "setup:passive", "setup:active"), ""},
		{"no setup", strings.ReplaceAll(plainAnswer, "a=setup:passive\n", ""), "active or passive is required"},
		{"no rtcp-mux", sub("a=rtcp-mux\n", ""), "no rtcp-mux"},
		{"other transport", sub("ufrag:wxyz", "ufrag:zyxw"), "transport of its own"},
		{"other DTLS role", sub("setup:passive", "setup:active"), "transport of its own"},
		{"transport in the first section only", video + tagOnly, ""}, // RFC 9143 7.1.3
		{"transport with two fingerprints in the first section only", strings.Replace(video, "a=fingerprint:sha-256 "+hash256+"\n", "", 1) +
			"a=fingerprint:sha-1 " + hash256[:59] + "\na=fingerprint:sha-256 " + hash256 + "\n" + tagOnly, ""},
		{"no group", sub("a=group:BUNDLE v a\n", ""), ""}, // D43
		{"user fragment of ZLMediaKit", strings.ReplaceAll(plainAnswer, "ufrag:wxyz", "ufrag:zlm_1"), ""},
		{"user fragment with a blank", strings.ReplaceAll(plainAnswer, "ufrag:wxyz", "ufrag:wx yz"), "may hold letters"},
		{"short password", sub("pwd:abcdefghijklmnopqrstuv", "pwd:abc"), "line 13 of the answer is malformed: the ice-pwd has 3 characters"},
		{"payload types not offered", sub("SAVPF 111", "SAVPF 110", "rtpmap:111", "rtpmap:110"), "no payload type with a codec that was offered"},
		{"payload type of another codec", sub("111 opus/48000/2", "111 PCMU/8000"), "no payload type with a codec that was offered"},
		{"RTX alone", sub("SAVPF 96 97", "SAVPF 97", "a=rtpmap:96 H264/90000\n", ""), "no payload type with a codec that was offered"},
		{"a payload type more", sub("SAVPF 111", "SAVPF 111 0"), ""},
		{"no parameters", sub("a=fmtp:96 packetization-mode=1;profile-level-id=42001f\n", ""), ""},
		{"other protocol", sub("audio 9 UDP/TLS/RTP/SAVPF", "audio 9 RTP/AVP"), "its protocol is"},
		{"garbage in front", "\n" + plainAnswer, "line 1 of the answer is malformed"},
		{"text in front", "OK\n" + plainAnswer, "line 1 of the answer is malformed"},
		{"nothing", "", "the answer is malformed"},
		{"HTML", "<html></html>", "line 1 of the answer is malformed"},
		{"128 KiB", plainAnswer + strings.Repeat("a", MaxAnswerSize-len(plainAnswer)), "x=value"},
		{"more than 128 KiB", plainAnswer + strings.Repeat("a", MaxAnswerSize-len(plainAnswer)+1), "131073 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := checkParsedAnswer(t, c.sdp, ourOffer(SendOnly))
			_, err := ParseAnswer(c.sdp, ourOffer(SendOnly))
			if (c.want == "") != (a != nil) || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; the text should have %q", err, c.want)
			}
		})
	}
}

// C9: who is refused a section is told of what kind it is, and not of one that is wrong otherwise.
func TestParseAnswerRefusedKind(t *testing.T) {
	for text, want := range map[string]media.Kind{
		answered(t, "audio 9", "audio 0"):              media.Audio,
		answered(t, "a=recvonly", "a=inactive"):        media.Video,
		answered(t, "a=recvonly", "a=sendonly"):        "",
		answered(t, "setup:passive", "setup:holdconn"): "",
	} {
		var unusable *UnusableAnswerError
		if _, err := ParseAnswer(text, ourOffer(SendOnly)); !errors.As(err, &unusable) || unusable.RefusedKind() != want {
			t.Errorf("%v, want a refusal of %q", err, want)
		}
	}
}

// C9: when we only receive, one section is enough.
func TestParseAnswerPull(t *testing.T) {
	plain := strings.ReplaceAll(plainAnswer, "recvonly", "sendonly")
	sub := func(pairs ...string) string {
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(plain, pairs[i]) {
				t.Fatalf("no %q", pairs[i])
			}
		}
		return strings.NewReplacer(pairs...).Replace(plain)
	}
	for _, c := range []struct {
		name, sdp string
		accepted  string // mids; "" if it can't be used
		want      string // in the error's text
	}{
		{"plain", plain, "v a", ""},
		{"sendrecv", strings.ReplaceAll(plain, "sendonly", "sendrecv"), "v a", ""},
		{"recvonly", plainAnswer, "", "it is recvonly, in answer to recvonly"},
		{"no sound", sub("m=audio 9", "m=audio 0"), "v", ""},
		{"no picture", sub("m=video 9", "m=video 0"), "a", ""},
		{"picture inactive", strings.Replace(plain, "sendonly", "inactive", 1), "a", ""},
		{"nothing", sub("m=audio 9", "m=audio 0", "m=video 9", "m=video 0"), "", "refused with port 0"},
		{"all inactive", strings.ReplaceAll(plain, "sendonly", "inactive"), "", "answered inactive"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := checkParsedAnswer(t, c.sdp, ourOffer(RecvOnly))
			if a == nil {
				_, err := ParseAnswer(c.sdp, ourOffer(RecvOnly))
				var unusable *UnusableAnswerError
				if c.accepted != "" || !errors.As(err, &unusable) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v", err)
				}
				return
			}
			if got := strings.Join(a.accepted(), " "); got != c.accepted {
				t.Errorf("accepted %q", got)
			}
			if text := a.Normalised(); !strings.Contains(text, "a=group:BUNDLE "+c.accepted+"\r\n") || strings.Count(text, "\r\nm=") != 2 {
				t.Errorf("%s", text)
			}
		})
	}
}

// checkParsedAnswer holds what must be true of any text: an error of the two kinds, or an answer whose normal form is
// an answer with the same meaning. It returns nil for an error.
func checkParsedAnswer(t *testing.T, answer, offer string) *Answer {
	t.Helper()
	a, err := ParseAnswer(answer, offer)
	if err != nil {
		var m *MalformedAnswerError
		var u *UnusableAnswerError
		if !errors.As(err, &m) && !errors.As(err, &u) || !printable(strings.ReplaceAll(err.Error(), "…", "")) {
			t.Errorf("error %T %q", err, err)
		}
		return nil
	}
	normal := a.Normalised()
	again, err := ParseAnswer(normal, offer)
	if err != nil {
		t.Fatalf("the normal form fails: %v\n%s", err, normal)
	}
	if twice := again.Normalised(); twice != normal {
		t.Fatalf("the normal form changes:\n%s\n%s", normal, twice)
	}
	return a
}

// C9, D42, D43: what the caller needs to know of an answer.
func TestParseAnswerReads(t *testing.T) {
	sdp := answered(t, "s=-\n", "s=-\na=ice-lite\n") + "a=candidate:3 1 udp 1 192.0.2.2 5000 typ host\na=end-of-candidates\n"
	a := mustParseAnswer(t, sdp, ourOffer(SendOnly))
	if a.ICEUfrag != "wxyz" || a.ICEPwd != "abcdefghijklmnopqrstuv" || a.Setup != "passive" || !a.ICELite || !a.EndOfCandidates || len(a.Candidates) != 3 {
		t.Errorf("%+v", a)
	}
	s, ok := a.Section("v")
	if !ok || s.Formats[0].RTX != 97 || s.Formats[0].param("profile-level-id") != "42001f" || s.Formats[0].FMTP != "packetization-mode=1;profile-level-id=42e01f" {
		t.Errorf("%+v", s)
	}
	if _, ok := a.Section("z"); ok {
		t.Error("a section that is not there")
	}
	normal := a.Normalised()
	for _, line := range []string{"a=ice-lite", "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f", "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host", "a=setup:passive"} {
		if !strings.Contains(normal, line+"\r\n") {
			t.Errorf("no %s in\n%s", line, normal)
		}
	}
	if strings.Contains(normal, "127.0.0.1 5000") || !strings.Contains(a.NormalisedWith(CandidatePolicy{Loopback: true}), "127.0.0.1 5000") { // I22
		t.Errorf("loopback:\n%s", normal)
	}
	f := Fragment{Candidates: []FragmentCandidate{{MID: "a", Value: "1 x"}, {MID: "z", Value: "2 x"}, {Value: "3 x"}}}
	if got := a.CandidatesOf(&f); !slices.Equal(got, []string{"1 x", "3 x"}) {
		t.Errorf("%q", got)
	}
}

// C9: an extension or a simulcast layer that was not offered is not there.
func TestParseAnswerForeignLines(t *testing.T) {
	a := mustParseAnswer(t, plainAnswer+"a=extmap:1 urn:x\na=extmap:2 urn:ietf:params:rtp-hdrext:sdes:mid\na=rid:1 send\n", ourOffer(SendOnly))
	if s, _ := a.Section("a"); len(s.extMaps) != 0 || len(s.RIDs) != 0 {
		t.Errorf("%+v", s)
	}
	if s, _ := a.Section("v"); fmt.Sprint(s.extMaps) != "[1 urn:ietf:params:rtp-hdrext:sdes:mid]" {
		t.Errorf("%+v", s)
	}
}

func TestParseAnswerToNoOffer(t *testing.T) {
	for _, offer := range []string{"hello", "v=0\no=- 1 1\n", plainOffer + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:d\n"} {
		var invalid *InvalidOfferError
		if _, err := ParseAnswer(plainAnswer, offer); !errors.As(err, &invalid) {
			t.Error(err)
		}
	}
}

// C7: candidates stand in the first section of the group, even if nothing is sent in that one.
func TestParseAnswerInactiveFirst(t *testing.T) {
	answer := strings.Replace(strings.ReplaceAll(plainAnswer, "a=recvonly", "a=sendonly"), "a=sendonly", "a=inactive", 1)
	a := mustParseAnswer(t, answer, ourOffer(RecvOnly))
	if len(a.Candidates) != 2 || strings.Count(a.Normalised(), "a=candidate:") != 1 {
		t.Errorf("%v in\n%s", a.Candidates, a.Normalised())
	}
	if other := mustParseAnswer(t, strings.Replace(answer, "a=ice-ufrag:wxyz", "a=ice-ufrag:other", 1), ourOffer(RecvOnly)); len(other.Candidates) != 0 {
		t.Errorf("%v are of another transport", other.Candidates)
	}
}
