package rtpin

import (
	"fmt"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"sluice/bitstream"
	"sluice/media"
)

// Options are what a Receiver needs. Callbacks run in Push, Report and Tick, on the caller's goroutine.
type Options struct {
	Track     media.Track             // as the signalling described it
	Sync      *Synchronizer           // shared by the tracks of one source; nil for a track on its own
	Unordered bool                    // the transport reorders: wait for up to 64 packets or 200 ms (sound: 60 ms)
	Resent    bool                    // it does, and what is lost is asked for again: wait for up to 512 packets
	OnTrack   func(media.Track)       // what is known of the track has changed; called before the unit that changed it
	OnUnit    func(*media.AccessUnit) // one finished unit, in decode order
	OnLost    func()                  // the picture goes on with a keyframe only; again each 500 ms until one comes
}

// wishInterval is the least time between two calls of OnLost.
const wishInterval = 500 * time.Millisecond

// UnsupportedCodecError tells that no depacketizer exists for a track.
type UnsupportedCodecError struct{ Codec media.Codec }

func (e *UnsupportedCodecError) Error() string {
	return fmt.Sprintf("packets of codec %q can't be read: no depacketizer for it", string(e.Codec))
}

// Stats counts what came and what was lost since New. Dropped is units that were whole but useless: they
// held no picture, came before the first keyframe or between a loss and the next one, or lay in the past.
type Stats struct {
	Packets, Bytes  uint64
	Lost            uint64 // packets that never came
	Duplicate, Late uint64 // packets that came twice, or after their successors were let go
	Malformed       uint64 // packets that can't be read, units that can't be put together
	Dropped         uint64
	Resyncs         uint64 // new SSRCs, jumps of sequence numbers or timestamps
}

// Receiver makes access units of the packets of one track. One goroutine calls it.
type Receiver struct {
	o        Options
	track    media.Track // as OnTrack knows it
	order    reorderer
	parts    depacketizer
	clock    clock
	units    *bitstream.Conformer
	ssrc     uint32
	any      bool
	needKey  bool      // a packet of the GOP is lost
	now      time.Time // of the latest call
	wished   time.Time // when OnLost was called, or the first packet came
	counters Stats
}

// NewReceiver returns a Receiver for a track, or an *UnsupportedCodecError.
func NewReceiver(o Options) (*Receiver, error) {
	if o.Sync == nil {
		o.Sync = NewSynchronizer()
	}
	r := &Receiver{o: o, track: o.Track}
	parts, err := newDepacketizer(&o.Track, r)
	if err != nil {
		return nil, err
	}
	r.parts = parts
	r.units = bitstream.NewConformer(o.Track)
	r.clock = newClock(o.Track, o.Sync)
	r.order = reorderer{deliver: r.next, stats: &r.counters, wait: reorderWait}
	if o.Track.Kind == media.Audio {
		r.order.wait = soundWait
	}
	switch {
	case o.Resent:
		r.order.slots = make([]held, resendWindow)
	case o.Unordered:
		r.order.slots = make([]held, reorderWindow)
	}
	return r, nil
}

// Push takes one packet that arrived at a moment; its payload belongs to the Receiver from then on. Units it
// finishes are given to OnUnit before it returns.
func (r *Receiver) Push(pkt *rtp.Packet, arrived time.Time) {
	r.counters.Packets++
	r.counters.Bytes += uint64(len(pkt.Payload))
	if pkt.Version != 2 {
		r.counters.Malformed++
		return
	}
	r.now = arrived
	if !r.any {
		r.wished = arrived // a stream begins with a keyframe: give it time
	}
	if r.any && pkt.SSRC != r.ssrc {
		r.order.flush()
		r.resync()
	}
	r.ssrc, r.any = pkt.SSRC, true
	r.order.push(pkt, arrived)
}

// Report takes a sender report of the track (RFC 3550 6.4.1). Nonsense in it is ignored.
func (r *Receiver) Report(sr *rtcp.SenderReport, arrived time.Time) { r.clock.reported(sr, arrived) }

// Tick lets packets go that waited too long for an earlier one. Call it at least every 100 ms.
func (r *Receiver) Tick(now time.Time) {
	r.now = now
	r.order.expire(now)
}

// Stats returns the counters. Like all methods it is for the goroutine that calls Push.
func (r *Receiver) Stats() Stats {
	s := r.counters
	s.Resyncs += r.clock.resyncs
	return s
}

// resync starts over: another sender, or the same one started over.
func (r *Receiver) resync() {
	r.counters.Resyncs++
	r.order.reset()
	r.parts.lost()
	r.clock.restart()
	r.lose()
}

// lose waits for a keyframe.
func (r *Receiver) lose() {
	r.needKey = r.o.Track.Kind == media.Video
	r.wish()
}

// wish asks for a keyframe, unless it has just done so.
func (r *Receiver) wish() {
	if r.o.OnLost != nil && r.o.Track.Kind == media.Video && r.now.Sub(r.wished) >= wishInterval {
		r.wished = r.now
		r.o.OnLost()
	}
}

// next takes packets from the reorderer. lost is how many are missing before this one.
func (r *Receiver) next(pkt *rtp.Packet, arrived time.Time, lost int, jumped bool) {
	if jumped {
		r.counters.Resyncs++
	}
	if lost > 0 || jumped {
		r.counters.Lost += uint64(lost)
		r.parts.lost()
		r.lose()
	}
	if len(pkt.Payload) > 0 {
		r.parts.push(pkt, arrived)
	}
}

// broken is told by the depacketizer: the unit at hand is lost.
func (r *Receiver) broken() {
	r.counters.Malformed++
	r.lose()
}

// ignored is told by the depacketizer: a packet means nothing, but nothing else is lost by it.
func (r *Receiver) ignored() { r.counters.Malformed++ }

// finished is told by the depacketizer.
func (r *Receiver) finished(u unit) {
	pts, ok := r.clock.stamp(u.timestamp, u.first, u.last)
	if !ok {
		r.counters.Dropped++
		return
	}
	au := &media.AccessUnit{PTS: pts, NTP: r.clock.ntp(), Arrived: u.last, Data: u.data}
	if u.config != nil {
		r.units.Learn([][]byte{u.config})
	}
	if !r.units.Conform(au) || r.needKey && !au.Keyframe {
		r.counters.Dropped++
		if r.needKey || !r.units.Started() {
			r.wish()
		}
		return
	}
	r.needKey = false
	r.announce()
	if r.o.OnUnit != nil {
		r.o.OnUnit(au)
	}
}

func (r *Receiver) announce() {
	t := r.units.Track()
	if t.Equal(r.track) {
		return
	}
	r.track = t
	if r.o.OnTrack != nil {
		r.o.OnTrack(t)
	}
}
