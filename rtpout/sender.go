package rtpout

import (
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"sluice/hub"
	"sluice/media"
)

// Sender is one viewer's RTP stream of one track: it numbers the packets of the units it is given without a gap,
// whatever was skipped between them (F26). It belongs to one goroutine.
type Sender struct {
	header rtp.Header // of the next packet
	base   uint32     // RTP timestamp of PTS 0
	rate   int        // Hz

	packets, octets uint32
}

// NewSender makes the sender of a track of clock rate Hz. sequence and base are random (RFC 3550 5.1).
func NewSender(ssrc uint32, payloadType uint8, rate int, sequence uint16, base uint32) *Sender {
	return &Sender{
		header: rtp.Header{Version: 2, PayloadType: payloadType, SSRC: ssrc, SequenceNumber: sequence},
		base:   base,
		rate:   rate,
	}
}

// Send writes the packets of a unit. write must not keep the header or the payload. The first error ends it.
func (s *Sender) Send(u *hub.Unit, write func(*rtp.Header, []byte) error) error {
	timestamp := s.base + uint32(u.PTS)
	for _, p := range Payloads(u) {
		s.header.Timestamp = timestamp + p.Offset
		s.header.Marker = p.Marker
		err := write(&s.header, p.Data)
		s.header.SequenceNumber++
		s.packets++
		s.octets += uint32(len(p.Data))
		if err != nil {
			return err
		}
	}
	return nil
}

// Packets is the number of packets sent, modulo 2^32.
func (s *Sender) Packets() uint32 { return s.packets }

// Report is the sender report of this moment (RFC 3550 6.4.1). Its two clocks are the gateway's, the same for all
// tracks of a viewer, so that sound and picture stay together (E48).
func (s *Sender) Report(now time.Time) *rtcp.SenderReport {
	return &rtcp.SenderReport{
		SSRC:        s.header.SSRC,
		NTPTime:     ntpTime(media.Epoch().Add(now.Sub(media.Epoch()))), // no steps when the wall clock is set
		RTPTime:     s.base + uint32(media.PTS(now, s.rate)),
		PacketCount: s.packets,
		OctetCount:  s.octets,
	}
}

// ntpTime is seconds since 1900 in 32.32 fixed point (RFC 3550 4).
func ntpTime(t time.Time) uint64 {
	const unixEpoch = 2208988800
	return uint64(t.Unix()+unixEpoch)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}
