package peer

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// heard counts what a publisher is told.
type heard struct {
	nacks, plis, reports, transport int
	pli                             []time.Time // when each came
}

// listen collects feedback until stop is closed.
func (p *publisher) listen(stop <-chan struct{}) *heard {
	h := &heard{}
	for {
		select {
		case f := <-p.feedback:
			switch f := f.(type) {
			case *rtcp.TransportLayerNack:
				h.nacks++
			case *rtcp.PictureLossIndication:
				h.plis++
				h.pli = append(h.pli, time.Now())
			case *rtcp.ReceiverReport:
				h.reports += len(f.Reports)
			case *rtcp.TransportLayerCC:
				h.transport++
			}
		case <-stop:
			return h
		}
	}
}

// streaming is a publisher whose pictures come at 100 a second, each in a packet of its own, until they are stopped.
type streaming struct {
	*publisher
	reception *Reception
	sink      *gathering
	heard     *heard // once it has stopped
	sent      int    // likewise
	stop      func()
}

func newStreaming(t *testing.T, in func([]byte) []byte, change *strings.Replacer) *streaming {
	t.Helper()
	e, p := newEngine(t, Options{}), newPublisher(t)
	link := newRelay(t, e.Addr())
	s := &streaming{publisher: p, sink: newGathering()}
	s.reception = receive(t, e, change.Replace(hidden(p.offer(t))))
	run(t, s.reception, s.sink)
	p.accept(t, link.route(s.reception.Description(), e.Addr()))
	await(t, s.reception.Connected(), "connected")
	await(t, p.connected, "connected on the publisher's side")
	link.in.set(in)
	over := make(chan struct{})
	var working sync.WaitGroup
	working.Go(func() { s.heard = p.listen(over) })
	working.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for seq := uint16(0); ; seq++ {
			_ = p.video.WriteRTP(vp8Packet(seq, uint32(seq)*900, seq == 0))
			s.sent = int(seq) + 1
			select {
			case <-tick.C:
			case <-over:
				return
			}
		}
	})
	s.stop = sync.OnceFunc(func() { close(over); working.Wait() })
	t.Cleanup(s.stop)
	return s
}

// mediaSequence is the sequence number of an RTP packet that is not a retransmission.
func mediaSequence(p []byte, payloadType byte) (uint16, bool) {
	return binary.BigEndian.Uint16(p[2:]), isRTP(p) && p[1]&0x7F == payloadType
}

// A57: what the way swallows is asked for again and comes again, under an SSRC of its own or, of a publisher that
// knows no RTX, under the old one. All pictures come out whole, and no keyframe is asked for.
func TestLossIsMended(t *testing.T) {
	for name, c := range map[string]struct {
		change *strings.Replacer
		rtx    bool
	}{
		"by RTX":         {strings.NewReplacer(), true},
		"under its SSRC": {strings.NewReplacer("video/rtx", "video/none", " rtx/90000", " none/90000"), false},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			lost, rtx := 0, 0
			s := newStreaming(t, func(p []byte) []byte {
				mu.Lock()
				defer mu.Unlock()
				if seq, media := mediaSequence(p, 96); media && seq > 0 && rand.IntN(20) == 0 { // nothing tells of a first one that is lost
					lost++
					return nil
				}
				if _, resent := mediaSequence(p, 97); resent {
					rtx++
				}
				return p
			}, c.change)
			s.sink.await(t, "/video", 300)
			s.stop()
			s.sink.await(t, "/video", s.sent-5) // the last ones may be lost without a successor that tells
			mu.Lock()
			defer mu.Unlock()
			if lost == 0 || s.heard.nacks == 0 || (rtx > 0) != c.rtx {
				t.Errorf("%d packets lost, %d NACKs, %d retransmissions by RTX", lost, s.heard.nacks, rtx)
			}
			if s.heard.plis != 0 || s.reception.Stats().Lost != 0 {
				t.Errorf("%d keyframes were asked for; %+v", s.heard.plis, s.reception.Stats())
			}
		})
	}
}

// A57, J122: what can't be had again costs a wish for a keyframe, at most one each half a second until one comes.
func TestLossThatCannotBeMended(t *testing.T) {
	s := newStreaming(t, func(p []byte) []byte {
		if seq, media := mediaSequence(p, 96); media && seq%64 == 30 {
			return nil
		}
		if isRTP(p) && p[1]&0x7F == 97 {
			return nil
		}
		return p
	}, strings.NewReplacer())
	s.sink.await(t, "/video", 1)
	for end := time.After(patience); s.reception.Stats().Keyframes < 4; {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-end:
			t.Fatal("no keyframe is asked for")
		}
	}
	s.stop()
	if s.heard.nacks == 0 || s.heard.plis < 3 {
		t.Fatalf("%d NACKs, %d PLIs", s.heard.nacks, s.heard.plis)
	}
	for i := 2; i < len(s.heard.pli); i++ {
		if apart := s.heard.pli[i].Sub(s.heard.pli[i-2]); apart < 900*time.Millisecond { // two intervals, less what the way takes
			t.Errorf("three PLIs within %v", apart)
		}
	}
	if n := s.sink.count("/video"); n >= 40 {
		t.Errorf("%d units, of which some lack what they build on", n)
	}
}

// A57: nothing is asked for that nobody misses; reports and arrival times are told all the same.
func TestNoLossNoRequests(t *testing.T) {
	s := newStreaming(t, func(p []byte) []byte { return p }, strings.NewReplacer())
	s.sink.await(t, "/video", 250)
	s.stop()
	if s.heard.nacks != 0 || s.heard.plis != 0 {
		t.Errorf("%d NACKs, %d PLIs", s.heard.nacks, s.heard.plis)
	}
	if s.heard.reports == 0 || s.heard.transport == 0 {
		t.Errorf("%d receiver reports, %d of transport-wide feedback", s.heard.reports, s.heard.transport)
	}
}
