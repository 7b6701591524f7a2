package rtsp

import (
	"math/rand/v2"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// reception is what receiver reports tell of one track. The engine sends none over interleaved connections, and
// some cameras take a report as the sign of life that they ask for.
//
// Specification: RFC 3550 6.4.2, A.3, A.8
type reception struct {
	clock int
	own   uint32 // our SSRC

	begun    bool
	ssrc     uint32
	base     uint32
	highest  uint32 // extended sequence number
	received uint32

	expectedBefore, receivedBefore uint32

	jitter  float64
	transit float64

	senderReport   uint32 // the middle of its NTP time
	senderReportAt time.Time
}

func newReception(clock int) *reception { return &reception{clock: clock, own: rand.Uint32()} }

func (r *reception) packet(p *rtp.Packet, arrived time.Time) {
	seq := uint32(p.SequenceNumber)
	if !r.begun {
		*r = reception{clock: r.clock, own: r.own, begun: true, ssrc: p.SSRC, base: seq, highest: seq}
	}
	r.received++
	ahead := int16(p.SequenceNumber - uint16(r.highest))
	if ahead > 0 {
		r.highest += uint32(ahead)
	}
	transit := float64(arrived.UnixMicro())*float64(r.clock)/1e6 - float64(p.Timestamp)
	if d := transit - r.transit; r.transit != 0 && ahead > 0 && d < float64(r.clock) && d > -float64(r.clock) {
		r.jitter += (max(d, -d) - r.jitter) / 16
	}
	r.transit = transit
}

func (r *reception) sender(sr *rtcp.SenderReport, arrived time.Time) {
	r.senderReport, r.senderReportAt = uint32(sr.NTPTime>>16), arrived
}

// report is nil before the first packet.
func (r *reception) report(now time.Time) *rtcp.ReceiverReport {
	if !r.begun {
		return nil
	}
	expected := r.highest - r.base + 1
	lost := int64(expected) - int64(r.received)
	b := rtcp.ReceptionReport{
		SSRC:               r.ssrc,
		TotalLost:          uint32(min(max(lost, 0), 0x7fffff)),
		LastSequenceNumber: r.highest,
		Jitter:             uint32(r.jitter),
		FractionLost:       fraction(expected-r.expectedBefore, r.received-r.receivedBefore),
	}
	if !r.senderReportAt.IsZero() {
		b.LastSenderReport = r.senderReport
		b.Delay = uint32(now.Sub(r.senderReportAt).Seconds() * 65536)
	}
	r.expectedBefore, r.receivedBefore = expected, r.received
	return &rtcp.ReceiverReport{SSRC: r.own, Reports: []rtcp.ReceptionReport{b}}
}

func fraction(expected, received uint32) uint8 {
	if expected == 0 || received >= expected {
		return 0
	}
	return uint8((expected - received) * 255 / expected)
}
