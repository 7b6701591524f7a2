package rtpout

import (
	"encoding/binary"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"sluice/hub"
	"sluice/media"
)

// Sender is one viewer's RTP stream of one track: it numbers the packets of the units it is given without a gap,
// whatever was skipped between them (F26). It belongs to one goroutine.
type Sender struct {
	ssrc        uint32
	payloadType uint8
	sequence    uint16 // of the next unit
	base        uint32 // RTP timestamp of PTS 0
	times       timeline

	picture  uint16 // ID of the next picture, where the codec has one
	pictures bool   // one was sent

	packets, octets uint32

	header  rtp.Header // that Send writes
	scratch []byte     // a payload with this viewer's picture ID, that Send writes
}

// NewSender makes the sender of a track of clock rate Hz. sequence and base are random (RFC 3550 5.1).
func NewSender(ssrc uint32, payloadType uint8, rate int, sequence uint16, base uint32) *Sender {
	s := newSender(ssrc, payloadType, rate, sequence, base)
	return &s
}

func newSender(ssrc uint32, payloadType uint8, rate int, sequence uint16, base uint32) Sender {
	return Sender{ssrc: ssrc, payloadType: payloadType, sequence: sequence, base: base, times: timeline{rate: rate}}
}

// open settles what the packets of a unit share. Timestamps rise and picture IDs count on (F32) where the units of
// another publisher, such as another layer, follow.
func (s *Sender) open(u *hub.Unit, payloads []Payload) unit {
	opened := unit{
		place: u.Place(), timestamp: s.base + uint32(s.times.at(u, duration(u))),
		first: s.sequence, count: uint16(len(payloads)), picture: s.nextPicture(u), keyframe: u.Keyframe,
	}
	s.sequence += opened.count
	return opened
}

// nextPicture begins with the ID that the unit was cut with.
func (s *Sender) nextPicture(u *hub.Unit) uint16 {
	if !s.pictures {
		s.picture, s.pictures = pictureID(u.Count), true
	}
	id := s.picture
	s.picture = (id + 1) & maxPictureID
	return id
}

// sent counts a packet for the reports.
func (s *Sender) sent(p *Payload) {
	s.packets++
	s.octets += uint32(len(p.Data))
}

// Send writes the packets of a unit. write must not keep the header or the payload. The first error ends it.
func (s *Sender) Send(u *hub.Unit, write func(*rtp.Header, []byte) error) error {
	payloads := Payloads(u)
	if len(payloads) == 0 {
		return nil
	}
	opened := s.open(u, payloads)
	h := &s.header
	*h = rtp.Header{Version: 2, PayloadType: s.payloadType, SSRC: s.ssrc, SequenceNumber: opened.first}
	for i := range payloads {
		p := &payloads[i]
		h.Timestamp, h.Marker = opened.timestamp+p.Offset, p.Marker
		data := p.Data
		if at := p.Picture; at != 0 && binary.BigEndian.Uint16(data[at:])&maxPictureID != opened.picture {
			s.scratch = append(s.scratch[:0], p.Data...)
			opened.payload(s.scratch, p)
			data = s.scratch
		}
		s.sent(p)
		if err := write(h, data); err != nil {
			return err
		}
		h.SequenceNumber++
	}
	return nil
}

// duration is how long a unit of sound lasts, in ticks; 0 if it is not sound or does not tell.
func duration(u *hub.Unit) int64 {
	switch u.Track.Codec {
	case media.Opus:
		return opus.PacketDuration2(frame(u.AccessUnit))
	case media.PCMU, media.PCMA, media.G722:
		return int64(len(frame(u.AccessUnit)))
	default:
		return 0
	}
}

// Packets is the number of packets sent, modulo 2^32.
func (s *Sender) Packets() uint32 { return s.packets }

// Report is the sender report of this moment (RFC 3550 6.4.1). Its two clocks are the gateway's, the same for all
// tracks of a viewer, so that sound and picture stay together (E48).
func (s *Sender) Report(now time.Time) *rtcp.SenderReport {
	return &rtcp.SenderReport{
		SSRC:        s.ssrc,
		NTPTime:     wallClock(now),
		RTPTime:     s.timestamp(now),
		PacketCount: s.packets,
		OctetCount:  s.octets,
	}
}

// timestamp is the RTP time of an instant.
func (s *Sender) timestamp(now time.Time) uint32 {
	return s.base + uint32(media.PTS(now, s.times.rate)+s.times.shift)
}

// wallClock is the NTP time of an instant by a clock without steps, whoever sets the wall clock.
func wallClock(now time.Time) uint64 { return ntpTime(media.Epoch().Add(now.Sub(media.Epoch()))) }

// ntpTime is seconds since 1900 in 32.32 fixed point (RFC 3550 4).
func ntpTime(t time.Time) uint64 {
	const unixEpoch = 2208988800
	return uint64(t.Unix()+unixEpoch)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}
