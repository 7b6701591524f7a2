package peer

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/negotiation"
	"sluice/transport"
)

// told is one of our candidate lines.
type told struct {
	component, protocol, address, port, kind string
	rest                                     []string
}

func candidatesOf(t *testing.T, sdp string) []told {
	t.Helper()
	var all []told
	for _, v := range values(sdp, "candidate") {
		f := strings.Fields(v)
		if len(f) < 8 || f[6] != "typ" {
			t.Fatalf("a candidate is %q", v)
		}
		all = append(all, told{f[1], f[2], f[4], f[5], f[7], f[8:]})
	}
	return all
}

// class is the place of a candidate among others (A53).
func (c told) class() int {
	switch a := netip.MustParseAddr(c.address); {
	case a.IsLoopback():
		return 3
	case c.protocol == "tcp":
		return 2
	case a.Is6():
		return 1
	}
	return 0
}

// A52, A53, A54, A55: OBS and ffmpeg, each as recorded, are told the address that was configured first, as a host
// candidate over UDP and IPv4, because ffmpeg uses no other; then IPv6, then TCP; each once, and then the end.
func TestCandidatesForOBSAndFFmpeg(t *testing.T) {
	e := newEngine(t, Options{}, func(o *transport.Options) {
		o.ListenUDP, o.ListenTCP, o.AdditionalHosts = ":0", ":0", []string{"2001:db8::7", "203.0.113.7"}
	})
	var recorded []string
	for _, program := range []string{"obs*", "ffmpeg*"} {
		found, err := filepath.Glob("../negotiation/testdata/offers/" + program + ".sdp")
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", program, err)
		}
		recorded = append(recorded, found...)
	}
	for _, path := range recorded {
		t.Run(filepath.Base(path), func(t *testing.T) {
			sdp, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			checkTold(t, e, answerToPublisher(t, e, string(sdp)))
		})
	}
}

func answerToPublisher(t *testing.T, e *Engine, sdp string) string {
	t.Helper()
	offer, err := negotiation.ParseOffer(sdp, negotiation.RolePublish)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := negotiation.Accept(offer, negotiation.Wish{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Receive(offer, plan, ReceiveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return r.Description()
}

func checkTold(t *testing.T, e *Engine, answer string) {
	t.Helper()
	all := candidatesOf(t, answer)
	port := portOf(e.Addr().Port())
	if len(all) < 4 || all[0].protocol != "udp" || all[0].address != "203.0.113.7" || all[0].port != port {
		t.Fatalf("the first candidate is none of the configured address: %+v", all)
	}
	if !slices.IsSortedFunc(all, func(a, b told) int { return a.class() - b.class() }) {
		t.Errorf("UDP over IPv4, UDP over IPv6, TCP, loopback is the order, not that of %+v", all)
	}
	seen := map[string]bool{}
	for _, c := range all {
		place := c.protocol + " " + c.address + " " + c.port
		if c.component != "1" || c.kind != "host" || seen[place] || c.protocol == "tcp" && !slices.Equal(c.rest, []string{"tcptype", "passive"}) {
			t.Errorf("announces %+v", c)
		}
		seen[place] = true
	}
	for _, want := range []string{"udp 2001:db8::7 " + port, "tcp 203.0.113.7 ", "tcp 2001:db8::7 "} {
		if !slices.ContainsFunc(all, func(c told) bool { return strings.HasPrefix(c.protocol+" "+c.address+" "+c.port, want) }) {
			t.Errorf("%s is not announced", want)
		}
	}
	checkEnd(t, answer)
}

// checkEnd wants the end of candidates right behind the last of them (A52).
func checkEnd(t *testing.T, answer string) {
	t.Helper()
	lines := strings.Split(answer, "\r\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "a=candidate:") && !strings.HasPrefix(lines[i+1], "a=candidate:") && lines[i+1] != "a=end-of-candidates" {
			t.Errorf("the candidates end with %q", lines[i+1])
		}
	}
	if !strings.Contains(answer, "a=end-of-candidates") {
		t.Error("the candidates have no end")
	}
}
