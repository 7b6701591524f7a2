package transport

import (
	"errors"
	"testing"
)

func stunOf(kind byte, class byte) []byte {
	p := make([]byte, 20)
	p[0], p[1] = class, kind
	copy(p[4:], []byte{0x21, 0x12, 0xA4, 0x42})
	return p
}

var (
	request  = stunOf(0x01, 0)
	response = stunOf(0x01, 1)
	refusal  = stunOf(0x11, 1)

	flight    = append([]byte{22, 0xFE, 0xFD}, make([]byte, 60)...)
	fatal     = []byte{21, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 42}
	warning   = []byte{21, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 1, 0}
	encrypted = []byte{21, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 1, 0, 2, 2, 42}
	rtp       = append([]byte{0x80, 96}, make([]byte, 30)...)
)

// What each datagram is taken for, in either direction.
func TestWitness(t *testing.T) {
	for name, c := range map[string]struct {
		data    []byte
		in, out Evidence
	}{
		"a request":          {request, Evidence{Checks: Checks{Received: 1}}, Evidence{Checks: Checks{Sent: 1}}},
		"a response":         {response, Evidence{Checks: Checks{Returned: 1}}, Evidence{Checks: Checks{Answered: 1}}},
		"an error response":  {refusal, Evidence{}, Evidence{Checks: Checks{Answered: 1}}},
		"a flight":           {flight, Evidence{Handshake: Handshake{Came: true}}, Evidence{Handshake: Handshake{Sent: true}}},
		"a fatal alert":      {fatal, Evidence{Handshake: Handshake{Came: true, Alert: 42}}, Evidence{Handshake: Handshake{Sent: true, Alert: 42, AlertOut: true}}},
		"a warning":          {warning, Evidence{Handshake: Handshake{Came: true}}, Evidence{Handshake: Handshake{Sent: true}}},
		"an encrypted alert": {encrypted, Evidence{Handshake: Handshake{Came: true}}, Evidence{Handshake: Handshake{Sent: true}}},
		"a cut alert":        {fatal[:14], Evidence{Handshake: Handshake{Came: true}}, Evidence{Handshake: Handshake{Sent: true}}},
		"media":              {rtp, Evidence{}, Evidence{}},
		"nothing":            {nil, Evidence{}, Evidence{}},
		"a cut request":      {request[:19], Evidence{}, Evidence{}},
		"no cookie":          {make([]byte, 20), Evidence{}, Evidence{}},
	} {
		var in, out Witness
		in.Incoming(c.data)
		out.Outgoing(c.data, nil)
		for way, got := range map[string][2]Evidence{"in": {in.Evidence(), c.in}, "out": {out.Evidence(), c.out}} {
			if got[0].Checks != got[1].Checks || got[0].Handshake != got[1].Handshake || got[0].Fault != nil {
				t.Errorf("%s, %s: %+v, want %+v", name, way, got[0], got[1])
			}
		}
	}
}

// What could not be sent counts as sent by nobody, and its reason is kept.
func TestWitnessOfAFault(t *testing.T) {
	for want, err := range map[Reason]error{Forbidden: &SendError{Reason: Forbidden}, Full: &SendError{}, Other: errors.New("no")} {
		var w Witness
		w.Outgoing(response, err)
		e := w.Evidence()
		var fault *SendError
		if e.Checks.Answered != 0 || !errors.As(e.Fault, &fault) || fault.Reason != want {
			t.Errorf("%+v", e)
		}
	}
}

// What else can't be sent is no fault that keeps the peer from hearing us.
func TestWitnessOfNoFault(t *testing.T) {
	var w Witness
	for _, p := range [][]byte{request, flight, fatal, rtp, nil} {
		w.Outgoing(p, &SendError{Reason: Unreachable})
	}
	if e := w.Evidence(); e.Fault != nil || e.Checks != (Checks{}) || e.Handshake != (Handshake{}) {
		t.Errorf("%+v", e)
	}
}

func TestWitnessAllocatesNothing(t *testing.T) {
	var w Witness
	for _, p := range [][]byte{request, response, flight, fatal, rtp} {
		if n := testing.AllocsPerRun(100, func() { w.Incoming(p); w.Outgoing(p, nil); w.Wrong() }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

func BenchmarkWitness(b *testing.B) {
	var w Witness
	b.ReportAllocs()
	for b.Loop() {
		w.Incoming(rtp)
	}
}

// What an alert says of a handshake.
func TestFailureBy(t *testing.T) {
	for _, c := range []struct {
		alert uint8
		ours  bool
		want  HandshakeFailure
	}{
		{0, true, ""}, {0, false, ""}, {42, false, HandshakeRefused}, {42, true, HandshakeCertificate}, {71, true, HandshakeProfile}, {80, true, HandshakeOther},
	} {
		if got := FailureBy(c.alert, c.ours); got != c.want {
			t.Errorf("%d, ours: %v: %q, want %q", c.alert, c.ours, got, c.want)
		}
	}
}
