package negotiation

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
)

// What a library reads of each stored offer: a golden file, and SDP that pion's own parser takes.
func TestNormalisedFixtures(t *testing.T) {
	for name, text := range viewerFixtures(t) {
		t.Run(name, func(t *testing.T) {
			normal := mustParse(t, text, RolePlay).Normalised()
			golden(t, "testdata/normalised/"+name+".sdp", normal)
			var d sdp.SessionDescription
			if err := d.UnmarshalString(normal); err != nil {
				t.Fatal(err)
			}
			for _, m := range d.MediaDescriptions {
				for _, key := range []string{"mid", "ice-ufrag", "ice-pwd", "fingerprint", "rtcp-mux", "setup"} {
					if _, ok := m.Attribute(key); !ok {
						t.Errorf("no %s", key)
					}
				}
			}
		})
	}
}

func TestNormalised(t *testing.T) {
	video := plainOffer[:strings.Index(plainOffer, "m=audio")]
	for _, c := range []struct {
		name, offer string
		has, lacks  []string
	}{
		{"group of an absent section", video, []string{"a=group:BUNDLE v\r\n"}, nil},                                                                    // A33, J43, D10
		{"no group", strings.Replace(video, "a=group:BUNDLE v a\n", "", 1), []string{"a=group:BUNDLE v\r\n"}, nil},                                      // A33
		{"no mid", strings.Replace(strings.Replace(video, "a=group:BUNDLE v a\n", "", 1), "a=mid:v\n", "", 1), []string{"a=mid:0\r\n"}, nil},            // A40
		{"mono opus", replaced(t, "opus/48000/2", "opus/48000/1"), []string{"a=rtpmap:111 opus/48000/2\r\n"}, []string{"/1\r\n"}},                       // A44
		{"opus with no channels", replaced(t, "opus/48000/2", "OPUS/48000"), []string{"a=rtpmap:111 OPUS/48000/2\r\n"}, nil},                            // A44
		{"RTX of itself", replaced(t, "apt=96", "apt=97"), []string{"SAVPF 96 98\r\n"}, []string{"rtx", "apt"}},                                         // J48
		{"RTX of nothing", replaced(t, "apt=96", "apt=100"), []string{"SAVPF 96 98\r\n"}, []string{"rtx"}},                                              // J48
		{"RTX without apt", replaced(t, "a=fmtp:97 apt=96\n", ""), []string{"SAVPF 96 98\r\n"}, []string{"rtx"}},                                        // J48
		{"RTX chain", replaced(t, "98 VP8/90000", "98 rtx/90000\na=fmtp:98 apt=97"), []string{"SAVPF 96 97\r\n"}, []string{"apt=97"}},                   // J48
		{"RTX loop", replaced(t, "98 VP8/90000", "98 rtx/90000\na=fmtp:98 apt=97", "apt=96", "apt=98"), []string{"SAVPF 96\r\n"}, []string{"rtx"}},      // J48
		{"second RTX of a format", replaced(t, "98 VP8/90000", "98 rtx/90000\na=fmtp:98 apt=96"), []string{"SAVPF 96 97\r\n"}, []string{":98"}},         // J48
		{"broken profile", replaced(t, "profile-level-id=42e01f", "profile-level-id=zz"), []string{"a=fmtp:96 packetization-mode=1\r\n"}, nil},          // J49
		{"five-digit profile alone", replaced(t, "packetization-mode=1;profile-level-id=42e01f", "profile-level-id=42e01"), nil, []string{"fmtp:96"}},   // J49
		{"huge sprop", replaced(t, "42e01f", "42e01f;sprop-parameter-sets="+strings.Repeat("A", 60<<10)), []string{"id=42e01f\r\n"}, []string{"sprop"}}, // J50
		{"unknown formats", replaced(t, "98 VP8/90000", "98 theora/90000"), []string{"SAVPF 96 97\r\n"}, []string{"theora"}},
		{"static payload type", replaced(t, "SAVPF 111", "SAVPF 111 0 8 9 3"), []string{"SAVPF 111 0 8 9\r\n", "a=rtpmap:0 PCMU/8000\r\n"}, nil}, // F35
		{"feedback for all", replaced(t, "a=rtcp-fb:96 nack", "a=rtcp-fb:* nack pli"), []string{"a=rtcp-fb:98 nack pli\r\n"}, []string{"fb:*"}},
		{"feedback of an absent format", replaced(t, "a=rtcp-fb:96 nack", "a=rtcp-fb:120 nack"), nil, []string{"120"}},
		{"section off", replaced(t, "audio 9", "audio 0"), []string{"BUNDLE v\r\n"}, []string{"m=audio"}},
		{"bundle-only", replaced(t, "audio 9", "audio 0", "a=mid:a", "a=mid:a\na=bundle-only"), []string{"m=audio 9 "}, []string{"bundle-only"}},    // A41
		{"data channel", plainOffer + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:d\n", nil, []string{"application"}},                  // A43
		{"weak hash beside", replaced(t, "s=-\n", "s=-\na=fingerprint:md5 "+hash256[:47]+"\n"), []string{"sha-256"}, []string{"md5"}},               // A38
		{"stronger hash", replaced(t, "s=-\n", "s=-\na=fingerprint:sha-512 "+hash256+":"+hash256+"\n"), []string{"sha-512"}, []string{"sha-256"}},   // A38
		{"names and text", replaced(t, "s=-", "s=\u202eevil"), []string{"s=-\r\n"}, []string{"evil"}},                                               // J62
		{"old protocol", replaced(t, "UDP/TLS/RTP/SAVPF", "RTP/SAVPF"), []string{"m=video 9 UDP/TLS/RTP/SAVPF"}, nil},                               // A35
		{"extension in conflict", replaced(t, "m=audio", "a=extmap:2 urn:x\nm=audio") + "a=extmap:2 urn:y\n", []string{"urn:x"}, []string{"urn:y"}}, // A46
		{"ice-lite", replaced(t, "s=-\n", "s=-\na=ice-lite\n"), []string{"a=ice-lite\r\n"}, nil},                                                    // J56
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mustParse(t, c.offer, RolePlay).Normalised()
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

// J50: a publisher's parameter sets are kept if they are sound.
func TestNormalisedPublisher(t *testing.T) {
	sets := "Z0LAHtkDxWhAAAADAEAAAAwDxYuS,aMuMsg=="
	for value, kept := range map[string]bool{sets: true, "!!!": false, strings.Repeat("A", 60<<10): false} {
		sdp := strings.ReplaceAll(replaced(t, "42e01f", "42e01f;sprop-parameter-sets="+value), "recvonly", "sendonly")
		o := mustParse(t, sdp, RolePublish)
		if got := o.Sections[0].Formats[0].param("sprop-parameter-sets"); (got == value) != kept || strings.Contains(o.Normalised(), "sprop") != kept {
			t.Errorf("%.20s: %q", value, got)
		}
	}
	obs := mustParse(t, fixtures(t)["obs-32.2.2-simulcast2"], RolePublish).Normalised()
	for _, line := range []string{"a=rid:0 send", "a=simulcast:send 0;1", "a=msid:jfnXD6yPHRdTK9iL jfnXD6yPHRdTK9iL-video"} {
		if !strings.Contains(obs, line+"\r\n") {
			t.Errorf("no %s", line) // A58
		}
	}
}

// J52, J53, J54, J55: where checks may be sent.
func TestCandidatePolicy(t *testing.T) {
	own := netip.MustParseAddrPort("192.0.2.9:8189")
	policy := CandidatePolicy{Refuse: func(a netip.AddrPort) bool { return a == own }}
	for _, c := range []struct {
		name, value string
		want        bool
	}{
		{"IPv4 host", "1 1 udp 2130706431 192.0.2.1 5000 typ host", true},
		{"IPv4 host in capitals", "1 1 UDP 2130706431 192.0.2.1 5000 typ host", true},
		{"IPv6 host", "1 1 udp 1 2001:db8::1 5000 typ host generation 0", true},
		{"private", "1 1 udp 1 10.0.0.1 5000 typ host", true},
		{"reflexive", "1 1 udp 1 192.0.2.1 5000 typ srflx raddr 0.0.0.0 rport 0", true},
		{"port 443", "1 1 udp 1 192.0.2.1 443 typ relay", true},
		{"port 3478", "1 1 udp 1 192.0.2.1 3478 typ relay", true},
		{"loopback", "1 1 udp 1 127.0.0.1 5000 typ host", false},
		{"other loopback", "1 1 udp 1 127.9.9.9 5000 typ host", false},
		{"IPv6 loopback", "1 1 udp 1 ::1 5000 typ host", false},
		{"loopback in IPv6", "1 1 udp 1 ::ffff:127.0.0.1 5000 typ host", false},
		{"metadata service", "1 1 udp 1 169.254.169.254 5000 typ host", false},
		{"metadata service in IPv6", "1 1 udp 1 ::ffff:169.254.169.254 5000 typ host", false},
		{"link-local", "1 1 udp 1 fe80::1 5000 typ host", false},
		{"link-local with zone", "1 1 udp 1 fe80::1%eth0 5000 typ host", false},
		{"zone of ours", "1 1 udp 1 2001:db8::1%lo 5000 typ host", false},
		{"multicast", "1 1 udp 1 239.1.1.1 5000 typ host", false},
		{"IPv6 multicast", "1 1 udp 1 ff02::1 5000 typ host", false},
		{"broadcast", "1 1 udp 1 255.255.255.255 5000 typ host", false},
		{"unspecified", "1 1 udp 1 0.0.0.0 5000 typ host", false},
		{"this network", "1 1 udp 1 0.1.2.3 5000 typ host", false},
		{"IPv6 unspecified", "1 1 udp 1 :: 5000 typ host", false},
		{"our own port", "1 1 udp 1 192.0.2.9 8189 typ host", false},
		{"name", "1 1 udp 1 evil.example.com 5000 typ host", false},
		{"mDNS name", "1 1 udp 1 5f3c9e1a.local 5000 typ host", false},
		{"TCP to SSH", "1 1 tcp 1 192.0.2.1 22 typ host tcptype passive", false},
		{"TCP to Redis", "1 1 tcp 1 192.0.2.1 6379 typ host tcptype active", false},
		{"DNS", "1 1 udp 1 192.0.2.1 53 typ host", false},
		{"port 0", "1 1 udp 1 192.0.2.1 0 typ host", false},
		{"port 99999", "1 1 udp 1 192.0.2.1 99999 typ host", false},
		{"priority 0", "1 1 udp 0 192.0.2.1 5000 typ host", false},
		{"priority 2^32", "1 1 udp 4294967296 192.0.2.1 5000 typ host", false},
		{"component 2", "1 2 udp 1 192.0.2.1 5000 typ host", false},
		{"component 300", "1 300 udp 1 192.0.2.1 5000 typ host", false},
		{"other transport", "1 1 sctp 1 192.0.2.1 5000 typ host", false},
		{"no typ", "1 1 udp 1 192.0.2.1 5000 host host", false},
		{"short", "1 1 udp 1 192.0.2.1 5000", false},
		{"control characters", "1 1 udp 1 192.0.2.1 5000 typ host ufrag \x1b", false},
		{"empty", "", false},
	} {
		if got := policy.Allows(c.value); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if local := (CandidatePolicy{Loopback: true}); !local.Allows("1 1 udp 1 127.0.0.1 5000 typ host") || !local.Allows("1 1 udp 1 ::1 5000 typ host") {
		t.Error("loopback is skipped by a gateway on loopback")
	}
}

// TCP is dialled by who has come to look, where somebody listens, and to the same places as UDP is sent.
func TestCandidatePolicyDials(t *testing.T) {
	for value, want := range map[string]bool{
		"1 1 tcp 1 192.0.2.1 5000 typ host tcptype passive":   true,
		"1 1 tcp 1 192.0.2.1 9 typ host tcptype active":       false,
		"1 1 tcp 1 192.0.2.1 5000 typ host":                   false,
		"1 1 tcp 1 127.0.0.1 5000 typ host tcptype passive":   false,
		"1 1 tcp 1 192.0.2.1 22 typ host tcptype passive":     false,
		"1 1 tcp 1 cam.example 5000 typ host tcptype passive": false,
	} {
		if got := (CandidatePolicy{Dial: true}).Allows(value); got != want {
			t.Errorf("%s: %v", value, got)
		}
		if (CandidatePolicy{}).Allows(value) {
			t.Errorf("%s is dialled by a gateway", value)
		}
	}
}

// I22: private networks of any kind are no place for checks of a gateway that serves the internet, by whatever name.
func TestCandidatePolicyDeniesPrivate(t *testing.T) {
	for address, want := range map[string][2]bool{ // without and with DenyPrivate
		"192.0.2.1": {true, true}, "2001:db8::1": {true, true}, "2001:4860::1": {true, true}, "172.32.0.1": {true, true},
		"100.63.255.255": {true, true}, "100.128.0.1": {true, true}, "64:ff9b::c000:201": {true, true}, "192.0.1.1": {true, true},
		"10.0.0.1": {true, false}, "172.16.0.1": {true, false}, "172.31.255.255": {true, false}, "192.168.1.1": {true, false},
		"100.64.0.1": {true, false}, "100.127.255.255": {true, false}, "198.19.0.1": {true, false}, "192.0.0.8": {true, false},
		"fc00::1": {true, false}, "fd12:3456::1": {true, false}, "fec0::1": {true, false}, "::ffff:10.0.0.1": {true, false},
		"64:ff9b::a00:1": {true, false}, "64:ff9b:1::1": {true, false}, "250.0.0.1": {true, false},
		"169.254.1.1": {false, false}, "fe80::1": {false, false}, "127.0.0.1": {false, false}, "::1": {false, false},
		"64:ff9b::7f00:1": {false, false}, "64:ff9b::a9fe:a9fe": {false, false}, "f00d.local": {false, false},
	} {
		for i, policy := range []CandidatePolicy{{}, {DenyPrivate: true}} {
			if got := policy.Allows("1 1 udp 1 " + address + " 5000 typ host"); got != want[i] {
				t.Errorf("%s with %+v: %t", address, policy, got)
			}
		}
	}
	for port, want := range map[string]bool{"443": true, "3478": true, "1024": true, "1023": false, "53": false, "22": false} {
		if got := (CandidatePolicy{DenyPrivate: true}).Allows("1 1 udp 1 192.0.2.1 " + port + " typ host"); got != want {
			t.Errorf("port %s: %t", port, got)
		}
	}
}

// J51: the first 50 count, of all sections together.
func TestNormalisedCandidateLimit(t *testing.T) {
	lines := func(from, to int) (s string) {
		for i := from; i < to; i++ {
			s += fmt.Sprintf("a=candidate:%d 1 udp 1 192.0.2.1 %d typ host\n", i, 5000+i)
		}
		return s
	}
	o := mustParse(t, replaced(t, "m=audio", lines(0, 40)+"m=audio")+lines(100, 1000), RolePlay)
	got := strings.Split(o.Normalised(), "\r\n")
	got = slices.DeleteFunc(got, func(line string) bool { return !strings.HasPrefix(line, "a=candidate") })
	if len(got) != maxCandidates || !strings.Contains(got[49], " 5109 ") {
		t.Errorf("%d candidates, the last %s", len(got), got[len(got)-1])
	}
}
