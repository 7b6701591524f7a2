//go:build linux

package load

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestParseAnswer(t *testing.T) {
	const credentials = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
	for name, c := range map[string]struct {
		lines string
		want  answer
		err   error
	}{
		"passive, one candidate": {
			credentials + "a=setup:passive\r\na=candidate:1 1 udp 1 192.0.2.1 8189 typ host\r\n",
			answer{"abcd", "0123456789012345678901", false, netip.MustParseAddrPort("192.0.2.1:8189")},
			nil,
		},
		"active, loopback behind others": {
			credentials + "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\na=candidate:2 1 UDP 1 127.0.0.1 2 typ host\r\na=setup:active\r\n",
			answer{"abcd", "0123456789012345678901", true, netip.MustParseAddrPort("127.0.0.1:2")},
			nil,
		},
		"candidates of no use": {
			credentials + "a=candidate:1 1 tcp 1 127.0.0.1 9 typ host tcptype passive\r\na=candidate:1 1 udp 1 ::1 9 typ host\r\n" +
				"a=candidate:1 2 udp 1 127.0.0.1 9 typ host\r\na=candidate:1 1 udp 1 127.0.0.1 x typ host\r\na=candidate:1\r\n",
			answer{},
			errNoCandidate,
		},
		"no credentials": {"a=candidate:1 1 udp 1 127.0.0.1 2 typ host\r\n", answer{}, errNoCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseAnswer(c.lines)
			if !errors.Is(err, c.err) || err == nil && got != c.want {
				t.Errorf("got %+v, %v, want %+v, %v", got, err, c.want, c.err)
			}
		})
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add("a=ice-ufrag:a\r\na=ice-pwd:b\r\na=candidate:1 1 udp 1 127.0.0.1 2 typ host\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		if a, err := parseAnswer(text); err == nil && (!a.remote.Addr().Is4() || a.ufrag == "" || a.pwd == "") {
			t.Errorf("%q is taken as %+v", text, a)
		}
	})
}

func TestStreamCountsWhatIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		came []uint16
		want uint64
	}{
		"nothing":         {nil, 0},
		"all":             {[]uint16{5, 6, 7}, 0},
		"a gap":           {[]uint16{5, 8}, 2},
		"late":            {[]uint16{5, 7, 6}, 0},
		"over the end":    {[]uint16{65534, 65535, 0, 2}, 1},
		"twice":           {[]uint16{5, 5, 6}, 0},
		"before the join": {[]uint16{5, 4, 6}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var s stream
			for _, seq := range c.came {
				s.add(seq)
			}
			if got := s.missing(); got != c.want {
				t.Errorf("%v: %d are missing, want %d", c.came, got, c.want)
			}
		})
	}
}

func TestStreamReportsLossSinceTheLastReport(t *testing.T) {
	var s stream
	s.add(1)
	s.report(time.Now())
	s.add(4) // two of three are missing
	if r := s.report(time.Now()); r.FractionLost != 170 || r.TotalLost != 2 || r.LastSequenceNumber != 4 {
		t.Errorf("reported %+v", r)
	}
}

func TestKeyframeIsSeenOnceItIsComplete(t *testing.T) {
	const begin, middle, slice = "\x7c\x85", "\x7c\x05", "\x41\x00" // FU-A of an IDR picture, and another picture
	for name, c := range map[string]struct {
		packets string // sequence number and payload; ! marks the last of a picture
		want    bool
	}{
		"no keyframe":          {"1" + slice + "!", false},
		"complete":             {"1" + slice + "! 2" + begin + " 3" + middle + " 4" + middle + "!", true},
		"in one packet":        {"1\x65\x00!", true},
		"behind its sets":      {"1\x78\x00\x01\x67\x00\x01\x68\x00\x02\x65\x00!", true},
		"not to its end":       {"1" + begin + " 2" + middle, false},
		"a packet is missing":  {"1" + begin + " 3" + middle + "!", false},
		"the next is complete": {"1" + begin + " 3" + middle + "! 4" + begin + " 5" + middle + "!", true},
		"its begin is missing": {"2" + middle + " 3" + middle + "!", false},
	} {
		t.Run(name, func(t *testing.T) {
			var k keyframe
			for p := range strings.SplitSeq(c.packets, " ") {
				payload, last := strings.CutSuffix(p[1:], "!")
				k.see(uint16(p[0]), last, []byte(payload), time.Unix(1, 0))
			}
			if k.done != c.want {
				t.Errorf("a keyframe is seen: %v, want %v", k.done, c.want)
			}
		})
	}
}
