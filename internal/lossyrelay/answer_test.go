package lossyrelay

import (
	"net/netip"
	"strings"
	"testing"
)

var answers = map[string]struct{ answer, want, candidate string }{
	"one candidate": {
		"v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=candidate:7 1 udp 2130706431 127.0.0.1 8189 typ host\r\na=end-of-candidates\r\n",
		"v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host\r\na=end-of-candidates\r\n",
		"127.0.0.1:8189",
	},
	"several, of two kinds, loopback preferred": {
		"m=audio 9\na=candidate:1 1 tcp 1 10.0.0.1 1 typ host tcptype passive\na=candidate:2 1 udp 1 10.0.0.1 2 typ host\na=candidate:3 1 UDP 1 ::1 3 typ host\na=mid:0\n",
		"m=audio 9\na=candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host\na=mid:0\n",
		"[::1]:3",
	},
	"two sections": {
		"m=audio 9\r\na=candidate:1 1 udp 1 10.0.0.1 2 typ host\r\nm=video 9\r\na=candidate:1 1 udp 1 10.0.0.1 2 typ host\r\n",
		"m=audio 9\r\na=candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host\r\nm=video 9\r\na=candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host\r\n",
		"10.0.0.1:2",
	},
	"none":                      {"v=0\r\nm=audio 9\r\n", "v=0\r\nm=audio 9\r\n", ""},
	"empty":                     {"", "", ""},
	"only reflexive":            {"a=candidate:1 1 udp 1 192.0.2.1 2 typ srflx raddr 0.0.0.0 rport 0", "a=candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host", ""},
	"a name instead of address": {"a=candidate:1 1 udp 1 x.local 2 typ host\n", "a=candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host\n", ""},
	"cut off":                   {"a=candidate:1 1 udp\n", "a=candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host\n", ""},
	"RTCP":                      {"a=candidate:1 2 udp 1 10.0.0.1 2 typ host\n", "a=candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host\n", ""},
}

var relayAddress = netip.MustParseAddrPort("127.0.0.1:4000")

func TestRewrite(t *testing.T) {
	for name, c := range answers {
		t.Run(name, func(t *testing.T) {
			if got := Rewrite(c.answer, relayAddress); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCandidate(t *testing.T) {
	for name, c := range answers {
		t.Run(name, func(t *testing.T) {
			at, ok := Candidate(c.answer)
			if ok != (c.candidate != "") || ok && at.String() != c.candidate {
				t.Errorf("got %v and %v, want %q", at, ok, c.candidate)
			}
		})
	}
}

func FuzzRewrite(f *testing.F) {
	for _, c := range answers {
		f.Add(c.answer)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		got := Rewrite(answer, relayAddress)
		at, ok := Candidate(got)
		if before, had := Candidate(answer); ok && at != relayAddress || had && !ok {
			t.Errorf("the candidate was %v and is %v", before, at)
		}
		if !strings.Contains(answer, candidateAttribute) && got != answer {
			t.Errorf("without candidates %q became %q", answer, got)
		}
	})
}
