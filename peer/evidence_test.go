package peer

import (
	"testing"
	"time"

	"sluice/rtpout"
	"sluice/transport"
)

// What is seen of a viewer that connects.
func TestEvidence(t *testing.T) {
	e := newEngine(t, Options{})
	v := newViewer(t)
	c := answerTo(t, e, hidden(v.offer(t)), rtpout.PlayOptions{})
	if got := c.Evidence(); got.Checks != (transport.Checks{}) || got.Path || got.Handshake != (transport.Handshake{}) || len(got.Pairs) > 0 {
		t.Errorf("before anything came: %+v", got)
	}
	v.accept(t, c.Description())
	await(t, c.Connected(), "connected")
	got := c.Evidence()
	if !got.Path || got.Checks.Received == 0 || got.Checks.Answered == 0 || got.Checks.Wrong != 0 || got.Fault != nil {
		t.Errorf("%+v", got)
	}
	if got.Handshake != (transport.Handshake{Came: true, Sent: true, Done: true}) {
		t.Errorf("%+v", got.Handshake)
	}
}

// A peer that does not hear us: the pairs say so, one for each address of its that was tried.
func TestEvidenceOfLostAnswers(t *testing.T) {
	e := newEngine(t, Options{})
	v := newViewer(t)
	link := newRelay(t, e.Addr())
	link.out.set(func([]byte) []byte { return nil })
	c := answerTo(t, e, hidden(v.offer(t)), rtpout.PlayOptions{})
	v.accept(t, link.route(c.Description(), e.Addr()))
	deadline := time.After(patience)
	for {
		got := c.Evidence()
		if got.Checks.Answered > 0 && len(got.Pairs) == 1 && got.Pairs[0].Checks.Received > 0 && got.Pairs[0].Checks.Answered > 0 && got.Pairs[0].Remote.IsValid() {
			if got.Path || got.Pairs[0].Used || got.Checks.Wrong != 0 || got.Handshake.Came {
				t.Errorf("%+v", got)
			}
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			t.Fatalf("%+v", got)
		}
	}
}

// Checks that nobody tried to answer had another password, though checks of our own could not be sent. Those whose
// answers could not be sent had the right one.
func TestEvidenceOfAFault(t *testing.T) {
	check, answer := make([]byte, 20), make([]byte, 20)
	copy(check, []byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42})
	copy(answer, []byte{1, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42})
	for name, c := range map[string]struct {
		unsent []byte
		wrong  uint32
	}{"a check of ours": {check, 1}, "an answer": {answer, 0}} {
		v := newViewer(t)
		s := answerTo(t, newEngine(t, Options{}), hidden(v.offer(t)), rtpout.PlayOptions{})
		s.witness.Incoming(check)
		s.witness.Outgoing(c.unsent, &transport.SendError{Reason: transport.Unreachable})
		if e := s.Evidence(); e.Checks.Wrong != c.wrong || (e.Fault == nil) != (c.wrong > 0) {
			t.Errorf("%s was not sent: %+v", name, e)
		}
	}
}

// A publisher is heard by its media.
func TestEvidenceOfAPublisher(t *testing.T) {
	e, p, g := newEngine(t, Options{}), newPublisher(t), newGathering()
	r := receive(t, e, p.offer(t))
	run(t, r, g)
	p.accept(t, r.Description())
	await(t, r.Connected(), "connected")
	if r.Evidence().Heard {
		t.Error("it is heard before it has sent anything")
	}
	p.publishUntil(t, g, "/video")
	if !r.Evidence().Heard {
		t.Error("it is not heard")
	}
}
