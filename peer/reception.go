package peer

import (
	"context"
	"sync"
	"time"

	"github.com/pion/rtcp"

	"sluice/media"
	"sluice/negotiation"
	"sluice/rtpin"
)

const (
	arrivalQueue = 512 // packets between the readers and Run
	tickInterval = 100 * time.Millisecond
)

// Sink is what a Reception gives its media to. All calls come from the goroutine of Run.
type Sink interface {
	// Track tells of a track before its first unit, and again when more is known of it. rid is its layer, "" if the
	// publisher sends one only.
	Track(rid string, t media.Track)
	// Unit gives one finished unit, in decode order; au belongs to the sink.
	Unit(rid, track string, au *media.AccessUnit)
	// Tick comes each 100 ms.
	Tick(now time.Time)
}

// Reception is one PeerConnection that receives tracks: a publisher's, or those of a server that we pull from. Run is
// called once; the other methods may be called from any goroutine.
type Reception struct {
	link
	choices map[media.Kind]negotiation.Choice // fixed after Receive: what the plan expects
	firOnly bool                              // fixed after Receive: the peer knows no PLI
	ssrc    uint32                            // fixed: ours, that keyframes are asked for under

	arrivals chan arrival  // capacity arrivalQueue; sent by the readers, never closed
	over     chan struct{} // closed when Run has returned: readers stop
	overOnce sync.Once

	counted receptionCounters

	incomingMu sync.Mutex
	incoming   map[incomingKey]*incoming // guarded by incomingMu
}

func (r *Reception) deliver(a arrival) bool {
	select {
	case r.arrivals <- a:
		return true
	case <-r.over:
	case <-r.done:
	}
	return false
}

// Run reads until the connection is over, ctx is done or the peer sends more than it may, and returns why: Err,
// ctx's error or *transport.FloodError. Whoever runs it closes the Reception afterwards.
func (r *Reception) Run(ctx context.Context, s Sink) error {
	defer r.overOnce.Do(func() { close(r.over) })
	i := &intake{reception: r, sink: s, sync: rtpin.NewSynchronizer()}
	tick := time.NewTicker(tickInterval)
	defer tick.Stop()
	for {
		select {
		case a := <-r.arrivals:
			if err := i.take(a); err != nil {
				return err
			}
		case now := <-tick.C:
			i.tick(now)
		case <-r.done:
			return r.why()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// RequestKeyframe asks the peer for a keyframe of one layer, "" where there is one only: by PLI (RFC 4585 6.3.1), or
// by FIR (RFC 5104 4.3.1) where the offer knows no PLI. A layer of which nothing has come is not asked: it begins with
// a keyframe. Wishes are merged to one each 500 ms.
func (r *Reception) RequestKeyframe(rid string) {
	r.incomingMu.Lock()
	in := r.incoming[incomingKey{media.Video, rid}]
	r.incomingMu.Unlock()
	if in != nil && in.wish.ask(time.Now()) {
		r.askKeyframe(in)
	}
}

func (r *Reception) askKeyframe(in *incoming) {
	s := in.source.Load()
	if s == nil {
		return
	}
	var p rtcp.Packet = &rtcp.PictureLossIndication{SenderSSRC: r.ssrc, MediaSSRC: s.ssrc}
	if r.firOnly {
		entry := rtcp.FIREntry{SSRC: s.ssrc, SequenceNumber: uint8(in.fir.Add(1))}
		p = &rtcp.FullIntraRequest{SenderSSRC: r.ssrc, FIR: []rtcp.FIREntry{entry}} // names no media SSRC (RFC 5104 4.3.1.1)
	}
	if r.pc.WriteRTCP([]rtcp.Packet{p}) == nil { // fails only once the connection is over, which Done tells
		r.counted.keyframes.Add(1)
	}
}
