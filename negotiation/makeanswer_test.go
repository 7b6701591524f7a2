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

// ownTransport is our side of a session that answers an offer with the given plan.
func ownTransport(plan *Plan) Transport {
	t := Transport{
		ICEUfrag: "own1", ICEPwd: "ownPwd0123456789012345", Fingerprint: "sha-256 " + hash256, Setup: "passive", ICELite: true,
		Candidates: libraryCandidates, Sources: map[string]Source{}, Extensions: []string{PlayoutDelay},
	}
	for i, c := range plan.Sections {
		if c.Action == Passthrough {
			ssrc := uint32(1000 * (i + 1))
			t.Sources[c.MID] = Source{SSRC: ssrc, RTX: ssrc + 1, CNAME: "cname", Track: string(c.Kind)}
		}
	}
	return t
}

// made decides and answers an offer for a camera of H264 and Opus without a library.
func made(t *testing.T, offer *Offer, o AnswerOptions, change func(*Transport), source ...media.Track) string {
	t.Helper()
	if source == nil {
		source = []media.Track{h264("42e01f"), sound(media.Opus, 48000, 2)}
	}
	plan, err := Decide(source, offer, Policy{}, Capacity{})
	if err != nil {
		t.Fatal(err)
	}
	o.Plan = plan
	own := ownTransport(plan)
	if change != nil {
		change(&own)
	}
	answer, err := MakeAnswer(offer, o, own)
	if err != nil {
		t.Fatal(err)
	}
	checkAnswer(t, answer, offer)
	return answer
}

// A50 to A57, A59, A60, B1, B8: answers without a library to the offers of real viewers, which a client that makes
// such offers can use.
func TestMakeAnswerFixtures(t *testing.T) {
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
			answer := made(t, offer, AnswerOptions{StreamID: "cam"}, nil, source...)
			golden(t, "testdata/made/"+name+".sdp", answer)
			checkUsable(t, answer, offer)
		})
	}
}

// checkUsable has our own client read an answer to what it would have offered in the viewer's place.
func checkUsable(t *testing.T, answer string, offer *Offer) {
	t.Helper()
	if offer.HasData() || slices.ContainsFunc(offer.Sections, func(s Section) bool { return !s.serves() }) {
		return // our client never offers such sections
	}
	parsed, err := ParseAnswer(answer, offer.Normalised())
	if err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
	if !parsed.ICELite || parsed.Setup != "passive" || parsed.ICEUfrag != "own1" || !parsed.EndOfCandidates || len(parsed.Candidates) != 6 {
		t.Errorf("read as %+v", parsed)
	}
}

