package peer

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sluice/media"
	"sluice/rtpin"
)

// incoming is what the sink knows as one stream: a layer of the picture, or the sound. A sender that starts over goes
// on in it under another SSRC.
type incoming struct {
	rid   string      // fixed
	track media.Track // fixed

	source   atomic.Pointer[source] // the one that is listened to: the newest
	fir      atomic.Uint32          // sequence number of the last FIR
	wish     wish                   // for a keyframe
	receiver *rtpin.Receiver        // owned by Run
}

// incomingKey names an incoming.
type incomingKey struct {
	kind media.Kind
	rid  string
}

// source is one RTP stream, which has two readers: of its packets and of its reports.
type source struct {
	in     *incoming           // fixed
	remote *webrtc.TrackRemote // fixed
	ssrc   uint32              // fixed

	payload uint8 // fixed: type; that of resent packets is put right by pion
}

// arrival is one packet of one stream: RTP, or the sender report in an RTCP packet.
type arrival struct {
	to     *incoming
	packet *rtp.Packet
	report *rtcp.SenderReport
	at     time.Time
}

// onTrack is called by pion on a goroutine of its own for each stream. It reads it until the connection is over, or
// the sender has started over.
func (r *Reception) onTrack(remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	if !r.startReader() {
		return
	}
	defer r.readers.Done()
	t, payload, ok := r.trackOf(remote)
	if !ok {
		return
	}
	in := r.incomingOf(remote.RID(), t)
	s := &source{in: in, remote: remote, ssrc: uint32(remote.SSRC()), payload: payload}
	in.source.Store(s)
	r.readers.Go(func() { r.readReports(s, receiver) })
	r.readPackets(s)
}

// incomingOf finds what a stream is part of.
func (r *Reception) incomingOf(rid string, t media.Track) *incoming {
	r.incomingMu.Lock()
	defer r.incomingMu.Unlock()
	key := incomingKey{t.Kind, rid}
	in, ok := r.incoming[key]
	if !ok {
		in = &incoming{rid: rid, track: t}
		r.incoming[key] = in
	}
	return in
}

// trackOf says which track a stream carries, and as which payload type. The library goes by the first packet, of which
// nothing but its SSRC can be trusted where there is a plan.
func (r *Reception) trackOf(remote *webrtc.TrackRemote) (media.Track, uint8, bool) {
	kind := media.Video
	if remote.Kind() == webrtc.RTPCodecTypeAudio {
		kind = media.Audio
	}
	if r.plan != nil {
		c, ok := r.choices[kind]
		return c.Track, c.Format.PayloadType, ok
	}
	t, ok := pulledTrack(kind, remote.Codec())
	return t, uint8(remote.Codec().PayloadType), ok
}

func (r *Reception) readPackets(s *source) {
	buf := make([]byte, packetSize)
	for {
		n, _, err := s.remote.Read(buf)
		if err != nil {
			return
		}
		p := &rtp.Packet{}
		if p.Unmarshal(slices.Clone(buf[:n])) != nil || p.PayloadType != s.payload {
			r.border.dropped.Add(1)
			continue
		}
		newest := s.in.source.Load()
		if p.SSRC == newest.ssrc && !r.deliver(arrival{to: s.in, packet: p, at: time.Now()}) || newest != s {
			return
		}
	}
}

// readReports reads what a publisher reports of one stream.
func (r *Reception) readReports(s *source, receiver *webrtc.RTPReceiver) {
	buf := make([]byte, packetSize)
	for {
		n, err := readRTCP(receiver, s.in.rid, buf)
		if err != nil || s.in.source.Load() != s {
			return
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			r.border.dropped.Add(1)
			continue
		}
		for _, p := range packets {
			sr, ok := p.(*rtcp.SenderReport)
			if ok && sr.SSRC == s.ssrc && !r.deliver(arrival{to: s.in, report: sr, at: time.Now()}) {
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
