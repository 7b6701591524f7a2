package peer

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// heard counts what a publisher is told.
type heard struct {
	nacks, plis, reports, transport atomic.Int32
}

// listen collects feedback until stop is closed.
func (p *publisher) listen(h *heard, stop <-chan struct{}) {
	for {
		select {
		case f := <-p.feedback:
			switch f := f.(type) {
			case *rtcp.TransportLayerNack:
				h.nacks.Add(1)
			case *rtcp.PictureLossIndication:
				h.plis.Add(1)
			case *rtcp.ReceiverReport:
				h.reports.Add(int32(len(f.Reports)))
			case *rtcp.TransportLayerCC:
				h.transport.Add(1)
			}
		case <-stop:
			return
		}
	}
}

// streaming is a publisher whose pictures come at 100 a second, each in a packet of its own, until they are stopped.
type streaming struct {
	*publisher
	reception *Reception
	sink      *gathering
	heard     heard
	began     time.Time     // before the first was sent
	sent      int           // once it has stopped
	longest   time.Duration // likewise: between two pictures
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
	working.Go(func() { p.listen(&s.heard, over) })
	s.began = time.Now()
	working.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		last := s.began
		for seq := uint16(0); ; seq++ {
			now := time.Now()
			s.longest, last = max(s.longest, now.Sub(last)), now
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

// eventually waits for a condition, and reports whether it came to hold.
func eventually(holds func() bool) bool {
	for end := time.Now().Add(patience); !holds(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// mediaSequence is the sequence number of an RTP packet that is not a retransmission.
func mediaSequence(p []byte, payloadType byte) (uint16, bool) {
	return binary.BigEndian.Uint16(p[2:]), isRTP(p) && p[1]&0x7F == payloadType
}

// A57: what the way swallows is asked for again and comes again, under an SSRC of its own or, of a publisher that
// knows no RTX, under the old one. All pictures come out whole, and no keyframe is asked for. A machine that stands
// still for as long as a packet is waited for proves nothing.
func TestLossIsMended(t *testing.T) {
	for name, c := range map[string]struct {
		change *strings.Replacer
		rtx    bool
	}{
		"by RTX":         {strings.NewReplacer(), true},
		"under its SSRC": {strings.NewReplacer("video/rtx", "video/none", " rtx/90000", " none/90000"), false},
	} {
		t.Run(name, func(t *testing.T) {
			for tries := 1; ; tries++ {
				fault, longest := mendsLoss(t, c.change, c.rtx)
				if fault == "" {
					return
				}
				if longest < 50*time.Millisecond || tries == 10 {
					t.Fatalf("%s; try %d, in which the machine stood still for %v", fault, tries, longest)
				}
			}
		})
	}
}

// mendsLoss is what is wrong with a stream of which a twentieth is lost, "" for nothing, and how long the machine stood
// still.
func mendsLoss(t *testing.T, change *strings.Replacer, byRTX bool) (fault string, longest time.Duration) {
	t.Helper()
	var lost, rtx atomic.Int32
	s := newStreaming(t, func(p []byte) []byte {
		if seq, media := mediaSequence(p, 96); media && seq > 0 && rand.IntN(20) == 0 { // nothing tells of a first one that is lost
			lost.Add(1)
			return nil
		}
		if _, resent := mediaSequence(p, 97); resent {
			rtx.Add(1)
		}
		return p
	}, change)
	came := func(n int) bool {
		return eventually(func() bool { return s.sink.count("/video") >= n || s.reception.Stats().Lost > 0 })
	}
	all := came(300) && eventually(func() bool { return s.heard.nacks.Load() > 0 })
	s.stop()
	all = came(s.sent-5) && all // the last ones may be lost without a successor that tells
	if got := s.reception.Stats(); !all || lost.Load() == 0 || (rtx.Load() > 0) != byRTX || got.Lost != 0 || got.Keyframes != 0 || s.heard.plis.Load() != 0 {
		fault = fmt.Sprintf("%d packets lost, %d NACKs, %d retransmissions by RTX, %d PLIs; %d of %d pictures came; %+v",
			lost.Load(), s.heard.nacks.Load(), rtx.Load(), s.heard.plis.Load(), s.sink.count("/video"), s.sent, got)
	}
	return fault, s.longest
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
	if !eventually(func() bool { return s.heard.plis.Load() >= 4 && s.heard.nacks.Load() > 0 }) {
		t.Fatalf("%d NACKs, %d PLIs", s.heard.nacks.Load(), s.heard.plis.Load())
	}
	s.stop()
	asked := s.reception.Stats().Keyframes
	if took := time.Since(s.began); asked > uint64(1+took/(500*time.Millisecond)) {
		t.Errorf("%d PLIs within %v", asked, took)
	}
	if n := s.sink.count("/video"); n >= 40 {
		t.Errorf("%d units, of which some lack what they build on", n)
	}
}

// A57: nothing is asked for that nobody misses; reports and arrival times are told all the same.
func TestNoLossNoRequests(t *testing.T) {
	s := newStreaming(t, func(p []byte) []byte { return p }, strings.NewReplacer())
	s.sink.await(t, "/video", 250)
	if !eventually(func() bool { return s.heard.reports.Load() > 0 && s.heard.transport.Load() > 0 }) {
		t.Errorf("%d receiver reports, %d of transport-wide feedback", s.heard.reports.Load(), s.heard.transport.Load())
	}
	s.stop()
	if s.heard.nacks.Load() != 0 || s.heard.plis.Load() != 0 {
		t.Errorf("%d NACKs, %d PLIs", s.heard.nacks.Load(), s.heard.plis.Load())
	}
}
