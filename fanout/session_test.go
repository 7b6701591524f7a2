package fanout

import (
	"errors"
	"testing"
	"time"

	"sluice/transport"
)

func TestViewerGetsEveryPacketFromAKeyframeOn(t *testing.T) {
	h := newHouse(t, Options{})
	s, v := h.watch(t)
	h.shoot(0, 5000)
	first := v.next(t)
	if start := first.Payload[0] & 0x10; start == 0 {
		t.Error("the first packet is not the beginning of a picture")
	}
	for n, pictures, whole := uint16(1), 1, first.Marker; n < 200; n++ {
		if whole { // one picture after the other: the socket of a viewer who reads late would be full
			h.shoot(pictures, 5000)
			pictures++
		}
		p := v.next(t)
		if p.SequenceNumber != first.SequenceNumber+n {
			t.Fatalf("packet %d has number %d, want %d", n, p.SequenceNumber, first.SequenceNumber+n)
		}
		whole = p.Marker
	}
	if got := s.Stats(); got.Packets < 200 || h.total.Stats().Packets < got.Packets {
		t.Errorf("counted %+v, and in all %+v", got, h.total.Stats())
	}
	if s.RemoteAddress() == "" {
		t.Error("the viewer has no address")
	}
}

func TestViewerWhoSaysGoodbyeIsGone(t *testing.T) {
	for name, settled := range map[string]bool{"right after the handshake": false, "once it is settled": true} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, Options{})
			h.film(t, 500)
			s, v := h.watch(t)
			if settled {
				eventually(t, "settled", s.isSettled)
			}
			if err := v.GracefulClose(); err != nil {
				t.Fatal(err)
			}
			await(t, s.Done(), "over")
			if err := s.Err(); !errors.Is(err, transport.ErrPeerLeft) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

func TestCloseSaysGoodbye(t *testing.T) {
	for name, settled := range map[string]bool{"right after the handshake": false, "once it is settled": true} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, Options{})
			h.film(t, 500)
			s, v := h.watch(t)
			if settled {
				eventually(t, "settled", s.isSettled)
			}
			s.Close()
			await(t, v.closed, "closed on the viewer's side")
			if s.Err() != nil {
				t.Errorf("Err is %v", s.Err())
			}
		})
	}
}

func (s *Session) isSettled() bool {
	s.inner.mu.Lock()
	defer s.inner.mu.Unlock()
	return s.inner.settled
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("never %s", what)
		}
	}
}
