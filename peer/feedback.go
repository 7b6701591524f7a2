package peer

import (
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"sluice/media"
)

// feedbackQueue is how many packets of feedback wait for the goroutine that sends. A viewer that sends more is not
// heard out.
const feedbackQueue = 64

// feedback is a viewer's word about one stream.
type feedback struct {
	ssrc    uint32 // of the stream
	packets []rtcp.Packet
}

// readFeedback reads what a viewer says of one of its tracks until the connection is over.
func (c *Connection) readFeedback(t *outgoing, s *webrtc.RTPSender) {
	defer c.readers.Done()
	buf := make([]byte, packetSize)
	for {
		n, _, err := s.Read(buf)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		c.heard.Store(true)
		select {
		case c.feedback <- feedback{ssrc: t.out.SSRC, packets: packets}:
		default:
		}
	}
}

// take acts on feedback. A compound packet comes once for each stream that it names: each time, what it says of that
// stream counts.
func (b *playback) take(f feedback, now time.Time) {
	for _, p := range f.packets {
		switch p := p.(type) {
		case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
			b.player.WantKeyframe(now)
		case *rtcp.TransportLayerNack:
			if p.MediaSSRC == f.ssrc {
				b.resend(p, now)
			}
		case *rtcp.ReceiverReport:
			b.hear(p.Reports, f.ssrc, now)
		}
	}
}

func (b *playback) resend(p *rtcp.TransportLayerNack, now time.Time) {
	for i := range p.Nacks {
		p.Nacks[i].Range(func(seq uint16) bool {
			b.player.Nack(now, p.MediaSSRC, seq)
			return true
		})
	}
}

// hear tells the player of loss and of the round trip (RFC 3550 6.4.1).
func (b *playback) hear(reports []rtcp.ReceptionReport, ssrc uint32, now time.Time) {
	for _, r := range reports {
		if r.SSRC != ssrc {
			continue
		}
		b.player.Loss(float64(r.FractionLost) / 256)
		if d, ok := roundTrip(r, now); ok {
			b.player.RTT(d)
		}
	}
}

// maxRoundTrip is the longest that is believed.
const maxRoundTrip = 10 * time.Second

// roundTrip is the time from a sender report of ours to the report about it, without the time that the viewer kept it.
func roundTrip(r rtcp.ReceptionReport, now time.Time) (time.Duration, bool) {
	if r.LastSenderReport == 0 {
		return 0, false
	}
	units := int64(int32(compactNTP(now) - r.LastSenderReport - r.Delay)) // of 1/65536 s
	d := time.Duration(units * int64(time.Second) >> 16)
	return d, d >= 0 && d < maxRoundTrip
}

// compactNTP is the middle of the NTP time that our sender reports of this moment have (RFC 3550 6.4.1).
func compactNTP(now time.Time) uint32 {
	const unixEpoch = 2208988800
	t := media.Epoch().Add(now.Sub(media.Epoch())) // no steps when the wall clock is set
	return uint32(t.Unix()+unixEpoch)<<16 | uint32(uint64(t.Nanosecond())<<16/uint64(time.Second))
}
