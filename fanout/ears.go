package fanout

import (
	"sync"
	"time"

	"sluice/media"
)

// ears is the SRTCP side of a session: what the viewer says of what it gets.
type ears struct {
	mu     sync.Mutex
	opener *opener // guarded by mu; nil before the handshake
	notes  notes   // guarded by mu
	second int64   // guarded by mu; of the Fanout's life
	heard  int     // guarded by mu; packets in that second
}

// maxFeedback is how many SRTCP packets of one viewer are read in a second, many times what any sends: one that asks
// for thousands of packets keeps us busy for as long as a picture does.
const maxFeedback = 500

// bears reports whether one more packet is read. It needs the lock.
func (e *ears) bears(since time.Duration) bool {
	if now := int64(since / time.Second); now != e.second {
		e.second, e.heard = now, 0
	}
	e.heard++
	return e.heard <= maxFeedback
}

func (e *ears) listen(o *opener) {
	e.mu.Lock()
	e.opener = o
	e.mu.Unlock()
}

// receiveRTCP takes an SRTCP packet. Only what is authentic and new counts, as a sign of life too (A80).
func (s *Session) receiveRTCP(data []byte) {
	e := &s.ears
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.opener == nil {
		return
	}
	plain, err := e.opener.openRTCP(data)
	if err != nil {
		s.fanout.counters.refused(err)
		return
	}
	now := time.Now()
	s.alive(now)
	s.inner.confirm()
	if !e.bears(now.Sub(s.fanout.began)) {
		s.fanout.counters.malformed.Add(1)
		return
	}
	e.notes.take(s, now, plain)
}

// confirm notes that the viewer has used its keys.
func (h *handshake) confirm() {
	h.mu.Lock()
	h.heard = true
	h.mu.Unlock()
}

// notes passes on what one compound packet says. It belongs to whoever holds the lock of its ears.
type notes struct {
	session *Session
	now     time.Time
	urgent  bool // there is something to be sent
}

func (n *notes) take(s *Session, now time.Time, plain []byte) {
	s.mu.Lock()
	if s.player == nil || s.closed {
		s.mu.Unlock()
		return
	}
	*n = notes{session: s, now: now}
	if err := readFeedback(plain, n); err != nil {
		s.fanout.counters.malformed.Add(1)
	}
	urgent := n.urgent
	s.mu.Unlock()
	if urgent {
		s.shard.poke(s)
	}
}

func (n *notes) nack(ssrc uint32, first, mask uint16) {
	n.urgent = true
	n.session.player.Nack(n.now, ssrc, first)
	for i := range uint16(16) {
		if mask>>i&1 == 1 {
			n.session.player.Nack(n.now, ssrc, first+i+1)
		}
	}
}

func (n *notes) keyframe(uint32) {
	n.urgent = true
	n.session.player.WantKeyframe(n.now)
}

func (n *notes) report(ssrc uint32, r receptionReport) {
	if !n.session.sends(ssrc) {
		return
	}
	loss := float64(r.fraction) / 256
	n.session.player.Loss(loss)
	n.session.fanout.counters.loss.observe(loss)
	if rtt, ok := roundTrip(n.now, r.lastSR, r.delay); ok {
		n.session.player.RTT(rtt)
		n.session.fanout.counters.rtt.observe(rtt.Seconds())
	}
}

// remb is read for its form alone: nobody acts on estimates yet.
func (n *notes) remb(uint64) {}

// bye is no goodbye: viewers send nothing, and end by DTLS or the session's URL.
func (n *notes) bye() {}

func (s *Session) sends(ssrc uint32) bool {
	for i := range s.outgoing {
		if s.outgoing[i].SSRC == ssrc {
			return true
		}
	}
	return false
}

// roundTrip is the time since the sender report that a viewer speaks of, without what it waited (RFC 3550 6.4.1). Both
// are in 1/65536 s.
func roundTrip(now time.Time, lastSR, delay uint32) (time.Duration, bool) {
	if lastSR == 0 {
		return 0, false
	}
	const most = 60 << 16
	units := middleNTP(now) - lastSR - delay
	if units > most {
		return 0, false
	}
	return time.Duration(units) * time.Second >> 16, true
}

// middleNTP is the middle half of the NTP time that sender reports tell, on the same clock as theirs.
func middleNTP(now time.Time) uint32 {
	t := media.Epoch().Add(now.Sub(media.Epoch()))
	return uint32(t.Unix()+2208988800)<<16 | uint32(uint64(t.Nanosecond())<<16/uint64(time.Second))
}
