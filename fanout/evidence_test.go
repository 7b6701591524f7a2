package fanout

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/pion/rtcp"

	"sluice/transport"
)

// What is seen of a viewer, from its first check to its first report.
func TestEvidence(t *testing.T) {
	h := newHouse(t, Options{})
	h.film(t, 1000)
	v := newRawViewer(t, h)
	if e := v.session.Evidence(); e.Checks != (transport.Checks{}) || len(e.Pairs) != 0 || e.Path || e.Handshake != (transport.Handshake{}) {
		t.Errorf("before anything came: %+v", e)
	}
	v.send(v.request("0123456789abcdefghijkl"))
	eventually(t, "was a check counted as wrong", func() bool { return v.session.Evidence().Checks.Wrong == 1 })
	v.check(nominate())
	eventually(t, "was a check counted as answered", func() bool { return v.session.Evidence().Checks.Answered == 1 })
	e := v.session.Evidence()
	if e.Checks != (transport.Checks{Received: 2, Wrong: 1, Answered: 1}) || e.Path || e.Fault != nil {
		t.Errorf("after two checks: %+v", e)
	}
	if len(e.Pairs) != 1 || e.Pairs[0].Remote.String() != v.conn.LocalAddr().String() || !e.Pairs[0].Used || e.Pairs[0].TCP || e.Pairs[0].Checks.Received != 1 {
		t.Errorf("its pairs: %+v", e.Pairs)
	}
	if err := v.shake(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, v.session.Connected(), "connected")
	if e := v.session.Evidence(); !e.Path || e.Handshake != (transport.Handshake{Came: true, Sent: true, Done: true}) || e.Heard {
		t.Errorf("after the handshake: %+v", e)
	}
	v.send(v.sealed(&rtcp.ReceiverReport{SSRC: 1}))
	eventually(t, "was a report heard", func() bool { return v.session.Evidence().Heard })
}

// A viewer that nominates what it has checked before got an answer, though its handshake may never come. Nothing follows
// from nominations alone, nor from those of another address.
func TestEvidenceOfAPath(t *testing.T) {
	h := newHouse(t, Options{})
	for name, c := range map[string]struct {
		checks []bool // whether each nominates
		want   bool
	}{
		"checked, then nominated":     {[]bool{false, true}, true},
		"checked often":               {[]bool{false, false}, false},
		"nominated by all checks":     {[]bool{true, true}, false},
		"nominated, then checked":     {[]bool{true, false}, false},
		"nominated later, once again": {[]bool{true, false, true}, true},
	} {
		v := newRawViewer(t, h)
		for _, nominates := range c.checks {
			if nominates {
				v.check(nominate())
			} else {
				v.check()
			}
		}
		if e := v.session.Evidence(); e.Path != c.want || e.Handshake.Came {
			t.Errorf("%s: %+v", name, e)
		}
		if key, ok := v.session.ice.key([]byte(v.theirs.remoteUfrag)); !ok || !v.session.passed(transport.Path{Remote: elsewhere}, &key, true) {
			t.Fatalf("%s: its check from another address did not pass", name)
		}
		if e := v.session.Evidence(); e.Path != c.want {
			t.Errorf("%s, and another address nominated: %+v", name, e)
		}
		v.session.Close()
	}
}

var elsewhere = netip.MustParseAddrPort("192.0.2.1:9")

// Why a handshake has failed, by its error.
func TestFailedHandshake(t *testing.T) {
	h := newHouse(t, Options{})
	v := newRawViewer(t, h)
	for err, want := range map[error]transport.HandshakeFailure{
		errFingerprint: transport.HandshakeCertificate, errNoSRTP: transport.HandshakeProfile,
		errors.New("no"): transport.HandshakeOther, context.DeadlineExceeded: transport.HandshakeTimeout,
	} {
		if got := v.session.failed(err); got != want || v.session.Evidence().Handshake.Failure != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
