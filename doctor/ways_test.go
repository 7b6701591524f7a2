package doctor

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// What is said of an address depends on where it is, where we are, and how the others do.
func TestJudge(t *testing.T) {
	over := func(at string) *way {
		c := candidate{network: "udp", at: netip.MustParseAddrPort(at)}
		return &way{name: c.String(), to: c}
	}
	dead := func(at string) *way { w := over(at); w.err = errors.New("nothing came"); return w }
	unrouted := over("[2001:db8::1]:8189")
	unrouted.noRoute = true
	const elsewhere, here = "198.51.100.7:8889", "127.0.0.1:8889"
	for _, c := range []struct {
		name   string
		way    *way
		other  *way
		remote string
		setup  *Setup
		status Status
		want   string
	}{
		{"works", over("192.0.2.1:8189"), nil, elsewhere, nil, OK, "connected in"},
		{"no route", unrouted, nil, elsewhere, nil, Warn, "untested This machine has no route to that address (no IPv6)."},
		{"private, from elsewhere", dead("10.0.0.1:8189"), over("192.0.2.1:8189"), elsewhere, nil, Warn, "viewers elsewhere lose a moment with it"},
		{"private, beside the gateway", dead("10.0.0.1:8189"), over("192.0.2.1:8189"), here, &Setup{}, Fail, "while another address works"},
		{"private, and no other", dead("10.0.0.1:8189"), dead("192.0.2.1:8189"), elsewhere, nil, Fail, "Open the port in every firewall"},
		{"carrier's NAT, from elsewhere", dead("100.64.0.1:8189"), over("192.0.2.1:8189"), elsewhere, nil, Warn, "private address"},
		{"public, beside one that works", dead("192.0.2.9:8189"), over("192.0.2.1:8189"), elsewhere, nil, Fail, "announce it no more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &examination{o: Options{Setup: c.setup}, answer: addresses{c.way.to}}
			all := []*way{c.way}
			if c.other != nil {
				all = append(all, c.other)
			}
			f := e.judge(c.way, all, &page{remote: mustAddr(c.remote)})
			if text := f.What + " " + f.Why; f.Status != c.status || !strings.Contains(strings.ReplaceAll(text, ": untested", " untested"), c.want) {
				t.Errorf("%+v\nwant %s %s", f, c.status, c.want)
			}
		})
	}
}

func TestApart(t *testing.T) {
	for ahead, want := range map[time.Duration]string{
		90*time.Second + time.Millisecond: "1m30s ahead of ours", -time.Hour: "1h0m0s behind ours",
	} {
		if got := apart(ahead); got != want {
			t.Errorf("%v: %s", ahead, got)
		}
	}
}

// Colours are around the mark alone, and the indentation is the same.
func TestColours(t *testing.T) {
	var b strings.Builder
	r := NewReport(&b, true)
	r.Add(ok("fine"), fail("broken", "Why.", "mend = 1"))
	if healthy, err := r.End(); healthy || err != nil {
		t.Errorf("healthy %v, %v", healthy, err)
	}
	const want = "\x1b[32mok\x1b[0m    fine\n\x1b[31mFAIL\x1b[0m  broken\n      Why.\n      > mend = 1\n\n1 to mend, 0 to look at.\n"
	if b.String() != want {
		t.Errorf("%q", b.String())
	}
}
