package negotiation

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"sluice/media"
)

// B1, B2, A36, A37, A40, A41, D10, D11, D20, D30, D32: what real programs send is accepted.
func TestParseOfferFixtures(t *testing.T) {
	for name, sdp := range fixtures(t) {
		role, other := RolePlay, RolePublish
		if strings.Contains(sdp, "a=sendonly") {
			role, other = RolePublish, RolePlay
		}
		t.Run(name, func(t *testing.T) {
			o := mustParse(t, sdp, role)
			for _, s := range o.Sections {
				if !s.serves() || len(s.Formats) == 0 || s.ICEUfrag == "" || len(s.Fingerprints) != 1 {
					t.Errorf("section %q is not whole: %+v", s.MID, s)
				}
			}
			var unservable *UnservableOfferError
			if _, err := ParseOffer(sdp, other); !errors.As(err, &unservable) {
				t.Errorf("as %s: %v", other, err)
			}
			mustParse(t, turned.Replace(sdp), other)
		})
	}
}

func TestParseOfferReads(t *testing.T) {
	all := fixtures(t)
	gst := mustParse(t, all["gst122-whep"], RolePlay)
	if s := gst.Sections[1]; s.MID != "audio1" || !s.Enabled || s.Formats[0].Codec != media.Opus || s.Formats[0].Channels != 2 {
		t.Errorf("gst audio: %+v", s) // A41: port 0 with bundle-only is enabled
	}
	if !gst.Trickle || len(gst.Sections[0].Candidates) != 9 || !gst.Sections[0].RTCPReducedSize {
		t.Errorf("gst: %+v", gst)
	}
	obs := mustParse(t, all["obs-32.2.2-simulcast2"], RolePublish)
	if got := obs.Sections[1].RIDs; fmt.Sprint(got) != "[0 1]" || !obs.Trickle || len(obs.Sections[1].Candidates) != 0 {
		t.Errorf("obs: rids %v, trickle %v", got, obs.Trickle)
	}
	chromium := mustParse(t, all["chromium-play"], RolePlay)
	f := chromium.Sections[0].Formats[5]
	if f.PayloadType != 102 || f.RTX != 103 || f.param("profile-level-id") != "42001f" || len(f.Feedback) != 5 {
		t.Errorf("chromium: %+v", f)
	}
	if n := len(chromium.Sections[0].Repair); n != 19 {
		t.Errorf("chromium has %d repair formats", n)
	}
	if ffmpeg := mustParse(t, all["ffmpeg9-whip"], RolePublish); ffmpeg.Setup != "passive" { // A37
		t.Errorf("ffmpeg: setup %q", ffmpeg.Setup)
	}
	if pt9 := mustParse(t, all["firefox-play"], RolePlay).Sections[1].Formats[1]; pt9.Codec != media.G722 || pt9.Channels != 1 {
		t.Errorf("firefox: %+v", pt9)
	}
}

