package peer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sluice/media"
	"sluice/negotiation"
	"sluice/rtpin"
)

const (
	arrivalQueue = 512 // packets between the readers and Run
	maxIncoming  = 8   // streams: three layers of a picture, its sound, and as many again by mistake
	tickInterval = 100 * time.Millisecond
	packetSize   = 1500 // bytes, the largest that are read
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
	streams *streamLimit               // fixed
	kinds   map[media.Kind]media.Track // fixed after Receive: what the plan expects
	firOnly bool                       // fixed after Receive: the peer knows no PLI

	arrivals chan arrival  // capacity arrivalQueue; sent by the readers, never closed
	over     chan struct{} // closed when Run has returned: readers stop
	overOnce sync.Once

	counted receptionCounters
	count   atomic.Int32 // streams that have begun

	video sync.Map // rid to *incoming: those that a keyframe can be asked of
}

// arrival is one packet of one stream: RTP, or the sender report in an RTCP packet. With neither, the stream begins.
type arrival struct {
	from   *incoming
	packet *rtp.Packet
	report *rtcp.SenderReport
	at     time.Time
}

// incoming is one RTP stream: a layer of the picture, or the sound.
type incoming struct {
	rid      string
	track    media.Track
	remote   *webrtc.TrackRemote
	payload  uint8           // type; that of resent packets is put right by pion
	receiver *rtpin.Receiver // owned by Run
	fir      atomic.Uint32   // sequence number of the last FIR
}

// limitStreams allows the streams of one section: its layers, or one with what browsers send by mistake.
func (r *Reception) limitStreams(offer *negotiation.Offer, mid string) {
	if s, ok := offer.Section(mid); ok {
		r.streams.allow(max(streamsPerSection, 2*len(s.RIDs)))
	}
}

// onTrack is called by pion on a goroutine of its own for each stream. It reads it until the connection is over.
func (r *Reception) onTrack(remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	t, ok := r.trackOf(remote)
	if !ok {
		return
	}
	if r.count.Add(1) > maxIncoming {
		r.finish(&FloodError{})
		return
	}
	in := &incoming{rid: remote.RID(), track: t, remote: remote, payload: uint8(remote.Codec().PayloadType)}
	if t.Kind == media.Video {
		r.video.Store(in.rid, in)
	}
	if !r.startReader() {
		return
	}
	defer r.readers.Done()
	if r.deliver(arrival{from: in}) {
		r.readers.Go(func() { r.readReports(in, receiver) })
		r.readPackets(in)
	}
}

// trackOf says which track a stream carries.
func (r *Reception) trackOf(remote *webrtc.TrackRemote) (media.Track, bool) {
	kind := media.Video
	if remote.Kind() == webrtc.RTPCodecTypeAudio {
		kind = media.Audio
	}
	if r.plan != nil {
		t, ok := r.kinds[kind]
		return t, ok
	}
	return pulledTrack(kind, remote.Codec())
}

func (r *Reception) readPackets(in *incoming) {
	buf := make([]byte, packetSize)
	for {
		n, _, err := in.remote.Read(buf)
		if err != nil {
			return
		}
		p := &rtp.Packet{}
		if p.Unmarshal(slices.Clone(buf[:n])) != nil || p.PayloadType != in.payload {
			r.counted.malformed.Add(1)
			continue
		}
		if !r.deliver(arrival{from: in, packet: p, at: time.Now()}) {
			return
		}
	}
}

// readReports reads what a publisher reports of one stream.
func (r *Reception) readReports(in *incoming, receiver *webrtc.RTPReceiver) {
	buf := make([]byte, packetSize)
	for {
		n, err := readRTCP(receiver, in.rid, buf)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			r.counted.malformed.Add(1)
			continue
		}
		for _, p := range packets {
			sr, ok := p.(*rtcp.SenderReport)
			if ok && sr.SSRC == uint32(in.remote.SSRC()) && !r.deliver(arrival{from: in, report: sr, at: time.Now()}) {
				return
			}
		}
	}
}

func readRTCP(receiver *webrtc.RTPReceiver, rid string, buf []byte) (int, error) {
	if rid != "" {
		n, _, err := receiver.ReadSimulcast(buf, rid)
		return n, err
	}
	n, _, err := receiver.Read(buf)
	return n, err
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
// ctx's error or *FloodError. Whoever runs it closes the Reception afterwards.
func (r *Reception) Run(ctx context.Context, s Sink) error {
	defer r.overOnce.Do(func() { close(r.over) })
	i := &intake{reception: r, sink: s, sync: rtpin.NewSynchronizer(), window: time.Now()}
	tick := time.NewTicker(tickInterval)
	defer tick.Stop()
	for {
		select {
		case a := <-r.arrivals:
			if err := i.take(a); err != nil {
				return err
			}
		case now := <-tick.C:
			if err := i.tick(now); err != nil {
				return err
			}
		case <-r.done:
			return r.why()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// errClosed stands for the end that Close has brought.
var errClosed = errors.New("the connection has been closed")

func (r *Reception) why() error {
	if err := r.Err(); err != nil {
		return err
	}
	return errClosed
}

// RequestKeyframe asks the peer for a keyframe of one layer, "" where there is one only: by PLI (RFC 4585 6.3.1), or
// by FIR (RFC 5104 4.3.1) where the offer knows no PLI. Merging wishes is the caller's.
func (r *Reception) RequestKeyframe(rid string) {
	found, ok := r.video.Load(rid)
	if !ok {
		return
	}
	in := found.(*incoming)
	ssrc := uint32(in.remote.SSRC())
	var p rtcp.Packet = &rtcp.PictureLossIndication{MediaSSRC: ssrc}
	if r.firOnly {
		entry := rtcp.FIREntry{SSRC: ssrc, SequenceNumber: uint8(in.fir.Add(1))}
		p = &rtcp.FullIntraRequest{MediaSSRC: ssrc, FIR: []rtcp.FIREntry{entry}}
	}
	_ = r.pc.WriteRTCP([]rtcp.Packet{p}) // fails only once the connection is over, which Done tells
	r.counted.keyframes.Add(1)
}
