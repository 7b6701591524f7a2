package rtpout

import (
	"math"
	"math/rand/v2"
	"time"

	"sluice/hub"
	"sluice/media"
)

// Player sends one viewer the units of a stream: it reads them with a cursor of its own, and writes packets whenever
// it is asked for the next. It starts no goroutine, and belongs to one; Stats may be called from any.
//
// With hub.StartGOP a viewer gets the cached pictures as one burst that ends at live, while sound starts there. Bursts
// are paced; what comes at the rate of the source is not held up.
type Player struct {
	sub     *hub.Subscriber
	tracks  []track   // fixed in number
	total   *Counters // fixed
	counted Counters

	picture, sound opened // being written
	pace           pace

	latest time.Time // that was told; zero: none was
	now    int64     // the same in ns since the Epoch

	wish       wish
	lossyUntil int64 // ns since the Epoch
	waitUntil  int64 // likewise
	burstUntil int64 // likewise
	askedSince int64 // likewise: when askedFor began to count
	askedFor   int
	began      int64 // the first time that was told
	reports    bool  // some were written
	reported   int64 // when
	rtt        time.Duration
	reading    string // the rendition that was sent last
	feed       Feed   // fixed
}

// track is one track on its way out. What each packet needs stands first.
type track struct {
	checked   *media.Track // the last that may be sent
	publisher uint32       // of the latest unit
	counted   uint64       // its number in its track
	delays    delays       // fixed
	said      delay        // what the viewer was told last

	next        uint16 // sequence number of the next packet
	rtxSequence uint16
	budget      int      // bytes that may be sent again
	resends     *resends // nil until the first was asked for
	history     history  // empty without NACK

	sender
	out Outgoing // fixed
}

// opened is a unit of which packets are to be written.
type opened struct {
	track    *track
	unit     unit
	payloads []Payload
	next     int  // of payloads
	bytes    int  // written
	key      bool // a picture that decoding can start at
}

// left reports whether there are packets to be written.
func (o *opened) left() bool { return o.next < len(o.payloads) }

// NewPlayer begins to read a stream for a viewer; w is woken when there may be something to send. Counts go to total
// as well, if it is not nil. The caller closes it. It returns hub.ErrClosed if the stream has been removed.
func NewPlayer(f Feed, w hub.Waker, all []Outgoing, total *Counters) (*Player, error) {
	sub, err := f.Stream.SubscribeWith(f.Rendition, f.Start, w)
	if err != nil {
		return nil, err
	}
	if total == nil {
		total = &Counters{}
	}
	p := &Player{feed: f, sub: sub, total: total, pace: newPace(f.PaceBits), lossyUntil: math.MinInt64, waitUntil: math.MinInt64, burstUntil: math.MinInt64 / 2, tracks: make([]track, len(all))}
	for i, o := range all {
		p.tracks[i] = newTrack(o)
	}
	if sub.Behind() == 0 {
		sub.RequestKeyframe()
	}
	return p, nil
}

// newTrack begins in the lower half of the sequence numbers: a receiver that loses the first packets must not take a
// wrap for a packet that comes late (RFC 3711 3.3.1).
func newTrack(o Outgoing) track {
	if o.CNAME == "" {
		o.CNAME = "sluice"
	}
	first := uint16(rand.Uint32() >> 17)
	return track{
		out: o, sender: newSender(o.SSRC, o.PayloadType, o.Track.ClockRate, first, rand.Uint32()),
		delays: newDelays(o.PlayoutDelay),
		next:   first, rtxSequence: uint16(rand.Uint32() >> 17), budget: resendBurst,
	}
}

// Subscriber is the player's reading end, to choose a rendition and to look at what was dropped.
func (p *Player) Subscriber() *hub.Subscriber { return p.sub }

// Stats is what this player has counted.
func (p *Player) Stats() Stats { return p.counted.Stats() }

// Close ends the reading; Next returns hub.ErrClosed. It may be called twice, and from any goroutine.
func (p *Player) Close() { p.sub.Close() }

// Next writes the next packet that is due, without encryption, and returns its length, 0 if none is due now. dst has
// at least MaxPacket bytes. Sound goes out in frames as large as leave room in dst for the tag of SRTP. It returns hub.ErrClosed once the stream has been removed or the player closed, and the
// errors of Feed.Check.
func (p *Player) Next(now time.Time, dst []byte) (int, error) {
	p.tell(now)
	for {
		if p.sound.left() {
			return p.write(&p.sound, dst), nil
		}
		held := false
		if p.picture.left() {
			if p.pace.take(p.now, p.picture.size()) {
				return p.write(&p.picture, dst), nil
			}
			held = true
		}
		if more, err := p.open(held, len(dst)); err != nil || !more {
			return 0, err
		}
	}
}

// Due is when Next may have a packet after it had none. False: not before the player's waker is woken.
func (p *Player) Due() (time.Time, bool) {
	at, ok := p.wish.due, p.wish.open
	if p.picture.left() {
		if ready := p.pace.ready(p.picture.size()); !ok || ready < at {
			at, ok = ready, true
		}
	}
	return media.Epoch().Add(time.Duration(at)), ok
}

// tell takes in what time it is.
func (p *Player) tell(now time.Time) {
	if now == p.latest { // for each packet of a picture
		return
	}
	first := p.latest.IsZero()
	p.latest, p.now = now, int64(now.Sub(media.Epoch()))
	if first {
		p.began = p.now
	}
	if p.wish.open && p.now >= p.wish.due {
		p.fulfil()
	}
}

// write writes the next packet of a unit.
func (p *Player) write(o *opened, dst []byte) int {
	t, payload := o.track, &o.payloads[o.next]
	n := t.packet(dst, &o.unit, payload, t.next)
	t.next++
	t.sent(payload)
	o.bytes += len(payload.Data)
	if o.next++; !o.left() {
		p.finish(o)
	}
	return n
}

// finish counts the packets of a unit.
func (p *Player) finish(o *opened) {
	p.counted.sent(len(o.payloads), o.bytes)
	p.total.sent(len(o.payloads), o.bytes)
	if o.key {
		p.counted.keyframes.Add(1)
		p.total.keyframes.Add(1)
	}
	o.track.budget = min(o.track.budget+o.bytes/resendShare, resendBurst)
	o.payloads, o.next = nil, 0
}

// size is about that of the next packet, and not less.
func (o *opened) size() int {
	return headerSize + extensionSize + len(o.payloads[o.next].Data)
}

// find is the unit of a packet that was sent, nil if it is not known.
func (t *track) find(sequence uint16) *unit {
	if int16(sequence-t.next) >= 0 {
		return nil
	}
	return t.history.find(sequence)
}

func (p *Player) bySSRC(ssrc uint32) *track {
	for i := range p.tracks {
		if t := &p.tracks[i]; t.ssrc == ssrc {
			return t
		}
	}
	return nil
}

// of is the track that a unit goes out on; nil if it was not negotiated.
func (p *Player) of(now *media.Track) *track {
	for i := range p.tracks {
		if t := &p.tracks[i]; t.checked == now || t.out.Track.ID == now.ID {
			return t
		}
	}
	return nil
}

func (p *Player) milliseconds() uint32 { return uint32(p.now / int64(time.Millisecond)) }