// J30: an offer cut off anywhere is an error of ours or a good offer, and never a panic.
func TestParseOfferTruncated(t *testing.T) {
	all := viewerFixtures(t)
	all["plain"] = plainOffer
	for name, sdp := range all {
		step := 13
		if name == "plain" || name == "gst122-whep" {
			step = 1
		}
		for n := 0; n < len(sdp); n += step {
			checkOffer(t, sdp[:n], RolePlay)
		}
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// checkOffer holds what must be true of any text: an error of the three kinds, or an offer whose normal form
// is an offer with the same meaning.
func checkOffer(t *testing.T, sdp string, role Role) *Offer {
	t.Helper()
	o, err := ParseOffer(sdp, role)
	if err != nil {
		var m *MalformedOfferError
		var l *OfferTooLargeError
		var u *UnservableOfferError
		if !errors.As(err, &m) && !errors.As(err, &l) && !errors.As(err, &u) || !printable(strings.ReplaceAll(err.Error(), "…", "")) {
			t.Errorf("error %T %q", err, err)
		}
		return nil
	}
	normal := o.Normalised()
	again, err := ParseOffer(normal, role)
	if err != nil {
		t.Fatalf("the normal form fails: %v\n%s", err, normal)
	}
	if twice := again.Normalised(); twice != normal {
		t.Fatalf("the normal form changes:\n%s\n%s", normal, twice)
	}
	return o
}

type want int

const (
	good want = iota
	bad400
	big413
	no422
)

func (w want) of(err error) bool {
	var m *MalformedOfferError
	var l *OfferTooLargeError
	var u *UnservableOfferError
	switch w {
	case bad400:
		return errors.As(err, &m)
	case big413:
		return errors.As(err, &l)
	case no422:
		return errors.As(err, &u)
	}
	return err == nil
}

// turned makes a publisher's offer of a viewer's, and the other way round.
var turned = strings.NewReplacer("sendonly", "recvonly", "recvonly", "sendonly")

// What is asked of a viewer's offer is asked of a publisher's, with the directions turned round.
func TestParseOfferRules(t *testing.T) {
	video := plainOffer[:strings.Index(plainOffer, "m=audio")]
	lone := strings.Replace(strings.Replace(video, "a=group:BUNDLE v a\n", "", 1), "a=mid:v\n", "", 1)
	audio := plainOffer[strings.Index(plainOffer, "m=audio"):]
	bundleOnly := video + strings.NewReplacer("audio 9", "audio 0", "a=mid:a", "a=mid:a\na=bundle-only", "a=setup:actpass\n", "",
		"a=ice-ufrag:abcd\n", "", "a=ice-pwd:0123456789012345678901\n", "", "a=rtcp-mux\n", "").Replace(audio)
	more := func(s string) string { return plainOffer + s }
	sub := func(pairs ...string) string { return replaced(t, pairs...) }
	many := func(format string, from, to int) (s string) {
		for i := from; i < to; i++ {
			s += fmt.Sprintf(format, i)
		}
		return s
	}
	for _, c := range []struct {
		name string
		sdp  string
		want want
		text string // in the error
	}{
		{"the plain offer", plainOffer, good, ""},
		{"CRLF", strings.ReplaceAll(plainOffer, "\n", "\r\n"), good, ""},          // J61
		{"lone CR", strings.ReplaceAll(plainOffer, "\n", "\r"), bad400, "line 1"}, // J61
		{"lone CR in one line", sub("s=-", "s=a\rb"), bad400, "line 3"},           // J61
		{"mixed line ends", sub("s=-\n", "s=-\r\n"), good, ""},                    // J61
		{"blank lines at the end", more("\r\n\n"), good, ""},
		{"blank line inside", sub("s=-\n", "s=-\n\n"), bad400, "line 4"},
		{"nothing", "", bad400, "o= line"}, // J1
		{"blanks", "\n\n", bad400, ""},
		{"text", "hello", bad400, "line 1"},
		{"text first", "x=1\n" + plainOffer, bad400, "v=0"},
		{"no origin", "v=0\ns=-\n", bad400, "o= line"},
		{"no t=", sub("t=0 0\n", ""), good, ""},                                                                             // J59
		{"NUL", sub("s=-", "s=\x00"), bad400, "line 3"},                                                                     // J33
		{"bidi text in s=", sub("s=-", "s=\u202eevil\x1b[31m"), good, ""},                                                   // J62
		{"control text in mid", sub("a=mid:v", "a=mid:\x1b[31m"), bad400, `\x1b`},                                           // J62
		{"64 KiB", plainOffer + strings.Repeat("a", MaxOfferSize-len(plainOffer)), bad400, "x=value"},                       // A30
		{"64 KiB and one byte", strings.Repeat("v=0\n", MaxOfferSize/4) + "a", big413, "65536"},                             // A30, J4
		{"1 MiB line", sub("s=-", "a="+strings.Repeat("x", 1<<20)), big413, ""},                                             // J32
		{"10 MB behind it", more(strings.Repeat("a=x\n", 2_500_000)), big413, ""},                                           // J58
		{"4097 lines", more(strings.Repeat("a=x\n", 4097-strings.Count(plainOffer, "\n"))), bad400, "4096"},                 // A30
		{"4096 lines", more(strings.Repeat("a=x\n", 4096-strings.Count(plainOffer, "\n"))), good, ""},                       // A30
		{"20000 m-lines", "v=0\no=- 1 1\n" + strings.Repeat("m=\n", 20000), bad400, ""},                                     // J31
		{"33 m-lines", more(many("m=text 0 X %d\n", 0, 31)), bad400, "32"},                                                  // A30
		{"32 m-lines", more(many("m=text 0 X %d\n", 0, 30)), good, ""},                                                      // A30
		{"65 formats", sub("SAVPF 111", "SAVPF 111"+many(" %d", 0, 64)), bad400, "64"},                                      // A30
		{"64 formats", sub("SAVPF 111", "SAVPF 111"+many(" %d", 0, 63)), good, ""},                                          // A30
		{"no m-line", plainOffer[:strings.Index(plainOffer, "m=")], no422, "no audio or video"},                             // J34, A31
		{"all sections off", sub("video 9", "video 0", "audio 9", "audio 0"), no422, "no audio or video"},                   // A31, A41
		{"one section off", sub("audio 9", "audio 0"), good, ""},                                                            // A41
		{"port 0 and bundle-only", sub("audio 9", "audio 0", "a=mid:a", "a=mid:a\na=bundle-only"), good, ""},                // A41
		{"bundle-only without a transport of its own", bundleOnly, good, ""},                                                // A41
		{"bundle-only outside the group", strings.Replace(bundleOnly, "BUNDLE v a", "BUNDLE v", 1), bad400, "no ice-ufrag"}, // A41
		{"different msids", sub("a=mid:v", "a=mid:v\na=msid:one x", "a=mid:a", "a=mid:a\na=msid:two y"), good, ""},          // A45
		{"no such port", sub("audio 9", "audio 65536"), bad400, "port"},
		{"negative port", sub("audio 9", "audio -1"), bad400, "port"},
		{"short m-line", more("m=audio 9\n"), bad400, "m-line"},
		{"m-line with bytes", more("m=audio 9 \xff 0\n"), bad400, "ASCII"},
		{"two videos", sub("BUNDLE v a", "BUNDLE v a w") + strings.Replace(video[strings.Index(video, "m="):], "mid:v", "mid:w", 1), no422, "second one for video"}, // A32
		{"two audios, one off", more(strings.Replace(strings.Replace(audio, "mid:a", "mid:b", 1), "audio 9", "audio 0", 1)), good, ""},                              // A32, A41
		{"no BUNDLE, two sections", sub("a=group:BUNDLE v a\n", ""), no422, "BUNDLE"},                                                                               // J44, A33
		{"no BUNDLE, one section", strings.Replace(video, "a=group:BUNDLE v a\n", "", 1), good, ""},                                                                 // A33
		{"no BUNDLE, one section on", sub("a=group:BUNDLE v a\n", "", "audio 9", "audio 0"), good, ""},                                                              // A33
		{"BUNDLE of an absent mid", video, good, ""},                                                                                                                // J43, A33, D10
		{"BUNDLE of half the offer", sub("BUNDLE v a", "BUNDLE v"), no422, "BUNDLE"},                                                                                // A33
		{"two BUNDLE groups", sub("BUNDLE v a", "BUNDLE v\na=group:BUNDLE a"), no422, "BUNDLE"},                                                                     // A33
		{"BUNDLE with one mid twice", sub("BUNDLE v a", "BUNDLE v a v"), bad400, "twice"},                                                                           // J43
		{"other groups", sub("BUNDLE v a", "BUNDLE v a\na=group:LS v v\na=group:"), good, ""},
		{"no rtcp-mux", sub("a=rtcp-mux\n", ""), no422, "rtcp-mux"},                                 // A34
		{"rtcp-mux-only", sub("a=rtcp-mux\n", "a=rtcp-mux-only\n"), good, ""},                       // A34
		{"RTP/AVP", sub("UDP/TLS/RTP/SAVPF", "RTP/AVP"), no422, "protocol"},                         // J39, A35
		{"RTP/SAVP", sub("UDP/TLS/RTP/SAVPF", "RTP/SAVP"), no422, "protocol"},                       // A35
		{"DCCP", sub("UDP/TLS/RTP/SAVPF", "DCCP/TLS/RTP/SAVPF"), no422, "protocol"},                 // J39
		{"RTP/SAVPF", sub("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"), good, ""},                              // A35
		{"TCP", sub("UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF"), good, ""},                            // A35
		{"sendonly", sub("a=recvonly", "a=sendonly"), no422, "recvonly"},                            // J38, B1
		{"inactive", sub("a=recvonly", "a=inactive"), no422, "recvonly"},                            // J38, B1
		{"sendrecv", sub("a=recvonly", "a=sendrecv"), good, ""},                                     // B1
		{"no direction", sub("a=recvonly\n", ""), good, ""},                                         // B1
		{"session direction", sub("a=recvonly\n", "", "t=0 0\n", "t=0 0\na=sendonly\n"), no422, ""}, // B1
		{"two directions", sub("a=recvonly\n", "a=recvonly\na=sendonly\n"), bad400, "contradicts"},
		{"holdconn", sub("setup:actpass", "setup:holdconn"), no422, "setup"},                                                                            // J37, A37
		{"setup:foo", sub("setup:actpass", "setup:foo"), no422, "setup"},                                                                                // J37
		{"setup absent", sub("a=setup:actpass\n", ""), good, ""},                                                                                        // A37
		{"setup:active", sub("setup:actpass", "setup:active"), good, ""},                                                                                // A37
		{"setup twice", sub("a=setup:actpass", "a=setup:active\na=setup:passive"), bad400, "contradicts"},                                               // A37
		{"no fingerprint", sub("a=fingerprint:sha-256 "+hash256+"\n", ""), no422, "no fingerprint"},                                                     // J35, A38
		{"fingerprint ZZ", sub(hash256, "ZZ"), no422, "32 pairs"},                                                                                       // J35
		{"fingerprint of bad digits", sub(hash256, strings.Replace(hash256, "43", "4G", 1)), no422, "pairs"},                                            // J35
		{"fingerprint empty", sub("sha-256 "+hash256, ""), no422, "fingerprint"},                                                                        // J35
		{"md5", sub("sha-256 "+hash256, "md5 "+hash256[:47]), no422, "md5"},                                                                             // J35, A38
		{"sha-1", sub("sha-256 "+hash256, "sha-1 "+hash256[:59]), no422, "sha-1"},                                                                       // A38
		{"sha-384 of wrong length", sub("sha-256", "sha-384"), no422, "48 pairs"},                                                                       // A38
		{"sha-512", sub("sha-256 "+hash256, "sha-512 "+hash256+":"+hash256), good, ""},                                                                  // A38
		{"lower case", sub(hash256, strings.ToLower(hash256), "sha-256", "SHA-256"), good, ""},                                                          // A38
		{"md5 besides sha-256", sub("s=-\n", "s=-\na=fingerprint:md5 "+hash256[:47]+"\n"), good, ""},                                                    // A38
		{"two hashes in conflict", sub("s=-\n", "s=-\na=fingerprint:sha-256 "+strings.Replace(hash256, "43", "44", 1)+"\n"), no422, "contradict"},       // J35
		{"sections in conflict", sub("a=mid:a\n", "a=mid:a\na=fingerprint:sha-256 "+strings.Replace(hash256, "43", "44", 1)+"\n"), no422, "contradict"}, // J35
		{"section's own, broken", sub("a=mid:a\n", "a=mid:a\na=fingerprint:sha-256 00\n"), no422, "32 pairs"},                                           // J35
		{"pictures in the place of sound", sub("opus/48000/2", "VP8/90000"), no422, "no codec"},                                                         // J40
		{"ice-pwd of 3", sub("a=ice-pwd:0123456789012345678901", "a=ice-pwd:abc"), bad400, "3 characters"},                                              // J36, A39
		{"ice-pwd of 257", sub("0123456789012345678901", strings.Repeat("a", 257)), bad400, "257"},                                                      // J36
		{"ice-pwd of 256", sub("0123456789012345678901", strings.Repeat("a", 256)), good, ""},                                                           // A39
		{"ice-ufrag of 3", sub("ufrag:abcd", "ufrag:abc"), bad400, "3 characters"},                                                                      // A39
		{"ice-ufrag with blank", sub("ufrag:abcd", "ufrag:ab cd"), bad400, "letters"},                                                                   // J36
		{"ice-ufrag with CRLF", sub("ufrag:abcd", "ufrag:ab\r\ncd"), bad400, "line"},                                                                    // J36
		{"ice-ufrag missing", sub("a=ice-ufrag:abcd\n", ""), bad400, "no ice-ufrag"},                                                                    // A39
		{"ice at session level", strings.ReplaceAll(sub("t=0 0\n", "t=0 0\na=ice-ufrag:efgh\n"), "a=ice-ufrag:abcd\n", ""), good, ""},                   // A39, D40
		{"mid twice", sub("mid:a", "mid:v"), bad400, "another section"},                                                                                 // J41, A40
		{"mid missing", sub("a=mid:a\n", ""), bad400, "no mid"},                                                                                         // A40
		{"mid missing, lone section", lone, good, ""},                                                                                                   // A40
		{"mid of 300", sub("mid:a", "mid:"+strings.Repeat("a", 300)), bad400, "mid"},                                                                    // J42
		{"mid of 16", sub("mid:a", "mid:"+strings.Repeat("a", 16), "BUNDLE v a", "BUNDLE v "+strings.Repeat("a", 16)), good, ""},                        // A40
		{"mid with blank", sub("mid:a", "mid:a b"), bad400, "mid"},                                                                                      // J42
		{"unknown codec in one section", sub("111 opus/48000/2", "111 speex/16000"), no422, "no codec"},                                                 // J40, A42
		{"codec on a payload type of RTCP", strings.ReplaceAll(plainOffer, "111", "72"), no422, "no codec"},
		{"data channel", more("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:d\na=max-message-size:9223372036854775808\n"), good, ""}, // A43, J63
		{"data channel alone", "v=0\no=- 1 1\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:d\n", no422, "no audio or video"},         // A31
		{"image and text", more("m=image 9 udptl t38\na=mid:i\nm=text 9 RTP/AVP 98\na=mid:t\n"), good, ""},                                      // A43
		{"opus mono", sub("opus/48000/2", "opus/48000/1"), good, ""},                                                                            // A44
		{"opus without channels", sub("opus/48000/2", "opus/48000"), good, ""},                                                                  // A44
		{"msid of any kind", more("a=msid:- x\na=msid:\xff y\n"), good, ""},                                                                     // A45, J62
		{"extmap id 0", more("a=extmap:0 urn:x\n"), bad400, "extmap id 0"},                                                                      // J46
		{"extmap id 15", more("a=extmap:15 urn:x\n"), bad400, "extmap id 15"},                                                                   // J46
		{"extmap id 256", more("a=extmap:256 urn:x\n"), bad400, "extmap id 256"},                                                                // J46
		{"extmap id 255", more("a=extmap:255 urn:x\n"), good, ""},                                                                               // J46
		{"extmap id not a number", more("a=extmap:x urn:x\n"), bad400, "extmap"},                                                                // J46
		{"extmap without uri", more("a=extmap:3\n"), bad400, "extmap"},                                                                          // J46
		{"extmap twice", more("a=extmap:1 urn:x\n"), bad400, "twice"},                                                                           // J46
		{"extmap in conflict", sub("m=audio", "a=extmap:2 urn:x\nm=audio") + "a=extmap:2 urn:y\n", good, ""},                                    // A46
		{"500 extmaps", more(many("a=extmap:%d urn:x\n", 16, 255)), bad400, "64"},                                                               // J46
		{"payload type 999", sub("SAVPF 111", "SAVPF 111 999"), bad400, "999"},                                                                  // J47
		{"payload type 128", sub("SAVPF 111", "SAVPF 111 128"), bad400, "128"},                                                                  // J47
		{"payload type as a word", sub("SAVPF 111", "SAVPF 111 opus"), bad400, "opus"},                                                          // J47
		{"payload type listed twice", sub("SAVPF 111", "SAVPF 111 111"), bad400, "twice"},                                                       // J47
		{"rtpmap of an absent payload type", more("a=rtpmap:112 opus/48000/2\n"), bad400, "does not list"},                                      // J47
		{"payload type of two codecs", more("a=rtpmap:111 PCMU/8000\n"), bad400, "both"},                                                        // J47
		{"rtpmap twice alike", more("a=rtpmap:111 opus/48000/2\n"), good, ""},                                                                   // J47
		{"payload type of two codecs in two sections", strings.ReplaceAll(plainOffer, "98", "111"), bad400, "both"},                             // J47
		{"rtpmap without clock", sub("opus/48000/2", "opus"), bad400, "rtpmap"},
		{"rtpmap with clock 0", sub("opus/48000/2", "opus/0/2"), bad400, "rtpmap"},
		{"rtpmap with 0 channels", sub("opus/48000/2", "opus/48000/0"), bad400, "rtpmap"},
		{"rtpmap of four parts", sub("opus/48000/2", "opus/48000/2/1"), bad400, "rtpmap"},
		{"fmtp of 60 KiB", more("a=fmtp:111 x=" + strings.Repeat("y", 60<<10) + "\n"), bad400, "at most 1024"}, // A25, J50
		{"fmtp of 1 KiB", more("a=fmtp:111 x=" + strings.Repeat("y", 1022) + "\n"), good, ""},                  // A25
		{"fmtp with control characters", more("a=fmtp:111 a=\x1b\n"), bad400, "ASCII"},
		{"64 simulcast layers", more(many("a=rid:%d send\n", 0, 64)), no422, "64 simulcast"},                      // J45
		{"rid with blank, unknown rid", more("a=rid:a b send\na=simulcast:send zz\n"), good, ""},                  // J45
		{"ice-lite", sub("s=-\n", "s=-\na=ice-lite\n"), good, ""},                                                 // J56
		{"bandwidth and times", more("b=AS:-1\na=ptime:0\na=maxptime:1000000000\n"), good, ""},                    // J60
		{"1000 candidates", more(many("a=candidate:%[1]d 1 udp 1 192.0.2.1 5000 typ host\n", 0, 1000)), good, ""}, // J51
	} {
		t.Run(c.name, func(t *testing.T) {
			for role, turn := range map[Role]*strings.Replacer{RolePlay: strings.NewReplacer(), RolePublish: turned} {
				o, err := ParseOffer(turn.Replace(c.sdp), role)
				if !c.want.of(err) || err != nil && !strings.Contains(err.Error(), turn.Replace(c.text)) {
					t.Fatalf("as %s: got %v; the text should have %q", role, err, turn.Replace(c.text))
				}
				if (o == nil) != (err != nil) {
					t.Errorf("as %s: offer %v with error %v", role, o, err)
				}
				checkOffer(t, turn.Replace(c.sdp), role)
			}
		})
	}
}

// J31: sections that have no transport of their own don't multiply the lines of the one that has.
func TestInheritIsBounded(t *testing.T) {
	const first = "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:m\na=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\n"
	group := "a=group:BUNDLE m"
	var others strings.Builder
	for i := range maxSections - 1 {
		group += fmt.Sprintf(" %d", i)
		fmt.Fprintf(&others, "m=video 0 UDP/TLS/RTP/SAVPF 96\na=mid:%d\na=bundle-only\n", i)
	}
	d, err := scan("v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\n" + group + "\n" + first + strings.Repeat("a=fingerprint:sha-1 AA\n", 2000) + others.String())
	if err != nil {
		t.Fatal(err)
	}
	d.inherit(false)
	last := d.sections[maxSections-1].attrs
	if n := len(last); n > maxShared+2 || value(last, nil, "ice-ufrag") != "abcd" || value(last, nil, "ice-pwd") == "" {
		t.Errorf("%d lines", n)
	}
}

// J38, A36: a publisher must send.
func TestParseOfferPublisherDirections(t *testing.T) {
	for direction, want := range map[string]want{"sendonly": good, "sendrecv": good, "x-none": good, "recvonly": no422, "inactive": no422} {
		sdp := strings.ReplaceAll(plainOffer, "a=recvonly", "a="+direction)
		if _, err := ParseOffer(sdp, RolePublish); !want.of(err) {
			t.Errorf("%s: %v", direction, err)
		}
	}
}

// J56, J57: what the caller needs to know of a peer.
func TestParseOfferFacts(t *testing.T) {
	lite := mustParse(t, replaced(t, "s=-\n", "s=-\na=ice-lite\n", "a=setup:actpass\n", "a=setup:active\n"), RolePlay)
	if !lite.ICELite || lite.Setup != "active" || lite.Trickle {
		t.Errorf("%+v", lite)
	}
	if o := mustParse(t, plainOffer, RolePlay); o.ICELite || o.Setup != "actpass" {
		t.Errorf("%+v", o)
	}
	layers := mustParse(t, strings.ReplaceAll(plainOffer, "recvonly", "sendonly")+"a=rid:0 send\na=rid:1 send\na=rid:2 send\na=rid:3 send\na=rid:4 send\n", RolePublish)
	if n := len(layers.Sections[1].RIDs); n != 4 { // J45
		t.Errorf("%d layers", n)
	}
}
