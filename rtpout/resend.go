package rtpout

import "time"

const (
	// resendShare is the part of what is sent that may be sent again: 20 %.
	resendShare = 5
	// resendBurst is how many bytes of resends may be saved up, and are there at the start: a lost part of a keyframe.
	resendBurst = 128 << 10
	// resendQueue is how many packets may wait for being sent again. A power of two.
	resendQueue = 256
	// resendMemory is for how many packets it is known when they were asked for. A power of two.
	resendMemory = 512
	// resendPause is the least time between two resends of a packet, or the round-trip time if that is longer.
	resendPause = 10 * time.Millisecond
)

// resends is the packets of a track that were asked for again.
type resends struct {
	waiting    [resendQueue]uint16 // a ring of sequence numbers
	head, tail uint32              // of the ring; tail is the next to go
	again      uint16              // a packet that goes a second time
	twice      bool                // there is one

	// asked is when a packet was asked for last, in ms since the Epoch, by the last bits of its sequence number: two
	// that share a place are too far apart to be asked for within a pause, but by a flood.
	asked [resendMemory]uint32
}

// isAsked reports whether a packet was just asked for.
func (r *resends) isAsked(now uint32, sequence uint16, pause uint32) bool {
	return now-r.asked[sequence%resendMemory] < pause
}

// ask queues a packet. It reports false if too many wait.
func (r *resends) ask(now uint32, sequence uint16) bool {
	if r.head-r.tail == resendQueue {
		return false
	}
	r.asked[sequence%resendMemory] = now
	r.waiting[r.head%resendQueue] = sequence
	r.head++
	return true
}

// next takes a packet out, to be taken out once more if twice.
func (r *resends) next(twice bool) (sequence uint16, ok bool) {
	if r.twice {
		r.twice = false
		return r.again, true
	}
	if r.head == r.tail {
		return 0, false
	}
	sequence = r.waiting[r.tail%resendQueue]
	r.tail++
	r.again, r.twice = sequence, twice
	return sequence, true
}

// Nack says that the viewer misses a packet. It is sent again by NextResend, unless it has just been, or left the
// stream's ring, or more is asked for than a fifth of what is sent.
func (p *Player) Nack(at time.Time, ssrc uint32, sequence uint16) {
	p.tell(at)
	t := p.bySSRC(ssrc)
	if t == nil || !t.out.NACK {
		return
	}
	p.counted.resends.Add(1)
	p.total.resends.Add(1)
	if t.find(sequence) == nil {
		return
	}
	if t.resends == nil {
		t.resends = &resends{}
	}
	now, pause := p.milliseconds(), uint32(max(p.rtt, resendPause)/time.Millisecond)
	if t.resends.isAsked(now, sequence, pause) {
		return
	}
	p.asked()
	if !t.resends.ask(now, sequence) {
		p.refuse()
	}
}

// NextResend writes the next packet that is to be sent again and returns its length, 0 if there is none. dst is as for
// Next. Where many packets are lost each resend goes twice, if it has an SSRC of its own: a viewer asks again only after
// a round trip, or after 100 ms if it does not know how long that is.
func (p *Player) NextResend(_ time.Time, dst []byte) int {
	for i := range p.tracks {
		t := &p.tracks[i]
		for t.resends != nil {
			sequence, ok := t.resends.next(p.isLossy() && t.out.RTXSSRC != 0)
			if !ok {
				break
			}
			if n := p.resend(t, dst, sequence); n > 0 {
				return n
			}
		}
	}
	return 0
}

// resend is 0 for a packet that is gone, or not paid for.
func (p *Player) resend(t *track, dst []byte, sequence uint16) int {
	u := t.find(sequence)
	if u == nil {
		return 0
	}
	au := u.place.Unit()
	if au == nil {
		return 0
	}
	payload := &Payloads(au)[sequence-u.first]
	if len(payload.Data) > t.budget {
		p.refuse()
		return 0
	}
	t.budget -= len(payload.Data)
	p.counted.resent.Add(1)
	p.total.resent.Add(1)
	return t.resend(dst, u, payload, sequence)
}

func (p *Player) refuse() {
	p.counted.refused.Add(1)
	p.total.refused.Add(1)
}

// RTT says how long a packet to the viewer and its answer take.
func (p *Player) RTT(d time.Duration) { p.rtt = d }