func TestMakeAnswerSections(t *testing.T) {
	const delay = "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\na=extmap:5 " + PlayoutDelay + "\n"
	const mid = "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\n"
	picture := []media.Track{h264("42e01f")}
	for _, c := range []struct {
		name, offer string
		options     AnswerOptions
		change      func(*Transport)
		source      []media.Track
		has, lacks  []string
	}{
		{"plain", plainOffer, AnswerOptions{}, nil, nil, []string{ // A50, A51, A52, A56, A57, A59, B1
			"a=group:BUNDLE v a\r\n", "a=ice-lite\r\n", "a=ice-options:trickle ice2\r\n", "a=setup:passive\r\n", "a=sendonly\r\n",
			"m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n", "a=rtcp-fb:96 nack\r\n", "a=fmtp:97 apt=96\r\n", "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
		}, []string{"nack pli", "ccm fir", "sendrecv", "extmap", "a=rtcp-rsize", "VP8"}},
		{"sources", plainOffer, AnswerOptions{StreamID: "cam"}, nil, nil, []string{ // B8
			"a=ssrc-group:FID 1000 1001\r\na=ssrc:1000 cname:cname\r\na=ssrc:1000 msid:cam video\r\na=ssrc:1001 cname:cname\r\na=ssrc:1001 msid:cam video\r\na=msid:cam video\r\n",
			"a=ssrc:2000 cname:cname\r\na=ssrc:2000 msid:cam audio\r\na=msid:cam audio\r\n",
		}, []string{"a=ssrc:2001"}},
		{"one stream by its cname", plainOffer, AnswerOptions{}, nil, nil, []string{"a=msid:cname video\r\n", "a=msid:cname audio\r\n"}, nil}, // B8
		{"source without retransmissions", plainOffer, AnswerOptions{}, func(o *Transport) {
			o.Sources["v"] = Source{SSRC: 9, CNAME: "c"}
		}, nil, []string{"m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "a=msid:c -\r\n", "a=rtcp-fb:96 nack\r\n"}, []string{"rtx", "FID"}},
		{
			"viewer without retransmissions", replaced(t, "a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\n", "a=rtpmap:97 VP9/90000\n"),
			AnswerOptions{},
			nil, nil,
			[]string{"m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"},
			[]string{"FID", "a=ssrc:1001"},
		},
		{
			"feedback that we act on", replaced(t, "a=rtcp-fb:96 nack\n", "a=rtcp-fb:* transport-cc\na=rtcp-fb:96 goog-remb\na=rtcp-fb:96 nack pli\na=rtcp-fb:96 nack\na=rtcp-fb:96 ccm fir\n"),
			AnswerOptions{},
			nil, nil,
			[]string{"a=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 goog-remb\r\n"},
			[]string{"transport-cc", "rtcp-fb:97"},
		}, // A57
		{"playout delay", replaced(t, mid, delay), AnswerOptions{}, nil, nil, []string{"a=extmap:5 " + PlayoutDelay + "\r\n"}, []string{"extmap:1"}},
		{"playout delay for us", replaced(t, mid, strings.Replace(delay, ":5 ", ":5/sendonly ", 1)), AnswerOptions{}, nil, nil, nil, []string{"extmap"}},
		{"playout delay for the viewer", replaced(t, mid, strings.Replace(delay, ":5 ", ":5/recvonly ", 1)), AnswerOptions{}, nil, nil, []string{"a=extmap:5 http"}, nil},
		{"playout delay in two-byte headers", replaced(t, mid, strings.Replace(delay, ":5 ", ":16 ", 1)), AnswerOptions{}, nil, nil, nil, []string{"extmap"}},
		{"playout delay not wanted", replaced(t, mid, delay), AnswerOptions{}, func(o *Transport) { o.Extensions = nil }, nil, nil, []string{"extmap"}},
		{"full agent", plainOffer, AnswerOptions{}, func(o *Transport) { o.ICELite = false }, nil, nil, []string{"ice-lite"}}, // A59
		{"active", plainOffer, AnswerOptions{}, func(o *Transport) { o.Setup = "active" }, nil, []string{"a=setup:active\r\n"}, []string{"passive\r\na=mid"}},
		{"rtcp-rsize", replaced(t, "a=rtcp-mux\n", "a=rtcp-mux\na=rtcp-rsize\n"), AnswerOptions{}, nil, nil, []string{"a=rtcp-rsize\r\n"}, nil},                         // A60
		{"section off", replaced(t, "audio 9", "audio 0"), AnswerOptions{}, nil, nil, []string{"BUNDLE v\r\n", "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\n"}, nil},             // A41
		{"data channel", plainOffer + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:d\n", AnswerOptions{}, nil, nil, []string{"m=application 0 "}, nil},      // A43
		{"no sound", plainOffer, AnswerOptions{}, nil, picture, []string{"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "a=inactive\r\n"}, []string{"a=msid:cname audio"}},      // B18
		{"no sound, rejected", plainOffer, AnswerOptions{Unused: UnusedRejected}, nil, picture, []string{"m=audio 0 ", "a=group:BUNDLE v\r\n"}, []string{"BUNDLE v a"}}, // B18
	} {
		t.Run(c.name, func(t *testing.T) {
			got := made(t, mustParse(t, c.offer, RolePlay), c.options, c.change, c.source...)
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

// A52, A53, A54: the same candidates in the same order as by a library.
func TestMakeAnswerCandidates(t *testing.T) {
	offer := mustParse(t, plainOffer, RolePlay)
	for _, loopback := range []bool{false, true} {
		o := AnswerOptions{Loopback: loopback}
		if got, want := lines(made(t, offer, o, nil), "a=candidate:"), lines(finished(t, offer, o), "a=candidate:"); !slices.Equal(got, want) {
			t.Errorf("loopback %v: %v, not %v", loopback, got, want)
		}
	}
}

// A25
func TestMakeAnswerSize(t *testing.T) {
	answer := made(t, mustParse(t, plainOffer, RolePlay), AnswerOptions{}, func(o *Transport) {
		o.Candidates = nil
		for i := range 200 {
			o.Candidates = append(o.Candidates, fmt.Sprintf("%d 1 udp %d 192.0.2.5 %d typ host", i, 1000-i, 2000+i))
		}
	})
	if got := lines(answer, "a=candidate"); len(got) < 50 || !strings.HasPrefix(got[0], "a=candidate:0 ") {
		t.Errorf("%d candidates, the first %s", len(got), got[0])
	}
}

// The o= line is another one for each session, and the same for the same session.
func TestMakeAnswerOrigin(t *testing.T) {
	offer := mustParse(t, plainOffer, RolePlay)
	origin := func(ufrag string) string {
		return lines(made(t, offer, AnswerOptions{}, func(o *Transport) { o.ICEUfrag = ufrag }), "o=")[0]
	}
	if a, again, b := origin("aaaa"), origin("aaaa"), origin("aaab"); a != again || a == b || !strings.HasSuffix(a, " 1 IN IP4 0.0.0.0") {
		t.Error(a, again, b)
	}
}

func TestMakeAnswerFaults(t *testing.T) {
	offer := mustParse(t, plainOffer, RolePlay)
	plan, err := Decide([]media.Track{h264("42e01f"), sound(media.Opus, 48000, 2)}, offer, Policy{}, Capacity{})
	if err != nil {
		t.Fatal(err)
	}
	foreign := &Plan{Sections: slices.Clone(plan.Sections)}
	foreign.Sections[0].Format.PayloadType = 100
	unserved := &Plan{Sections: slices.Clone(plan.Sections)}
	unserved.Sections[0].Action, unserved.Sections[1].Action = Unused, Unused
	invalid, rejected := new(*InvalidAnswerError), new(*RejectedSectionError)
	for _, c := range []struct {
		name   string
		plan   *Plan
		change func(*Transport)
		want   any
		detail string
	}{
		{"no plan", nil, func(*Transport) {}, invalid, "no plan"},
		{"no ufrag", plan, func(o *Transport) { o.ICEUfrag = "" }, invalid, "ice-ufrag"},
		{"no password", plan, func(o *Transport) { o.ICEPwd = "" }, invalid, "ice-pwd"},
		{"no fingerprint", plan, func(o *Transport) { o.Fingerprint = "" }, invalid, "fingerprint"},
		{"no setup", plan, func(o *Transport) { o.Setup = "" }, invalid, "setup"},
		{"no source", plan, func(o *Transport) { delete(o.Sources, "a") }, invalid, `source for section "a"`},
		{"no SSRC", plan, func(o *Transport) { o.Sources["v"] = Source{CNAME: "c"} }, invalid, `source for section "v"`},
		{"no CNAME", plan, func(o *Transport) { o.Sources["v"] = Source{SSRC: 1} }, invalid, `source for section "v"`},
		{"payload type not offered", foreign, func(*Transport) {}, rejected, `"v"`},
		{"nothing served", unserved, func(*Transport) {}, invalid, "served"},
	} {
		own := ownTransport(plan)
		own.Sources = maps.Clone(own.Sources)
		c.change(&own)
		if _, err := MakeAnswer(offer, AnswerOptions{Plan: c.plan}, own); !errors.As(err, c.want) || !strings.Contains(err.Error(), c.detail) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A73, A75: what we say after a restart, as a client reads it.
func TestTransportFragment(t *testing.T) {
	offer := mustParse(t, plainOffer, RolePlay)
	own := ownTransport(&Plan{})
	text := own.Fragment(offer, false).String()
	f := mustParseFragment(t, text)
	if f.ICEUfrag != "own1" || f.ICEPwd != "ownPwd0123456789012345" || !f.ICELite || !f.EndOfCandidates || len(f.Candidates) != 6 {
		t.Errorf("%+v", f)
	}
	if first := f.Candidates[0]; first.MID != "v" || !strings.HasPrefix(first.Value, "6 ") || !strings.Contains(text, "m=video ") {
		t.Errorf("%+v in\n%s", first, text)
	}
}

// What a session needs to know of an offer before it is answered.
func TestOfferFacts(t *testing.T) {
	data := plainOffer + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:d\n"
	for text, want := range map[string]bool{plainOffer: false, data: true, strings.Replace(data, "application 9", "application 0", 1): false} {
		if got := mustParse(t, text, RolePlay); got.HasData() != want || got.Tagged().MID != "v" || got.Tagged().ICEUfrag != "abcd" {
			t.Errorf("data %v, tagged %+v", got.HasData(), got.Tagged())
		}
	}
	if got := mustParse(t, replaced(t, "BUNDLE v a", "BUNDLE a v"), RolePlay).Tagged().MID; got != "a" {
		t.Errorf("tagged is %s", got)
	}
}
